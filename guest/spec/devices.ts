/**
 * Devices of a workload that are nodes of the VM (`spec/guest-runtime.md` 7.3,
 * and 5.2 for confidential VMs).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { LinuxDevice, Spec } from "../../oci/spec.gen.ts";
import { deviceNumbers, devicesOf, resourcesOf } from "./mounts.ts";

/** Folders of `/dev` that belong to each container itself. */
const skippedFolders = new Set([
  "pts",
  "shm",
  "fd",
  "mqueue",
  ".lxc",
  ".lxd-mounts",
  ".udev",
]);

/** A device node as OCI describes it; undefined for what is none. */
async function deviceAt(path: string): Promise<LinuxDevice | undefined> {
  const info = await Deno.lstat(path);
  const type = info.isBlockDevice ? "b" : info.isCharDevice ? "c" : undefined;
  if (type === undefined) return undefined;
  const { major, minor } = deviceNumbers(info.rdev ?? 0);
  return { path, type, major, minor, uid: info.uid ?? 0, gid: info.gid ?? 0 };
}

/** A whiteout of an overlay, which no driver serves. */
function isNothing({ major, minor }: LinuxDevice): boolean {
  return major === 0n && minor === 0n;
}

/**
 * Adds a device; one with the same path is replaced, without a second rule.
 *
 * @param rule Whether the container's group gets a rule that allows its use.
 */
export function addDevice(
  spec: Spec,
  device: LinuxDevice,
  rule: boolean,
): void {
  if (isNothing(device)) return;
  spec.linux ??= {};
  const devices = spec.linux.devices ??= [];
  const at = devices.findIndex(({ path }) => path === device.path);
  if (at >= 0) {
    devices[at] = device;
    return;
  }
  devices.push(device);
  if (!rule) return;
  const { type, major, minor } = device;
  devicesOf(resourcesOf(spec)).push({
    allow: true,
    type,
    access: "rwm",
    ...(major !== undefined && { major }),
    ...(minor !== undefined && { minor }),
  });
}

/**
 * The device nodes of the VM, without those that belong to each container
 * itself. One that goes meanwhile is left out.
 *
 * @param folder Where they are.
 */
export async function* devicesBelow(
  folder = "/dev",
): AsyncIterable<LinuxDevice> {
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      if (!skippedFolders.has(name)) yield* devicesBelow(path);
    } else if (name !== "console") {
      const device = await unlessMissing(() => deviceAt(path));
      if (device !== undefined) yield device;
    }
  }
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  const read = () => Array.fromAsync(Deno.readDir(folder));
  return await unlessMissing(read) ?? [];
}

async function unlessMissing<T>(
  task: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Gives a container every device of the VM. */
export async function addAllDevices(spec: Spec, dev?: string): Promise<void> {
  for await (const device of devicesBelow(dev)) addDevice(spec, device, false);
  resourcesOf(spec).devices = [{ allow: true, access: "rwm" }];
}

/**
 * Looks up the devices that the specification lists, because their numbers are
 * those of this VM.
 *
 * @throws {ShimError} NotFound when one does not exist, InvalidArgument when
 * something else has its path.
 */
export async function resolveDevices(spec: Spec): Promise<void> {
  const listed = spec.linux?.devices ?? [];
  if (spec.linux !== undefined) delete spec.linux.devices;
  for (const { path } of listed) {
    const what = `Cannot give the container the device "${path}"`;
    let device: LinuxDevice | undefined;
    try {
      device = await deviceAt(path);
    } catch (cause) {
      throw new ShimError("NotFound", `${what}: ${messageOf(cause)}`, {
        cause,
      });
    }
    if (device === undefined) {
      throw new ShimError("InvalidArgument", `${what}: it is none`);
    }
    addDevice(spec, device, true);
  }
}

/** Devices of AMD's encrypted VMs; the first one that is there counts. */
const sevDevices = ["/dev/sev", "/dev/sev-guest"];

/**
 * Lets a container of a confidential VM ask the processor for a report about
 * it. A VM without the device is told in the log alone.
 */
export async function addSevDevice(
  spec: Spec,
  log: Logger,
  paths: readonly string[] = sevDevices,
): Promise<void> {
  for (const path of paths) {
    try {
      const device = await unlessMissing(() => deviceAt(path));
      if (device !== undefined) return addDevice(spec, device, true);
    } catch (error) {
      log.warn("Cannot read device", { path, error: messageOf(error) });
    }
  }
  log.warn("The VM has no device for reports about it", { paths });
}
