/**
 * Mounts of a workload whose sources name things of its pod
 * (`spec/guest-runtime.md` 6).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { mount } from "../../ffi/linux/mount.ts";
import { blockDevicePrefix, guestSources } from "../../oci/mounts.ts";
import type { LinuxResources, Mount, Spec } from "../../oci/spec.gen.ts";
import { joinPath, parentOf, resolveInRoot } from "../storage/paths.ts";
import { exists, makeOpenFolder, pathInFolder, podFiles } from "./pod_files.ts";

/** What rewriting needs beside the specification. */
export interface MountContext {
  /** Root of the sandbox. */
  readonly sandboxRoot: string;
  /** Says that a place is about to be mounted, for the rollback. */
  readonly mounting: (path: string) => void;
}

/** A path in a folder of the pod, of which links do not lead out. */
async function sharedPath(folder: string, rest: string): Promise<string> {
  const path = pathInFolder(folder, rest);
  return await resolveInRoot(folder, path.slice(folder.length + 1));
}

/** `hugepages://2M/rest` becomes a folder in its own file system of such pages. */
async function hugepagesSource(
  rest: string,
  { sandboxRoot, mounting }: MountContext,
): Promise<string> {
  const folder = podFiles(sandboxRoot).hugepages;
  const clean = pathInFolder(folder, rest).slice(folder.length + 1);
  const [size = "", ...below] = clean.split("/");
  if (!/^[0-9]+[KMG]B?$/i.test(size) || below.length === 0) {
    throw new ShimError(
      "InvalidArgument",
      `Invalid mount source "${guestSources.hugepages}${rest}": it must start ` +
        "with a page size such as 2M, and name a folder",
    );
  }
  const path = await sharedPath(folder, clean);
  if (await exists(path)) return path;
  // A folder that stayed without its mount would pass for one of such pages.
  mounting(path);
  await makeOpenFolder(path);
  const data = `pagesize=${size}`;
  await mount({ source: "none", target: path, type: "hugetlbfs", data });
  return path;
}

/** What the link at a path says; undefined for what is none. */
async function readLink(path: string): Promise<string | undefined> {
  const { isSymlink } = await Deno.lstat(path);
  return isSymlink ? await Deno.readLink(path) : undefined;
}

/** Lets the container use the device behind a link that is mounted into it. */
async function allowBlockDevice(mount: Mount, spec: Spec): Promise<void> {
  const link = mount.source ?? "";
  const refuse = (reason: string): never => {
    throw new ShimError(
      "InvalidArgument",
      `Cannot use "${link}" as a device: ${reason}`,
    );
  };
  const target = await readLink(link) ?? refuse("it is no symbolic link");
  const path = target.startsWith("/")
    ? target
    : joinPath(parentOf(link), target);
  const { isBlockDevice, isCharDevice, rdev } = await Deno.lstat(path);
  if (!isBlockDevice && !isCharDevice) refuse(`"${path}" is none`);
  const { major, minor } = deviceNumbers(rdev ?? 0);
  devicesOf(resourcesOf(spec)).push({
    allow: true,
    type: isBlockDevice ? "b" : "c",
    major,
    minor,
    access: mount.options?.includes("ro") ? "r" : "rwm",
  });
}

/** `uvm://path` is that path of the VM, which must lead somewhere. */
async function vmSource(path: string): Promise<string> {
  if (!path.startsWith("/")) {
    throw new ShimError(
      "InvalidArgument",
      `Invalid mount source "${guestSources.uvm}${path}": the path must be ` +
        "absolute",
    );
  }
  try {
    await Deno.stat(path);
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new ShimError(
    "NotFound",
    `Cannot mount "${path}" of the VM: it does not exist`,
  );
}

/** Major and minor number of a device id (`gnu_dev_major` of glibc). */
export function deviceNumbers(rdev: number): { major: bigint; minor: bigint } {
  const id = BigInt(rdev);
  return {
    major: ((id >> 8n) & 0xfffn) | ((id >> 32n) & 0xffff_f000n),
    minor: (id & 0xffn) | ((id >> 12n) & 0xffff_ff00n),
  };
}

/** The resources of a specification, made when missing. */
export function resourcesOf(spec: Spec): LinuxResources {
  spec.linux ??= {};
  return spec.linux.resources ??= {};
}

/** The device rules of resources, made when missing. */
export function devicesOf(
  resources: LinuxResources,
): NonNullable<LinuxResources["devices"]> {
  return resources.devices ??= [];
}

/**
 * Rewrites the mounts of a workload in place: those of the sandbox, huge pages,
 * block devices, and paths of the VM, in this order.
 *
 * @throws {ShimError} InvalidArgument for a source that is not right.
 */
export async function rewriteMounts(
  spec: Spec,
  context: MountContext,
): Promise<void> {
  const mounts = spec.mounts ?? [];
  const files = podFiles(context.sandboxRoot);
  const sources: [string, (rest: string) => Promise<string>][] = [
    [guestSources.sandbox, (rest) => openFolderIn(files.sandboxMounts, rest)],
    [
      guestSources.sandboxTmp,
      (rest) => openFolderIn(files.sandboxTmpfsMounts, rest),
    ],
    [guestSources.hugepages, (rest) => hugepagesSource(rest, context)],
  ];
  for (const [prefix, resolve] of sources) {
    await rewriteSources(mounts, prefix, resolve);
  }
  for (const mount of mounts) {
    if (!mount.destination.startsWith(blockDevicePrefix)) continue;
    await allowBlockDevice(mount, spec);
    mount.destination = mount.destination.slice(blockDevicePrefix.length);
  }
  await rewriteSources(mounts, guestSources.uvm, vmSource);
}

/** A folder of the pod; what exists there, be it a file, stays. */
async function openFolderIn(folder: string, rest: string): Promise<string> {
  const path = await sharedPath(folder, rest);
  await makeOpenFolder(path);
  return path;
}

async function rewriteSources(
  mounts: readonly Mount[],
  prefix: string,
  resolve: (rest: string) => Promise<string>,
): Promise<void> {
  for (const mount of mounts) {
    if (!mount.source?.startsWith(prefix)) continue;
    mount.source = await resolve(mount.source.slice(prefix.length));
  }
}
