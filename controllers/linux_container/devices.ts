/**
 * The devices of the host that a container gets.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isAssignable, parsePciFunction } from "../../oci/devices.ts";
import type { WindowsDevice } from "../../oci/spec.gen.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import type { ContainerResources } from "./resources.ts";

/**
 * Assigns devices to the VM, in their order.
 *
 * @param deps Host and guest.
 * @param wanted As the specification has them; left alone.
 * @param resources Takes everything that is acquired, also when this fails.
 * @param signal Ends it between two devices.
 * @returns The devices with the ids by which the guest knows them.
 * @throws {ShimError} InvalidArgument for a device of an unknown type, before it
 * is reserved; NotImplemented where this VM gets no devices; else what host or
 * guest answered.
 */
export async function assignDevices(
  { vpci }: Pick<ContainerDependencies, "vpci">,
  wanted: readonly WindowsDevice[],
  resources: ContainerResources,
  signal?: AbortSignal,
): Promise<WindowsDevice[]> {
  const devices: WindowsDevice[] = [];
  for (const device of wanted) {
    const { id, idType } = device;
    if (!isAssignable(idType)) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot assign device "${id}": type "${idType}" is not gpu, vpci or vpci-instance-id`,
      );
    }
    if (vpci === undefined) {
      throw new ShimError(
        "NotImplemented",
        `Cannot assign device "${id}": this VM gets no devices`,
      );
    }
    const pciFunction = parsePciFunction(id);
    const guid = await resources.map("device", id, vpci, [pciFunction], signal);
    devices.push({ ...device, id: guid });
  }
  return devices;
}
