/**
 * The root file system of a container: layers, and above them a scratch
 * (`spec/guest-runtime.md` 14.4).
 *
 * @module
 */

import { statfs } from "node:fs/promises";
import { ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { CombinedLayers } from "../../bridge/messages.gen.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import { bindMount, maxMountData, MountFlag } from "../../ffi/linux/mount.ts";
import { Rollback } from "../rollback.ts";
import { kernelMounts, type MountPorts } from "./mount_ports.ts";
import { isInside, parentOf, refuseLinks, requirePath } from "./paths.ts";
import { removeEmptyPod, removeTree } from "./unmount.ts";

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

/** What {@linkcode combineLayers} calls; tests replace it. */
export interface OverlayPorts extends MountPorts {
  /** Binds a folder over another. */
  readonly bind: (source: string, target: string) => Promise<void>;
  /** Bytes and inodes that are left where a path lies. */
  readonly free: (path: string) => Promise<{ bytes: number; inodes: number }>;
}

/** The kernel. */
export function kernelOverlay(log: Logger): OverlayPorts {
  return {
    ...kernelMounts(log),
    bind: (source, target) => bindMount(source, target),
    async free(path) {
      const { bavail, bsize, ffree } = await statfs(path);
      return { bytes: bavail * bsize, inodes: ffree };
    },
  };
}

/** Layers, scratch and root of a container. */
export interface Overlay {
  /** Where it is mounted. */
  readonly root: string;
  /** Folders, the topmost first. */
  readonly layers: readonly string[];
  /** Holds `upper` and `work`; without it the result is read-only. */
  readonly scratch: string;
}

/**
 * Reads the settings of the host.
 *
 * @throws {ShimError} InvalidArgument for paths that are not right.
 */
export function parseOverlay(settings: CombinedLayers): Overlay {
  const { ContainerRootPath = "", ScratchPath = "", Layers = [] } = settings;
  if (ContainerRootPath === "") {
    throw new ShimError(
      "InvalidArgument",
      "Cannot combine layers: cannot have empty target (ContainerRootPath)",
    );
  }
  const root = requirePath(ContainerRootPath, "ContainerRootPath");
  const layers = Layers.map(({ Path = "" }) => requirePath(Path, "layer"));
  const scratch = ScratchPath === ""
    ? ""
    : requirePath(ScratchPath, "ScratchPath");
  return { root, layers, scratch };
}

/** Commas and backslashes end an option, colons a layer. */
function escapeOption(path: string): string {
  return path.replaceAll(/[\\,]/g, "\\$&");
}

function escapeLayer(path: string): string {
  return path.replaceAll(/[\\,:]/g, "\\$&");
}

/** Options of an overlay. Layers and, if it can be written, upper and work. */
function overlayOptions(
  layers: readonly string[],
  writable: readonly string[],
): string {
  const names = ["upperdir", "workdir"];
  return [
    `lowerdir=${layers.map(escapeLayer).join(":")}`,
    ...writable.map((path, i) => `${names[i]}=${escapeOption(path)}`),
  ].join(",");
}

/** Where links with short names are made: memory in every VM. */
const linksParent = "/run";

/** Makes a folder with a name as short as possible. */
async function shortFolder(parent: string): Promise<string> {
  for (let i = 0;; i++) {
    const path = `${parent}/${i.toString(36)}`;
    try {
      await Deno.mkdir(path, { mode: 0o700 });
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/**
 * Runs a mount whose options fit into the page that mount(2) takes. When the
 * paths are too long for it, links with short names stand for them meanwhile;
 * that is enough for some 400 layers (the kernel takes 500).
 *
 * @param parent Folder for the links.
 * @throws {ShimError} ResourceExhausted for more.
 */
export async function withShortOptions(
  layers: readonly string[],
  writable: readonly string[],
  task: (data: string) => Promise<void>,
  parent: string = linksParent,
): Promise<void> {
  const plain = overlayOptions(layers, writable);
  if (fits(plain)) return await task(plain);
  const folder = await shortFolder(parent);
  try {
    const paths = [...layers, ...writable];
    const links = paths.map((_, i) => `${folder}/${i.toString(36)}`);
    const short = overlayOptions(
      links.slice(0, layers.length),
      links.slice(layers.length),
    );
    if (!fits(short)) {
      throw new ShimError(
        "ResourceExhausted",
        `Cannot combine ${layers.length} layers: their names do not fit into ` +
          "the options of a mount. Merge some of them",
      );
    }
    for (const [i, path] of paths.entries()) {
      await Deno.symlink(path, links[i]!);
    }
    await task(short);
  } finally {
    await removeTree(folder);
  }
}

const fits = (data: string): boolean =>
  new TextEncoder().encode(data).length <= maxMountData;

/**
 * Combines layers and scratch at a container's root.
 *
 * @returns The bundle, when a folder of the scratch was bound over it.
 * @throws {ShimError} When a mount fails; nothing that was made stays.
 */
export async function combineLayers(
  overlay: Overlay,
  log: Logger,
  ports: OverlayPorts,
): Promise<string | undefined> {
  const { root, layers, scratch } = overlay;
  if (layers.length === 0) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot mount an overlay at "${root}": it has no layers`,
    );
  }
  const writable = scratch === "" ? [] : ["upper", "work"]
    .map((name) => `${scratch}/${name}`);
  for (const path of [...layers, ...writable, root]) await refuseLinks(path);
  const rollback = new Rollback(log);
  const folder = async (path: string): Promise<void> => {
    if (!await makeScratchFolder(path, ports)) return;
    rollback.add(`folder ${path}`, () => ports.removeFolder(path));
  };
  const bundle = parentOf(root);
  const source = bundleOnScratch(bundle, scratch);
  try {
    if (source !== undefined) {
      await refuseLinks(source);
      await folder(source);
      await folder(bundle);
      await ports.bind(source, bundle);
      rollback.add(`mount ${bundle}`, () => ports.undoMount(bundle));
    }
    for (const path of [...writable, root]) await folder(path);
    const flags = scratch === "" ? MountFlag.ReadOnly : 0n;
    await withShortOptions(layers, writable, (data) =>
      ports.mount({
        source: "overlay",
        target: root,
        type: "overlay",
        flags,
        data,
      }));
    return source === undefined ? undefined : bundle;
  } catch (error) {
    await rollback.run();
    throw error;
  }
}

/** Makes a folder; a full disk is told with what is left on it. */
async function makeScratchFolder(
  path: string,
  ports: OverlayPorts,
): Promise<boolean> {
  try {
    return await ports.makeFolder(path, 0o755);
  } catch (cause) {
    if (!isErrno(cause, "ENOSPC")) throw cause;
    const { bytes, inodes } = await ports.free(parentOf(path));
    throw new ShimError(
      "ResourceExhausted",
      `Cannot make folder "${path}": no space is left (${bytes} bytes and ` +
        `${inodes} inodes are free)`,
      { cause },
    );
  }
}

/**
 * Takes the root of a container apart. A missing one is a success.
 *
 * @param bundle What {@linkcode combineLayers} bound, unless a container uses it.
 */
export async function separateLayers(
  root: string,
  bundle: string | undefined,
  ports: MountPorts,
): Promise<void> {
  for (const place of bundle === undefined ? [root] : [root, bundle]) {
    await ports.unmount(place);
    await ports.removeFolder(place);
  }
  if (bundle !== undefined) await removeEmptyPod(bundle);
}
