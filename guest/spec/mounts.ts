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
import { isInside, joinPath } from "../storage/paths.ts";

/** Folders below the root of a sandbox. */
export const sandboxFolders = {
  /** Shared by the containers of a pod. */
  mounts: "sandboxMounts",
  /** The same, in memory. */
  tmpfsMounts: "sandboxTmpfsMounts",
  /** File systems of huge pages. */
  hugepages: "hugepages",
  /** Logs that the guest itself writes. */
  logs: "logs",
} as const;

/**
 * The path of `rest` in a folder of the pod.
 *
 * @throws {ShimError} InvalidArgument when it leaves the folder.
 */
export function pathInFolder(folder: string, rest: string): string {
  const path = joinPath(folder, rest);
  if (isInside(path, folder) && path !== folder) return path;
  throw new ShimError(
    "InvalidArgument",
    `Invalid mount source "${rest}": it leaves "${folder}"`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Makes a folder that every user of the pod may write to, whatever the umask. */
export async function makeOpenFolder(path: string): Promise<void> {
  if (await exists(path)) return;
  await Deno.mkdir(path, { recursive: true });
  await Deno.chmod(path, 0o777);
}

/** What rewriting needs beside the specification. */
export interface MountContext {
  /** Root of the sandbox. */
  readonly sandboxRoot: string;
  /** Says that a place was mounted, for the rollback. */
  readonly mounted: (path: string) => void;
}

/** `hugepages://2M/rest` becomes a folder in its own file system of such pages. */
async function hugepagesSource(
  rest: string,
  { sandboxRoot, mounted }: MountContext,
): Promise<string> {
  const folder = `${sandboxRoot}/${sandboxFolders.hugepages}`;
  const path = pathInFolder(folder, rest);
  const size = path.slice(folder.length + 1).split("/")[0]!;
  if (!/^[0-9]+[KMG]B?$/i.test(size)) {
    throw new ShimError(
      "InvalidArgument",
      `Invalid mount source "${guestSources.hugepages}${rest}": it must start with ` +
        "a page size such as 2M",
    );
  }
  if (await exists(path)) return path;
  await makeOpenFolder(path);
  const data = `pagesize=${size}`;
  await mount({ source: "none", target: path, type: "hugetlbfs", data });
  mounted(path);
  return path;
}

/** Lets the container use the device behind a link that is mounted into it. */
async function allowBlockDevice(mount: Mount, spec: Spec): Promise<void> {
  const link = mount.source ?? "";
  const target = await Deno.readLink(link);
  const path = target.startsWith("/")
    ? target
    : joinPath(link.replace(/\/[^/]*$/, ""), target);
  const { isBlockDevice, isCharDevice, rdev } = await Deno.lstat(path);
  if (!isBlockDevice && !isCharDevice) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot use "${link}" as a device: "${path}" is none`,
    );
  }
  const { major, minor } = deviceNumbers(rdev ?? 0);
  devicesOf(resourcesOf(spec)).push({
    allow: true,
    type: isBlockDevice ? "b" : "c",
    major,
    minor,
    access: mount.options?.includes("ro") ? "r" : "rwm",
  });
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
  const shared = [
    [guestSources.sandbox, sandboxFolders.mounts],
    [guestSources.sandboxTmp, sandboxFolders.tmpfsMounts],
  ] as const;
  for (const mount of mounts) {
    for (const [prefix, name] of shared) {
      if (!mount.source?.startsWith(prefix)) continue;
      const folder = `${context.sandboxRoot}/${name}`;
      mount.source = pathInFolder(folder, mount.source.slice(prefix.length));
      await makeOpenFolder(mount.source);
    }
  }
  for (const mount of mounts) {
    if (!mount.source?.startsWith(guestSources.hugepages)) continue;
    const rest = mount.source.slice(guestSources.hugepages.length);
    mount.source = await hugepagesSource(rest, context);
  }
  for (const mount of mounts) {
    if (!mount.destination.startsWith(blockDevicePrefix)) continue;
    await allowBlockDevice(mount, spec);
    mount.destination = mount.destination.slice(blockDevicePrefix.length);
  }
  for (const mount of mounts) {
    if (!mount.source?.startsWith(guestSources.uvm)) continue;
    mount.source = mount.source.slice(guestSources.uvm.length);
    if (await exists(mount.source)) continue;
    throw new ShimError(
      "NotFound",
      `Cannot mount "${mount.source}" of the VM: it does not exist`,
    );
  }
}
