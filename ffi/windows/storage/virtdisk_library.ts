/**
 * The real `virtdisk.dll`.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "../library/dll.ts";
import {
  diskHandleInterface,
  virtDiskInterface,
  type VirtDiskLibrary,
} from "../library/virtdisk.ts";

/**
 * The DLL for virtual disks of this machine. Nothing is loaded before the first
 * call. It is pinned, because the providers that it loads may run threads.
 *
 * @param opener How DLLs are opened; tests replace it.
 */
export function systemVirtDisk(opener?: DllOpener): VirtDiskLibrary {
  const virtdisk = new SystemDll("virtdisk.dll", virtDiskInterface, {
    opener,
    pin: true,
  });
  const kernel32 = new SystemDll("kernel32.dll", diskHandleInterface, {
    opener,
  });
  return {
    dll: virtdisk.name,
    get symbols() {
      return { ...virtdisk.symbols, ...kernel32.symbols };
    },
    memory: { lstrlenW: () => 0, free: () => {} },
  };
}
