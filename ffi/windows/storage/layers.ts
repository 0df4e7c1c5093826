/**
 * Layers of a container on Windows: directories and disks that the snapshotter
 * prepared.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../../base/errors.ts";
import { type Json, parseJson } from "../../../base/json.ts";
import {
  isAbsoluteWindowsPath,
  joinWindowsPath,
} from "../../../base/windows_path.ts";
import type {
  Disk,
  LayerSet,
  LayerSource,
  RootfsMount,
} from "../../../hcs/ports.ts";
import { member } from "../library/document.ts";

/** Name of the disk in the directory of a read-only layer. */
const layerFile = "layer.vhd";

/** Name of the disk in the scratch directory. */
const scratchFile = "sandbox.vhdx";

/**
 * Size of a scratch disk that the shim makes itself, in bytes (the snapshotter's
 * default: 20 GB). It takes only the place of what is written to it.
 */
const scratchBytes = 20n * 1024n * 1024n * 1024n;

/** Makes a disk of a size in bytes; AlreadyExists when there is one. */
export type CreateDisk = (path: string, bytes: bigint) => Promise<void>;

/** What a create request says, before anything is looked up. */
interface Plan {
  readonly readOnly: readonly Disk[];
  readonly scratch: string;
}

function invalid(mount: RootfsMount, problem: string): ShimError {
  return new ShimError(
    "InvalidArgument",
    `Cannot use the ${mount.type} rootfs mount: ${problem}`,
  );
}

function precondition(problem: string): ShimError {
  return new ShimError("FailedPrecondition", problem);
}

function disk(path: string, partition = 0): Disk {
  return { path, type: "VirtualDisk", partition };
}

/** Disks in directories, as both the old and the ordinary form name them. */
function folderPlan(scratch: string, parents: readonly string[]): Plan {
  return {
    readOnly: parents.map((parent) => disk(joinWindowsPath(parent, layerFile))),
    scratch: joinWindowsPath(scratch, scratchFile),
  };
}

function jsonOption(mount: RootfsMount, name: string, text: string): Json[] {
  let value: Json;
  try {
    value = parseJson(text, `option "${name}"`);
  } catch (cause) {
    throw invalid(mount, messageOf(cause));
  }
  if (Array.isArray(value)) return value;
  throw invalid(mount, `option "${name}" is no list`);
}

function splitOption(option: string): [name: string, value: string] {
  const at = option.indexOf("=");
  return at < 0 ? [option, ""] : [option.slice(0, at), option.slice(at + 1)];
}

/** `lcow-layer`: the source is the scratch directory. */
function layerPlan(mount: RootfsMount): Plan {
  const name = "parentLayerPaths";
  const parents = mount.options.map(splitOption)
    .filter(([key]) => key === name)
    .flatMap(([, text]) => jsonOption(mount, name, text))
    .map((parent) => {
      if (typeof parent === "string" && parent !== "") return parent;
      throw invalid(mount, `option "${name}" holds something that is no path`);
    });
  if (parents.length === 0) {
    throw invalid(mount, `option "${name}" names no layer`);
  }
  if (mount.source === "") throw invalid(mount, "it has no source");
  return folderPlan(mount.source, parents);
}

/** `lcow-partitioned-layer`: disks by their own paths, several layers on one. */
function partitionedPlan(mount: RootfsMount): Plan {
  let scratch = "";
  const readOnly: Disk[] = [];
  for (const [name, value] of mount.options.map(splitOption)) {
    if (name === "scratch") scratch = value;
    else if (name === "parent-partitioned-layers") {
      for (const row of jsonOption(mount, name, value)) {
        readOnly.push(partitionedDisk(mount, row));
      }
    } else throw invalid(mount, `option "${name}" is not known`);
  }
  if (scratch === "") throw invalid(mount, 'option "scratch" is missing');
  if (readOnly.length === 0) {
    throw invalid(mount, 'option "parent-partitioned-layers" names no layer');
  }
  return { readOnly, scratch };
}

