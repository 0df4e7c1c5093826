/**
 * Windows' own DLLs, opened from System32 at first use.
 *
 * @module
 */

import { messageOf, ShimError } from "../../../base/errors.ts";
import {
  isAbsoluteWindowsPath,
  joinWindowsPath,
} from "../../../base/windows_path.ts";
import { encodeUtf16 } from "./utf16.ts";

/** How DLLs are found and opened; tests replace it. */
export interface DllOpener {
  /** Value of `%SystemRoot%`, for example `C:\Windows`. */
  systemRoot(): string | undefined;
  /** A file that stands for a DLL of System32, for tests under Wine; see {@linkcode overrideVariable}. */
  override?(name: string): string | undefined;
  /** Loads a DLL and looks up its symbols. */
  open<const S extends Deno.ForeignLibraryInterface>(
    path: string,
    symbols: S,
  ): Deno.DynamicLibrary<S>;
}

/**
 * Environment variable that replaces DLLs whose name Wine itself needs:
 * `ws2_32.dll=C:\\fakes\\ws2_32.dll`, several separated by `;`. For tests only;
 * who may set the environment of a shim may replace the shim.
 */
export const overrideVariable = "LCOW_DLL_OVERRIDE";

/** Opens DLLs of the machine that this process runs on. */
export const systemOpener: DllOpener = {
  systemRoot: () => Deno.env.get("SystemRoot"),
  override: (name) => {
    const rows = (Deno.env.get(overrideVariable) ?? "").split(";");
    const row = rows.find((row) => row.startsWith(`${name}=`));
    return row?.slice(name.length + 1);
  },
  open: (path, symbols) => Deno.dlopen(path, symbols),
};

const kernel32Loader = {
  LoadLibraryW: {
    parameters: [
      "buffer", // LPCWSTR lpLibFileName
    ],
    result: "u64", // HMODULE
  },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * The path of a DLL in System32. It is always absolute: the working directory of
 * a shim is its bundle, and a bare name would be looked up there.
 *
 * @throws {ShimError} FailedPrecondition when `%SystemRoot%` is not an absolute path;
 * InvalidArgument when the path of an override is not.
 */
export function systemDllPath(name: string, opener: DllOpener): string {
  const replaced = opener.override?.(name);
  if (replaced !== undefined) {
    if (isAbsoluteWindowsPath(replaced)) return replaced;
    throw new ShimError(
      "InvalidArgument",
      `${overrideVariable} names "${replaced}" for ${name}, which is not an absolute path`,
    );
  }
  const root = opener.systemRoot() ?? "";
  if (!isAbsoluteWindowsPath(root)) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot find ${name}: the environment variable SystemRoot is "${root}", not an absolute path. Start the shim with the environment of the machine`,
    );
  }
  return joinWindowsPath(root, "System32", name);
}

/**
 * A DLL of System32 whose symbols are looked up once, at first use, so that
 * every module can be imported on every system.
 *
 * A DLL that runs threads of its own must be pinned: when the program ends, Deno
 * unloads what it opened, and a thread that still runs in there takes the
 * process down. The pin is one more reference that nobody gives back.
 */
export class SystemDll<const S extends Deno.ForeignLibraryInterface> {
  /** File name, for example `vmcompute.dll`. */
  readonly name: string;
  readonly #interface: S;
  readonly #opener: DllOpener;
  readonly #pin: boolean;
  readonly #hint: string;
  #symbols: Deno.StaticForeignLibraryInterface<S> | undefined;

  /**
   * @param name File name in System32.
   * @param symbols What is used of it.
   * @param options `pin` for DLLs with threads; `hint` says what to install when it is missing.
   */
  constructor(
    name: string,
    symbols: S,
    options: {
      readonly pin?: boolean;
      readonly hint?: string;
      readonly opener?: DllOpener | undefined;
    } = {},
  ) {
    this.name = name;
    this.#interface = symbols;
    this.#pin = options.pin ?? false;
    this.#hint = options.hint ?? "";
    this.#opener = options.opener ?? systemOpener;
  }

  /**
   * Its symbols; an optional one that this version of the DLL lacks is null.
   *
   * @throws {ShimError} FailedPrecondition when it cannot be loaded.
   */
  get symbols(): Deno.StaticForeignLibraryInterface<S> {
    return this.#symbols ??= this.#open();
  }

  #open(): Deno.StaticForeignLibraryInterface<S> {
    const path = systemDllPath(this.name, this.#opener);
    try {
      const { symbols } = this.#opener.open(path, this.#interface);
      if (this.#pin) this.#pinModule(path);
      return symbols;
    } catch (cause) {
      const hint = this.#hint === "" ? "" : `. ${this.#hint}`;
      throw new ShimError(
        "FailedPrecondition",
        `Cannot load ${path}: ${messageOf(cause)}${hint}`,
        { cause },
      );
    }
  }

  #pinModule(path: string): void {
    const kernel32 = systemDllPath("kernel32.dll", this.#opener);
    const { symbols } = this.#opener.open(kernel32, kernel32Loader);
    if (symbols.LoadLibraryW(encodeUtf16(path)) === 0n) {
      throw new ShimError("Internal", "LoadLibraryW could not pin it");
    }
  }
}
