/**
 * The folders that the containers of a pod share
 * (`spec/guest-runtime.md` 5.1, steps 12 to 15).
 *
 * @module
 */

import type { Logger } from "../../base/log.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { bindMount, mount, MountFlag } from "../../ffi/linux/mount.ts";
import { sweepMounts } from "../storage/unmount.ts";
import { makeOpenFolder, sandboxFolders } from "./mounts.ts";

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
  const { mounts, tmpfsMounts, hugepages, logs } = sandboxFolders;
  return {
    async make(root) {
      await Deno.mkdir(`${root}/${mounts}`, { recursive: true, mode: 0o755 });
      await share(`${root}/${mounts}`);
      const tmpfs = `${root}/${tmpfsMounts}`;
      await Deno.mkdir(tmpfs, { recursive: true, mode: 0o755 });
      try {
        await mount({ source: "tmpfs", target: tmpfs, type: "tmpfs" });
      } catch (error) {
        if (!isErrno(error, "EBUSY")) throw error;
      }
      await share(tmpfs);
      const pages = `${root}/${hugepages}`;
      await Deno.mkdir(pages, { recursive: true, mode: 0o755 });
      await share(pages);
      await makeOpenFolder(`${root}/${logs}`);
    },
    async remove(root) {
      for (const name of [mounts, tmpfsMounts, hugepages]) {
        await sweepMounts(`${root}/${name}`, { log });
      }
    },
  };
}
