/**
 * A `virtdisk.dll` whose answers a test writes down, which knows the sizes of its
 * disks, and which keeps account of what its user does.
 *
 * @module
 */

import type {
  VirtDiskLibrary,
  VirtDiskSymbols,
} from "../windows/library/virtdisk.ts";
import {
  createParameters,
  diskInfo,
  openParameters,
  resizeParameters,
  storageType,
} from "../windows/library/virtdisk.ts";
import { readBytes, readParameter as text, writeOut } from "./heap.ts";
import { ScriptedLibrary } from "./scripted_library.ts";

type Memory = AllowSharedBufferSource | null;

const fileNotFound = 2;
const fileExists = 80;

function view(memory: Memory, size: number): DataView {
  return new DataView(readBytes(memory, size).buffer);
}

function hex(memory: Memory, size: number): string {
  return readBytes(memory, size).toHex();
}

/**
 * The scripted DLL. Calls without a script do what they should to pretended disks;
 * `hresult` of a script is a Win32 code here. Structures are recorded as hex.
 *
 * @example A full volume
 * ```ts
 * import { ScriptedVirtDisk } from "./scripted_virtdisk.ts";
 * const library = new ScriptedVirtDisk();
 * library.on("CreateVirtualDisk", { hresult: 112 });
 * ```
 */
export class ScriptedVirtDisk extends ScriptedLibrary<VirtDiskSymbols>
  implements VirtDiskLibrary {
  /** Name for error messages. */
  readonly dll = "virtdisk.dll";
  /** Size of each disk in bytes, by its path. */
  readonly disks: Map<string, bigint> = new Map();
  readonly #paths = new Map<bigint, string>();

  /** Makes the table. */
  protected override makeSymbols(): VirtDiskSymbols {
    return {
      CreateVirtualDisk: async (
        type,
        path,
        access,
        security,
        flags,
        more,
        parameters,
        overlapped,
        handle,
      ) => {
        if (security !== null) this.misuse.push("a security descriptor");
        if (BigInt(overlapped) !== 0n) this.misuse.push("an OVERLAPPED");
        const name = text(path);
        const { size, maximumSize } = createParameters;
        const code = await this.#open(
          "CreateVirtualDisk",
          name,
          [
            hex(type, storageType.size),
            BigInt(access),
            BigInt(flags),
            BigInt(more),
            hex(parameters, size),
          ],
          handle,
          this.disks.has(name) ? fileExists : 0,
        );
        if (code === 0) {
          const bytes = view(parameters, size).getBigUint64(maximumSize, true);
          this.disks.set(name, bytes);
        }
        return code;
      },
      OpenVirtualDisk: (type, path, access, flags, parameters, handle) => {
        const name = text(path);
        return this.#open(
          "OpenVirtualDisk",
          name,
          [
            hex(type, storageType.size),
            BigInt(access),
            BigInt(flags),
            hex(parameters, openParameters.size),
          ],
          handle,
          this.disks.has(name) ? 0 : fileNotFound,
        );
      },
      ResizeVirtualDisk: async (disk, flags, parameters, overlapped) => {
        if (BigInt(overlapped) !== 0n) this.misuse.push("an OVERLAPPED");
        const handle = BigInt(disk);
        const { size, newSize } = resizeParameters;
        const args = [handle, BigInt(flags), hex(parameters, size)];
        const uses = [handle];
        const code = await this.reply("ResizeVirtualDisk", args, { uses });
        if (code === 0) {
          const bytes = view(parameters, size).getBigUint64(newSize, true);
          this.disks.set(this.#paths.get(handle) ?? "", bytes);
        }
        return code >>> 0;
      },
      GetVirtualDiskInformation: async (disk, room, info, used) => {
        if (used !== null) this.misuse.push("a size used");
        const handle = BigInt(disk);
        const args = [
          handle,
          BigInt(view(room, 4).getUint32(0, true)),
          hex(info, diskInfo.size),
        ];
        const uses = [handle];
        const code = await this.reply("GetVirtualDiskInformation", args, {
          uses,
        });
        const size = this.disks.get(this.#paths.get(handle) ?? "") ?? 0n;
        if (code === 0) writeOut(info, size, diskInfo.virtualSize);
        return code >>> 0;
      },
      CloseHandle: async (disk) => {
        const handle = BigInt(disk);
        const parameters = { uses: [handle], closes: true };
        const code = await this.reply("CloseHandle", [handle], parameters);
        return code === 0 ? 1 : 0;
      },
    };
  }

  /** Every other code than 0 is a failure. */
  protected override succeeds(code: number): boolean {
    return code === 0;
  }

  async #open(
    symbol: "CreateVirtualDisk" | "OpenVirtualDisk",
    path: string,
    args: readonly (string | bigint)[],
    handle: Memory,
    usual: number,
  ): Promise<number> {
    const out = new BigUint64Array(1);
    const code = await this.reply(symbol, [path, ...args], {
      handle: out,
      usual: { hresult: usual },
    });
    const made = out[0] ?? 0n;
    if (made !== 0n) {
      this.#paths.set(made, path);
      writeOut(handle, made);
    }
    return code >>> 0;
  }
}
