/**
 * Opens pretended DLLs by their path.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type DllOpener, systemDllPath } from "../windows/library/dll.ts";

/** Records what is opened, and answers with functions of a test. */
export class FakeOpener implements DllOpener {
  /** Paths, in order. */
  readonly opened: string[] = [];
  readonly #dlls: Readonly<Record<string, Readonly<Record<string, unknown>>>>;

  /** @param dlls Functions by the name of their DLL; others cannot be loaded. */
  constructor(
    dlls: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) {
    this.#dlls = dlls;
  }

  /** Where Windows is. */
  systemRoot(): string {
    return "C:\\Windows";
  }

  /** Gives the functions of a DLL. @throws {ShimError} NotFound when it has none. */
  open<const S extends Deno.ForeignLibraryInterface>(
    path: string,
    _symbols: S,
  ): Deno.DynamicLibrary<S> {
    this.opened.push(path);
    const [, symbols] = Object.entries(this.#dlls)
      .find(([name]) => systemDllPath(name, this) === path) ?? [];
    if (symbols === undefined) {
      throw new ShimError("NotFound", "Module not found");
    }
    // The test vouches for its functions: their types depend on `_symbols`.
    return { symbols, close: () => {} } as unknown as Deno.DynamicLibrary<S>;
  }
}
