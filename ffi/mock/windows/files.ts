/**
 * Files of the pretended Windows: their paths, who may open them, and what
 * children write to them.
 *
 * @module
 */

import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { encodeUtf16 } from "../../windows/library/utf16.ts";
import type { AccessEntry } from "./access_list.ts";
import { readParameter } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import type { KernelObject } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import { bytesOf } from "./memory.ts";
import { securityOf } from "./security.ts";

/** `ERROR_FILE_NOT_FOUND`. */
const fileNotFound = 2;

/** `ERROR_PATH_NOT_FOUND`. */
const pathNotFound = 3;

/** `ERROR_ALREADY_EXISTS`. */
const alreadyExists = 183;

/** `CREATE_ALWAYS`. */
const createAlways = 2;

/** Final paths of a file, by the flags they are asked with; a number is a failure. */
export type FinalPaths = Readonly<Record<number, string | number>>;

/** One file. */
export interface FileContent {
  /** Its text. */
  text: string;
  /** Its final paths. */
  readonly paths: FinalPaths;
  /** Who may open it; null: everybody. */
  access: readonly AccessEntry[] | null;
  /** SID of its owner. */
  owner: string;
}

/** The system (S-1-5-18) may do everything (`FILE_ALL_ACCESS`). */
const systemOnly: readonly AccessEntry[] = [
  { sid: "S-1-5-18", access: 0x1f_01ff },
];

/** An open file. */
export class FakeFile implements KernelObject {
  /** See {@linkcode KernelObject.kind}. */
  readonly kind = "file";
  /** What is in it. */
  readonly content: FileContent;
  /** See {@linkcode KernelObject.isInheritable}. */
  readonly isInheritable: boolean;

  /** @param content What is in it. */
  constructor(content: FileContent, isInheritable: boolean) {
    this.content = content;
    this.isInheritable = isInheritable;
  }

  /** Nothing happens: the file stays. */
  close(): void {}
}

/** All files. */
export class FakeFiles {
  readonly #files = new Map<string, FileContent>();

  /** Puts a file there. */
  add(path: string, paths: FinalPaths = {}): void {
    this.#files.set(path.toLowerCase(), {
      text: "",
      paths,
      access: systemOnly,
      owner: "S-1-5-18",
    });
  }

  /** `CreateDirectoryW`. @throws {CallFailure} When something is there. */
  makeFolder(path: string, owner: string): void {
    if (this.#files.has(path.toLowerCase())) {
      throw new CallFailure(alreadyExists);
    }
    this.add(path);
    this.find(path).owner = owner;
  }

  /** What is in a file. @throws {Deno.errors.NotFound} */
  text(path: string): string {
    const file = this.#files.get(path.toLowerCase());
    if (file !== undefined) return file.text;
    throw new Deno.errors.NotFound(`${path} is not there`);
  }

  /** One file. @throws {CallFailure} When it is not there. */
  find(path: string): FileContent {
    const file = this.#files.get(path.toLowerCase());
    if (file === undefined) throw new CallFailure(fileNotFound);
    return file;
  }

  /** `CreateFileW`. @throws {CallFailure} */
  open(path: string, disposition: number, isInheritable: boolean): FakeFile {
    if (disposition === createAlways) this.add(path);
    return new FakeFile(this.find(path), isInheritable);
  }
}

/** The SIDs that a descriptor may name as the owner. */
const owners: ReadonlyMap<string, string> = new Map([
  ["O:BA", "S-1-5-32-544"],
]);

/** The symbols that make folders and tell final paths. */
export function fileSymbols(
  kernel: FakeKernel,
  files: FakeFiles,
): Pick<Kernel32Symbols, "CreateDirectoryW" | "GetFinalPathNameByHandleW"> {
  const { calls, handles } = kernel;
  const symbol = "GetFinalPathNameByHandleW";
  return {
    CreateDirectoryW: (name, attributes) =>
      calls.run("CreateDirectoryW", 0, () => {
        const sddl = securityOf(kernel, attributes);
        const owner = owners.get(sddl.slice(0, 4));
        if (owner === undefined) kernel.misuse.push(`A folder without ${sddl}`);
        files.makeFolder(readParameter(name), owner ?? "");
        return 1;
      }),
    [symbol]: (handle, buffer, size, flags) =>
      calls.run(symbol, 0, () => {
        const { content } = handles.find(symbol, handle, FakeFile);
        const path = content.paths[flags] ?? pathNotFound;
        if (typeof path === "number") throw new CallFailure(path);
        const units = encodeUtf16(path);
        if (units.length > size) return units.length;
        bytesOf(buffer).set(new Uint8Array(units.buffer));
        return path.length;
      }),
  };
}
