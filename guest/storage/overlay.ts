/**
 * The root file system of a container: layers, and above them a scratch
 * (`spec/guest-runtime.md` 14.4).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { CombinedLayers } from "../../bridge/messages.gen.ts";
import { bindMount, mount, MountFlag } from "../../ffi/linux/mount.ts";
import { Rollback } from "../rollback.ts";
import { removeTree, unmountAll } from "./unmount.ts";

/** Folder that holds `path`. */
export function parentOf(path: string): string {
  return path.replace(/\/+$/, "").replace(/\/[^/]*$/, "") || "/";
}

/** True when `path` is `folder` or lies in it, component by component. */
export function isInside(path: string, folder: string): boolean {
  const base = folder.replace(/\/+$/, "");
  return path.replace(/\/+$/, "") === base || path.startsWith(`${base}/`);
}

/**
 * The folder of the scratch that is bound over a container's bundle, so that
 * what is written there does not fill the VM's memory; undefined when the
 * scratch lies in the bundle itself.
 */
export function bundleOnScratch(
  bundle: string,
  scratch: string,
): string | undefined {
  if (scratch === "" || isInside(scratch, bundle)) return undefined;
  return `${scratch}/bundle`;
}

/** Makes a folder; tells whether it did not exist. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(path, { recursive: true, mode: 0o755 });
  return true;
}

/** What {@linkcode OverlayMounts} calls; tests replace it. */
export interface OverlayPorts {
  /** mount(2). */
  readonly mount: typeof mount;
  /** Binds a folder over another. */
  readonly bind: (source: string, target: string) => Promise<void>;
}

const kernel: OverlayPorts = {
  mount,
  bind: (source, target) => bindMount(source, target),
};

/**
 * Mounts an overlay. Folders that it made go away when it fails.
 *
 * @param layers Folders, the topmost first.
 * @param target Where; made when missing.
 * @param scratch Holds `upper` and `work`; without it the result is read-only.
 */
export async function mountOverlay(
  layers: readonly string[],
  target: string,
  scratch: string,
  ports: OverlayPorts = kernel,
): Promise<void> {
  if (target === "") {
    throw new ShimError("InvalidArgument", "Overlay cannot have empty target");
  }
  const made: string[] = [];
  const folder = async (path: string): Promise<void> => {
    if (await makeFolder(path)) made.push(path);
  };
  try {
    let data = `lowerdir=${layers.map(escapeLayer).join(":")}`;
    if (scratch !== "") {
      await folder(`${scratch}/upper`);
      await folder(`${scratch}/work`);
      data += `,upperdir=${escapeOption(`${scratch}/upper`)}` +
        `,workdir=${escapeOption(`${scratch}/work`)}`;
    }
    await folder(target);
    const flags = scratch === "" ? MountFlag.ReadOnly : 0n;
    const source = "overlay";
    await ports.mount({ source, target, type: "overlay", flags, data });
  } catch (error) {
    for (const path of made.reverse()) await removeTree(path);
    throw error;
  }
}

/** Commas and backslashes end an option, colons a layer. */
function escapeOption(path: string): string {
  return path.replaceAll(/[\\,]/g, "\\$&");
}

function escapeLayer(path: string): string {
  return path.replaceAll(/[\\,:]/g, "\\$&");
}

/**
 * Combines layers and scratch at a container's root.
 *
 * @throws {ShimError} When a mount fails; nothing stays mounted.
 */
export async function combineLayers(
  settings: CombinedLayers,
  log: Logger,
  ports: OverlayPorts = kernel,
): Promise<void> {
  const {
    ContainerRootPath: root = "",
    ScratchPath: scratch = "",
    Layers = [],
  } = settings;
  if (root === "") {
    throw new ShimError(
      "InvalidArgument",
      "Cannot combine layers: cannot have empty target (ContainerRootPath)",
    );
  }
  const bundle = parentOf(root);
  const source = bundleOnScratch(bundle, scratch);
  if (source !== undefined) {
    await makeFolder(source);
    await makeFolder(bundle);
    await ports.bind(source, bundle);
  }
  try {
    const paths = Layers.map(({ Path = "" }) => Path);
    await mountOverlay(paths, root, scratch, ports);
  } catch (error) {
    const rollback = new Rollback(log);
    if (source !== undefined) {
      rollback.add(`mount ${bundle}`, () => unmountAll(bundle, { log }));
    }
    await rollback.run();
    throw error;
  }
}

/** Takes the root of a container apart. A missing one is a success. */
export async function separateLayers(
  settings: CombinedLayers,
  log: Logger,
): Promise<void> {
  const { ContainerRootPath: root = "" } = settings;
  if (root === "") {
    throw new ShimError(
      "InvalidArgument",
      "Cannot remove layers: cannot have empty target (ContainerRootPath)",
    );
  }
  await unmountAll(root, { remove: true, log });
}