function partitionedDisk(mount: RootfsMount, row: Json): Disk {
  // hcsshim matches the names of members without regard to case.
  const path = member(row, "Path");
  const partition = member(row, "Partition") ?? 0;
  const isDisk = typeof path === "string" && path !== "" &&
    typeof partition === "number" && Number.isInteger(partition) &&
    partition >= 0;
  if (isDisk) return disk(path, partition);
  throw invalid(
    mount,
    `a layer is no {"Path": …, "Partition": …}: ${JSON.stringify(row)}`,
  );
}

const mountPlans: Readonly<Record<string, (mount: RootfsMount) => Plan>> = {
  "lcow-layer": layerPlan,
  "lcow-partitioned-layer": partitionedPlan,
};

function mountPlan(mount: RootfsMount): Plan {
  if (mount.target !== "") {
    throw precondition(
      `Cannot use the ${mount.type} rootfs mount: target "${mount.target}" must be empty`,
    );
  }
  const plan = Object.hasOwn(mountPlans, mount.type)
    ? mountPlans[mount.type]
    : undefined;
  if (plan !== undefined) return plan(mount);
  throw invalid(
    mount,
    `this host takes ${
      Object.keys(mountPlans).join(" and ")
    } mounts: is the snapshotter windows-lcow used?`,
  );
}

/**
 * Reads what a create request says of its root file system.
 *
 * @throws {ShimError} InvalidArgument or FailedPrecondition; nothing was looked
 * up yet.
 */
export function windowsLayerPlan(
  { rootfs, layerFolders }: LayerSource,
): Plan {
  if ((rootfs.length > 0) === (layerFolders.length > 0)) {
    throw precondition(
      `Expected either rootfs mounts or windows.layerFolders, found ${
        rootfs.length > 0 ? "both" : "neither"
      }`,
    );
  }
  if (rootfs.length > 1) {
    throw precondition(
      `Cannot use ${rootfs.length} rootfs mounts: expected exactly one`,
    );
  }
  const plan = rootfs[0] === undefined
    ? layerFoldersPlan(layerFolders)
    : mountPlan(rootfs[0]);
  for (const path of [...plan.readOnly.map(({ path }) => path), plan.scratch]) {
    if (isAbsoluteWindowsPath(path)) continue;
    throw new ShimError(
      "InvalidArgument",
      `Layer "${path}" is not an absolute path`,
    );
  }
  return plan;
}

function layerFoldersPlan(folders: readonly string[]): Plan {
  const scratch = folders.at(-1);
  if (scratch === undefined || folders.length < 2) {
    throw precondition(
      `Cannot use ${folders.length} windows.layerFolders: expected at least one layer and the scratch directory`,
    );
  }
  return folderPlan(scratch, folders.slice(0, -1));
}

/**
 * Translates the root file system of a container into disks. A scratch disk that
 * is not there is made, empty: the guest puts a file system on it.
 *
 * @param create Makes the scratch disk.
 * @param look Rejects with `NotFound` when there is no such file.
 * @throws {ShimError} InvalidArgument, FailedPrecondition or NotFound naming
 * option or path.
 */
export async function windowsLayers(
  source: LayerSource,
  create: CreateDisk,
  look: (path: string) => Promise<unknown> = Deno.stat,
): Promise<LayerSet> {
  const plan = windowsLayerPlan(source);
  for (const { path } of plan.readOnly) {
    if (await exists(path, look)) continue;
    throw new ShimError("NotFound", `Layer "${path}" not found`);
  }
  if (!await exists(plan.scratch, look)) await createOnce(plan.scratch, create);
  return { readOnly: plan.readOnly, scratch: disk(plan.scratch) };
}

async function createOnce(path: string, create: CreateDisk): Promise<void> {
  try {
    await create(path, scratchBytes);
  } catch (error) {
    // Another container that shares the scratch disk was faster.
    if (classify(error) !== "AlreadyExists") throw error;
  }
}

async function exists(
  path: string,
  look: (path: string) => Promise<unknown>,
): Promise<boolean> {
  try {
    await look(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw new ShimError(classify(cause), `Cannot look at layer "${path}"`, {
      cause,
    });
  }
}
