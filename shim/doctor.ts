/**
 * `doctor`: whether this machine has what the shim needs, for people.
 *
 * @module
 */

import type { Finding } from "../hcs/ports.ts";
import { loadMachine } from "./host.ts";
import { formatTable } from "./table.ts";

/** What `doctor` prints, and the exit code of the process. */
export interface Diagnosis {
  /** The table. */
  readonly text: string;
  /** 0 without a gap, else 1. */
  readonly code: number;
}

/**
 * Formats findings as a table, with the advice below what is not fine. All of it
 * is ASCII unless a finding is not: consoles of Windows differ in the rest.
 *
 * @param findings In the order in which they are shown.
 */
export function formatFindings(findings: readonly Finding[]): Diagnosis {
  const table = formatTable([
    ["CHECK", "STATE", "FOUND"],
    ...findings.flatMap(({ check, state, found, advice }) => [
      [check, state, found],
      ...(advice === "" ? [] : [["", "", advice]]),
    ]),
  ]);
  const count = (state: Finding["state"]): number =>
    findings.filter((finding) => finding.state === state).length;
  const gaps = count("gap");
  const sum = `gaps: ${gaps}, warnings: ${count("warning")}`;
  return {
    text: `${table}\n${sum}\n`,
    code: gaps === 0 ? 0 : 1,
  };
}

/**
 * Looks at this machine.
 *
 * @throws {ShimError} What keeps the process from looking: see {@linkcode loadMachine}.
 */
export async function runDoctor(): Promise<Diagnosis> {
  const { platform } = await loadMachine();
  return formatFindings(await Array.fromAsync(platform.diagnose()));
}
