/**
 * Which devices are the same, and the documents that say it to host and guest.
 *
 * @module
 */

import { VPCIDevice } from "../../../bridge/messages.gen.ts";
import { VirtualPciDevice } from "../../../hcs/documents.gen.ts";
import type { PciFunction } from "../../../oci/devices.ts";
import type { GuestChange, HostChange } from "../peers.ts";

/** One text for one device. */
export function deviceKey(device: PciFunction): string {
  return `${device.virtualFunction} ${device.instancePath}`;
}

/**
 * The device as HCS documents have it. A device that is assigned while the VM
 * runs always propagates its NUMA node.
 */
export function virtualPciDevice(device: PciFunction): VirtualPciDevice {
  return {
    Functions: [{
      DeviceInstancePath: device.instancePath,
      VirtualFunction: device.virtualFunction,
    }],
    PropagateNumaAffinity: true,
  };
}

function devicePath(guid: string): string {
  return `VirtualMachine/Devices/VirtualPci/${guid}`;
}

/** Asks the host to assign a device, which the guest finds by its VMBus GUID. */
export function assignRequest(
  guid: string,
  device: VirtualPciDevice,
): HostChange {
  return {
    ResourcePath: devicePath(guid),
    RequestType: "Add",
    Settings: VirtualPciDevice.encode(device),
  };
}

/** Asks the host to take a device back. The guest is not asked. */
export function removeRequest(guid: string): HostChange {
  return { ResourcePath: devicePath(guid), RequestType: "Remove" };
}

/** Asks the guest to wait for a device. */
export function awaitRequest(guid: string): GuestChange {
  return {
    ResourceType: "VPCIDevice",
    RequestType: "Add",
    Settings: VPCIDevice.encode({ VMBusGUID: guid }),
  };
}
