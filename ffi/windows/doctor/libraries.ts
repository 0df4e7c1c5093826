/**
 * Whether the DLLs of Windows are there, with all that the product calls.
 *
 * @module
 */

import type { Check, Verdict } from "../../../hcs/checks.ts";
import { advapi32Interface } from "../library/advapi32.ts";
import { computeCoreInterface } from "../library/computecore.ts";
import { computeNetworkInterface } from "../library/computenetwork.ts";
import { type DllOpener, SystemDll } from "../library/dll.ts";
import { kernel32Interface } from "../library/kernel32.ts";
import { ntdllInterface } from "../library/ntdll.ts";
import { ole32Interface } from "../library/ole32.ts";
import { virtDiskInterface } from "../library/virtdisk.ts";
import { vmComputeInterface } from "../library/vmcompute.ts";
import { mswsockInterface, ws2_32Interface } from "../library/ws2_32.ts";
import { enableHyperV } from "./system.ts";

const update = "Install the updates of Windows";

/** A DLL, what is called of it, what its lack counts as, and what to do then. */
type Row = readonly [
  name: string,
  symbols: Deno.ForeignLibraryInterface,
  failure: "gap" | "warning",
  advice: string,
];

const rows: readonly Row[] = [
  ["kernel32.dll", kernel32Interface, "gap", update],
  ["ntdll.dll", ntdllInterface, "gap", update],
  ["advapi32.dll", advapi32Interface, "gap", update],
  ["ole32.dll", ole32Interface, "gap", update],
  ["ws2_32.dll", ws2_32Interface, "gap", update],
  ["mswsock.dll", mswsockInterface, "gap", update],
  ["virtdisk.dll", virtDiskInterface, "gap", update],
  ["vmcompute.dll", vmComputeInterface, "gap", enableHyperV],
  ["computenetwork.dll", computeNetworkInterface, "gap", enableHyperV],
  // Live migration only.
  ["computecore.dll", computeCoreInterface, "warning", update],
];

/** The functions of a table, by the names that the DLL gives them. */
function functionsOf(symbols: Deno.ForeignLibraryInterface): string[] {
  const names = Object.entries(symbols).map(([key, symbol]) =>
    symbol.name ?? key
  );
  return [...new Set(names)];
}

/** A table of the same names, each of which may be missing: then it is null. */
function allOptional(
  names: readonly string[],
): Record<string, { parameters: []; result: "void"; optional: true }> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      { parameters: [], result: "void", optional: true },
    ]),
  );
}

/**
 * Looks for the symbols of a DLL.
 *
 * @param names What is called of it.
 * @param failure What it counts as when one is missing.
 * @throws {ShimError} FailedPrecondition when it cannot be loaded.
 */
export function judgeLibrary(
  dll: string,
  names: readonly string[],
  failure: "gap" | "warning",
  opener?: DllOpener,
): Verdict {
  const { symbols } = new SystemDll(dll, allOptional(names), { opener });
  const missing = names.filter((name) => symbols[name] === null);
  if (missing.length === 0) return { found: `functions: ${names.length}` };
  return { state: failure, found: `no ${missing.join(", ")}` };
}

/** One check per DLL. */
export function libraryChecks(opener?: DllOpener): Check[] {
  return rows.map(([name, symbols, failure, advice]) => ({
    name,
    advice,
    failure,
    look: () => judgeLibrary(name, functionsOf(symbols), failure, opener),
  }));
}
