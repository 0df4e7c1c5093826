/**
 * Layers of a container on Linux: containerd's rootfs mounts become disks, each
 * a directory or an image.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { Disk, LayerSet, LayerSource, RootfsMount } from "../hcs/ports.ts";

/** What a mount says, before anything is looked up. */
interface Plan {
  /** Read-only layers, topmost first. */
  readonly layers: readonly string[];
  /** Directory over the layers that counts only when it holds something. */
  readonly upper?: string;
  /** Directory for the writable disk; without one the bundle gets it. */
  readonly scratch?: string;
}

const imageTypes = ["ext4", "erofs"];

function invalid(mount: RootfsMount, problem: string): ShimError {
  return new ShimError(
    "InvalidArgument",
    `Cannot use the ${mount.type} rootfs mount: ${problem}`,
  );
}

/** Splits `lowerdir=a:b`; a backslash keeps a colon, as overlayfs reads it. */
function splitDirectories(text: string): string[] {
  return text.split(/(?<!\\):/).map((part) => part.replaceAll("\\:", ":"));
}

function overlayPlan(mount: RootfsMount): Plan {
  const values = new Map<string, string>();
  for (const option of mount.options) {
    const at = option.indexOf("=");
    if (at < 0) continue;
    const name = option.slice(0, at);
    if (!["lowerdir", "upperdir", "workdir"].includes(name)) continue;
    if (values.has(name)) throw invalid(mount, `option "${name}" stands twice`);
    values.set(name, option.slice(at + 1));
  }
  const lower = values.get("lowerdir");
  if (!lower) throw invalid(mount, 'option "lowerdir" is missing');
  const upper = values.get("upperdir");
  const work = values.get("workdir");
  if ((upper === undefined) !== (work === undefined)) {
    throw invalid(mount, '"upperdir" and "workdir" go together');
  }
  return {
    layers: splitDirectories(lower),
    ...(upper === undefined ? {} : { upper }),
    ...(work === undefined ? {} : { scratch: work }),
  };
}

function mountPlan(mount: RootfsMount): Plan {
  if (mount.target !== "") {
    throw invalid(mount, `target "${mount.target}" must be empty`);
  }
  if (mount.type === "overlay") return overlayPlan(mount);
  const isBind = mount.type === "bind" ||
    mount.options.some((option) => option === "bind" || option === "rbind");
  if (!isBind && !imageTypes.includes(mount.type)) {
    throw invalid(
      mount,
      "this host takes overlay, bind, ext4 and erofs mounts",
    );
  }
  if (mount.source === "") throw invalid(mount, "it has no source");
  return { layers: [mount.source] };
}

/**
 * Reads what a create request says of its root file system.
 *
 * @throws {ShimError} InvalidArgument or FailedPrecondition; nothing was looked
 * up yet.
 */
export function layerPlan(source: LayerSource): Plan {
  if (source.layerFolders.length > 0) {
    throw new ShimError(
      "FailedPrecondition",
      "Cannot use windows.layerFolders on a Linux host: give rootfs mounts",
    );
  }
  const [mount, ...more] = source.rootfs;
  if (mount === undefined) {
    if (source.rootPath.startsWith("/")) return { layers: [source.rootPath] };
    throw new ShimError(
      "FailedPrecondition",
      "The container has no root file system: neither rootfs mounts nor an absolute root.path",
    );
  }
  if (more.length > 0) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot use ${more.length + 1} rootfs mounts: expected exactly one`,
    );
  }
  return mountPlan(mount);
}

async function kindOf(path: string): Promise<"directory" | "file"> {
  if (!path.startsWith("/")) {
    throw new ShimError(
      "InvalidArgument",
      `Layer "${path}" is not an absolute path`,
    );
  }
  try {
    return (await Deno.stat(path)).isDirectory ? "directory" : "file";
  } catch (cause) {
    if (
      cause instanceof Deno.errors.NotFound ||
      cause instanceof Deno.errors.NotADirectory
    ) {
      throw new ShimError("NotFound", `Layer "${path}" not found`, { cause });
    }
    throw cause;
  }
}

async function requireDirectory(path: string): Promise<void> {
  if (await kindOf(path) === "directory") return;
  throw new ShimError("InvalidArgument", `"${path}" is not a directory`);
}

async function isEmpty(path: string): Promise<boolean> {
  await requireDirectory(path);
  for await (const _entry of Deno.readDir(path)) return false;
  return true;
}

function disk(path: string): Disk {
  return { path, type: "VirtualDisk", partition: 0 };
}

/**
 * Translates the root file system of a container into disks: read-only layers,
 * topmost first, and a writable one. Makes `<bundle>/scratch` when the mount
 * brings no writable directory of its own.
 *
 * @throws {ShimError} InvalidArgument, FailedPrecondition or NotFound naming
 * option or path.
 */
export async function linuxLayers(source: LayerSource): Promise<LayerSet> {
  const plan = layerPlan(source);
  const isOverlay = source.rootfs[0]?.type === "overlay";
  for (const layer of plan.layers) {
    if (isOverlay) await requireDirectory(layer);
    else await kindOf(layer);
  }
  const upper = plan.upper !== undefined && !await isEmpty(plan.upper)
    ? [plan.upper]
    : [];
  const scratch = plan.scratch ?? `${source.bundle}/scratch`;
  if (plan.scratch === undefined) {
    await Deno.mkdir(scratch, { recursive: true, mode: 0o711 });
  } else {
    await requireDirectory(scratch);
  }
  return {
    readOnly: [...upper, ...plan.layers].map(disk),
    scratch: disk(scratch),
  };
}
