/**
 * Devices of a workload (`spec/guest-runtime.md` 7.3).
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
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
  if (major === 0n && minor === 0n) return undefined;
  return { path, type, major, minor, uid: info.uid ?? 0, gid: info.gid ?? 0 };
}

/** Adds a device; one with the same path is replaced, without a second rule. */
function addDevice(spec: Spec, device: LinuxDevice, rule: boolean): void {
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

async function addTree(spec: Spec, folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      if (!skippedFolders.has(name)) await addTree(spec, path);
    } else if (name !== "console") {
      const device = await deviceAt(path);
      if (device !== undefined) addDevice(spec, device, false);
    }
  }
}

/** Gives a container every device of the VM. */
export async function addAllDevices(spec: Spec, dev = "/dev"): Promise<void> {
  await addTree(spec, dev);
  resourcesOf(spec).devices = [{ allow: true, access: "rwm" }];
}

/**
 * Looks up the devices that the specification lists, because their numbers are
 * those of this VM.
 *
 * @throws {ShimError} NotFound when one does not exist.
 */
export async function resolveDevices(spec: Spec): Promise<void> {
  const listed = spec.linux?.devices ?? [];
  if (spec.linux !== undefined) delete spec.linux.devices;
  for (const { path } of listed) {
    let device: LinuxDevice | undefined;
    try {
      device = await deviceAt(path);
    } catch (cause) {
      throw new ShimError(
        "NotFound",
        `Cannot give the container the device "${path}": ${messageOf(cause)}`,
        { cause },
      );
    }
    if (device !== undefined) addDevice(spec, device, true);
  }
}
