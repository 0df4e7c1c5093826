/**
 * The folders that the containers of a pod share
 * (`spec/guest-runtime.md` 5.1, steps 12 to 15).
 *
 * @module
 */

import type { Logger } from "../../base/log.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { bindMount, mount, MountFlag } from "../../ffi/linux/mount.ts";
import { refuseLinks } from "../storage/paths.ts";
import { sweepMounts } from "../storage/unmount.ts";
import { makeOpenFolder, podFiles } from "./pod_files.ts";

/** Makes and removes the shared folders of a pod. */
export interface SandboxMounts {
  /**
   * Makes them.
   *
   * @param root Root of the sandbox.
   */
  make(root: string): Promise<void>;
  /** Unmounts and removes them. Failures are logged. */
  remove(root: string): Promise<void>;
}

/** Mounted so that what a container mounts there reaches the others. */
async function share(path: string): Promise<void> {
  await bindMount(path, path);
  const flags = MountFlag.Shared | MountFlag.Recursive;
  await mount({ source: "", target: path, flags });
}

/** The shared folders in the VM itself. */
export function kernelSandboxMounts(log: Logger): SandboxMounts {
  return {
    async make(root) {
      const files = podFiles(root);
      // A disk that is mounted over the root may hold links.
      for (const path of Object.values(files)) await refuseLinks(path);
      const { sandboxMounts, sandboxTmpfsMounts, hugepages, logs } = files;
      for (const path of [sandboxMounts, sandboxTmpfsMounts, hugepages]) {
        await Deno.mkdir(path, { recursive: true, mode: 0o755 });
        if (path === sandboxTmpfsMounts) await mountMemory(path);
        await share(path);
      }
      await makeOpenFolder(logs);
    },
    async remove(root) {
      const { sandboxMounts, sandboxTmpfsMounts, hugepages } = podFiles(root);
      for (const path of [sandboxMounts, sandboxTmpfsMounts, hugepages]) {
        await sweepMounts(path, { log });
      }
    },
  };
}

async function mountMemory(path: string): Promise<void> {
  try {
    await mount({ source: "tmpfs", target: path, type: "tmpfs" });
  } catch (error) {
    if (!isErrno(error, "EBUSY")) throw error;
  }
}
