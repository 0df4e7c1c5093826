/**
 * Opens DLLs as the product does, and keeps account of every call: which symbol
 * was called, and which has failed.
 *
 * @module
 */

import { HResult } from "../../base/hresult.ts";
import { type DllOpener, systemOpener } from "../../ffi/windows/library/dll.ts";
import { Win32 } from "../../ffi/windows/library/win32_error.ts";

/** How often a symbol was called, and how often it failed. */
export interface Count {
  called: number;
  failed: number;
}

/** Counts by symbol, by DLL. */
export type Coverage = Record<string, Record<string, Count>>;

type Result = number | bigint | Deno.PointerValue | void;

/** True when a symbol's result is a failure. */
type Judge = (symbol: string, result: Result) => boolean;

const invalid = 0xffff_ffff_ffff_ffffn;

/** HRESULTs: negative, but "pending" is none. */
const byHresult: Judge = (_symbol, result) =>
  typeof result === "number" && result < 0 &&
  (result >>> 0) !== HResult.Pending;

/** Win32 codes. */
const byCode: Judge = (_symbol, result) => Number(result) !== 0;

/** Symbols of kernel32 and advapi32 whose zero says something else than "failed". */
const zeroIsFine: ReadonlySet<string> = new Set([
  "LocalFree",
  "lstrlenW",
  "GetLastError",
]);

/** Symbols of advapi32 whose result is a Win32 code, and zero a success. */
const returnsCode: ReadonlySet<string> = new Set([
  "EventRegister",
  "EventSetInformation",
  "EventWriteTransfer",
  "GetNamedSecurityInfoW",
  "SetEntriesInAclW",
  "SetNamedSecurityInfoW",
]);

/** `WAIT_FAILED`. */
const waitFailed = 0xffff_ffff;

/** Codes with which an operation that goes on, or has its result already, says so. */
const goesOn: readonly number[] = [Win32.IoPending, Win32.PipeConnected];

function byZero(lastError: () => number): Judge {
  return (symbol, result) => {
    if (symbol.startsWith("WaitFor") && symbol !== "WaitForCompletions") {
      return result === waitFailed;
    }
    if (zeroIsFine.has(symbol)) return false;
    if (returnsCode.has(symbol)) return byCode(symbol, result);
    const zero = result === 0 || result === 0n || result === invalid;
    return zero && !goesOn.includes(lastError());
  };
}

function bySocketError(lastError: () => number): Judge {
  return (symbol, result) => {
    if (symbol === "WSAGetLastError") return false;
    const bad = symbol === "AcceptEx"
      ? result === 0
      : typeof result === "bigint"
      ? result === invalid
      : result !== 0;
    return bad && lastError() !== Win32.IoPending;
  };
}

/**
 * Symbols that cannot fail: they have no result, or their result says nothing of
 * the kind. `HcsCreateOperation` fails only when there is no memory, `LocalFree`
 * only for what is no memory, which breaks the heap. Wine takes events of any
 * provider and drops them.
 */
const cannotFail: ReadonlySet<string> = new Set([
  "CoTaskMemFree",
  "DeleteProcThreadAttributeList",
  "EventSetInformation",
  "EventWriteTransfer",
  "GetLastError",
  "HcsCloseComputeSystem of computecore.dll",
  "HcsCloseOperation",
  "HcsCreateOperation",
  "LocalFree",
  "RtlGetVersion",
  "RtlNtStatusToDosError",
  "WSAGetLastError",
  "lstrlenW",
]);

/** True when there is no such thing as a failure of the symbol. */
export function isInfallible(dll: string, symbol: string): boolean {
  return cannotFail.has(symbol) || cannotFail.has(`${symbol} of ${dll}`);
}

/** True for what Windows' documentation says is not implemented: it never succeeds. */
export function isUnimplemented(symbol: string): boolean {
  return symbol === "HcsCancelOperation";
}

/** Records the calls of every DLL that is opened through it. */
export class RecordingOpener implements DllOpener {
  /** What was called so far. */
  readonly coverage: Coverage = {};
  readonly #open: DllOpener["open"];
  readonly #lastError: { kernel32: () => number; ws2_32: () => number };

  /** @param opener Opens the DLLs. */
  constructor(opener: DllOpener = systemOpener) {
    this.#open = (path, symbols) => opener.open(path, symbols);
    this.systemRoot = () => opener.systemRoot();
    this.override = (name) => opener.override?.(name);
    const root = "C:\\windows\\System32\\";
    const { GetLastError } = opener.open(`${root}kernel32.dll`, {
      GetLastError: { parameters: [], result: "u32" },
    }).symbols;
    const { WSAGetLastError } = opener.open(`${root}ws2_32.dll`, {
      WSAGetLastError: { parameters: [], result: "i32" },
    }).symbols;
    this.#lastError = { kernel32: GetLastError, ws2_32: WSAGetLastError };
  }

  /** See {@linkcode DllOpener.systemRoot}. */
  readonly systemRoot: () => string | undefined;

  /** See {@linkcode DllOpener.override}. */
  readonly override: (name: string) => string | undefined;

  /** Opens a DLL; every function of it is counted. */
  open<const S extends Deno.ForeignLibraryInterface>(
    path: string,
    symbols: S,
  ): Deno.DynamicLibrary<S> {
    const library = this.#open(path, symbols);
    const dll = path.slice(path.lastIndexOf("\\") + 1).toLowerCase();
    const counts = this.coverage[dll] ??= {};
    const judge = this.#judge(dll);
    const wrapped = Object.fromEntries(
      Object.entries(library.symbols).map(([symbol, call]) => {
        const count = counts[symbol] ??= { called: 0, failed: 0 };
        return [symbol, counted(symbol, call, judge, count)];
      }),
    );
    return {
      symbols: wrapped as Deno.StaticForeignLibraryInterface<S>,
      close: () => library.close(),
    };
  }

  #judge(dll: string): Judge {
    if (dll === "kernel32.dll" || dll === "advapi32.dll") {
      return byZero(this.#lastError.kernel32);
    }
    if (dll.endsWith("ws2_32.dll") || dll === "mswsock.dll") {
      return bySocketError(this.#lastError.ws2_32);
    }
    return dll === "virtdisk.dll" ? byCode : byHresult;
  }
}

function counted(
  symbol: string,
  call: unknown,
  judge: Judge,
  count: Count,
): unknown {
  if (typeof call !== "function") return call;
  const note = (result: Result): void => {
    if (judge(symbol, result)) count.failed++;
  };
  return (...args: unknown[]): unknown => {
    const result: Result | Promise<Result> = call(...args);
    count.called++;
    if (result instanceof Promise) result.then(note, () => {});
    else note(result);
    return result;
  };
}
