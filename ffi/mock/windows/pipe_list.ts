/**
 * The list of pipes of the pretended Windows.
 *
 * @module
 */

import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { encodeUtf16 } from "../../windows/library/utf16.ts";
import { readParameter } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import type { KernelObject } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import { bytesOf } from "./memory.ts";
import type { FakePipes } from "./pipes.ts";

const ok = 1;
const failed = 0;
const invalidHandle = 0xffff_ffff_ffff_ffffn;

/** Codes of `winerror.h`. */
const fileNotFound = 2;
const noMoreFiles = 18;

const folder = "\\\\.\\pipe\\";

class Search implements KernelObject {
  readonly kind = "search";
  readonly names: Iterator<string>;
  constructor(names: readonly string[]) {
    this.names = names.values();
  }
  /** Writes the next name. @throws {CallFailure} With `atEnd`. */
  next(data: AllowSharedBufferSource | null, atEnd: number): void {
    const { value, done } = this.names.next();
    if (done === true) throw new CallFailure(atEnd);
    const name = encodeUtf16(value.slice(folder.length));
    // What stood behind a longer name stays behind the NUL.
    bytesOf(data).set(new Uint8Array(name.buffer), 44);
  }
  close(): void {}
}

/** The symbols of `kernel32.dll` that list pipes. */
export function pipeListSymbols(
  { calls, handles }: FakeKernel,
  pipes: FakePipes,
): Pick<Kernel32Symbols, "FindFirstFileW" | "FindNextFileW" | "FindClose"> {
  return {
    FindFirstFileW: (pattern, data) =>
      calls.run("FindFirstFileW", invalidHandle, () => {
        if (readParameter(pattern) !== `${folder}*`) {
          throw new CallFailure(fileNotFound);
        }
        const search = new Search(pipes.names);
        search.next(data, fileNotFound);
        return handles.add(search);
      }),
    FindNextFileW: (handle, data) =>
      calls.run("FindNextFileW", failed, () => {
        handles.find("FindNextFileW", handle, Search).next(data, noMoreFiles);
        return ok;
      }),
    FindClose: (handle) =>
      calls.run("FindClose", failed, () => {
        handles.close(
          "FindClose",
          handle,
          (object) => object instanceof Search,
        );
        return ok;
      }),
  };
}
