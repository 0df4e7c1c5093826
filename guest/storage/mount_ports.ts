/**
 * Mounting and unmounting as ports.
 *
 * @module
 */

import type { Logger } from "../../base/log.ts";
import { mount, unmount } from "../../ffi/linux/mount.ts";
import { makeFolder } from "./paths.ts";
import { removeMountPoint, unmountAll } from "./unmount.ts";

/** What every mount needs; tests replace single functions. */
export interface MountPorts {
  /** mount(2). */
  readonly mount: typeof mount;
  /** Unmounts everything that is mounted on a place. */
  readonly unmount: (target: string) => Promise<void>;
  /** Takes one mount back: what was mounted there before stays. */
  readonly undoMount: (target: string) => Promise<unknown>;
  /** Makes a folder with those above it; false when it existed. */
  readonly makeFolder: (path: string, mode: number) => Promise<boolean>;
  /** Removes a mount point. */
  readonly removeFolder: (path: string) => Promise<void>;
}

/** The kernel. */
export function kernelMounts(log: Logger): MountPorts {
  return {
    mount,
    unmount: (target) => unmountAll(target, { log }),
    undoMount: (target) => unmount(target),
    makeFolder,
    removeFolder: removeMountPoint,
  };
}
