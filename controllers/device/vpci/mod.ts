/**
 * PCI devices of the host (GPUs and others) that a VM has while it runs.
 *
 * **Purpose.** Containers ask for devices; the {@linkcode VpciController} has the
 * host assign each one to the VM under a fresh VMBus GUID, and the guest wait
 * until it sees it. The GUID is what the container's document names. Devices of
 * the sandbox are part of the document that the VM is created with, and none of
 * this controller's.
 *
 * **Ownership.** One controller per VM, made by the VM controller. It owns the
 * devices; callers own reservations, and only know them by their ids. A device is
 * an instance path and the index of a virtual function; all its reservations
 * share one assignment and one GUID.
 *
 * **Life cycle.** `reserve` → `map` → `unmap`. A device is Reserved → Assigned →
 * Ready → Removed, and AssignedInvalid when the guest does not see it or the host
 * cannot take it back (`states.ts`). A failure is final for that assignment:
 * every holder gives it back, then the device can be reserved anew.
 *
 * **Order.** Acquired: GUID, host add, guest wait. Released, by the last holder:
 * host remove (the guest is not asked), device, reservation.
 *
 * **Idempotency.** `map` may be repeated and calls nobody the second time. A
 * failed `unmap` is repeated with the same id. A host that answers "gone" has
 * taken the device back.
 *
 * **Concurrency.** The changes of one device run one after another in its own
 * queue, those of different devices side by side. `devices` and `reservations`
 * answer at once; the states that they show may change across any await.
 *
 * @example The second virtual function of a device
 * ```ts
 * import { parsePciFunction } from "../../../oci/devices.ts";
 * import { VpciController } from "./mod.ts";
 *
 * const nothing = { modify: () => Promise.resolve() };
 * const vpci = new VpciController({ vm: nothing, guest: nothing });
 * const device = parsePciFunction("PCIP\\VEN_10DE&DEV_1EB8\\5&1234\\1");
 * console.assert(device.virtualFunction === 1);
 * const id = await vpci.reserve(device);
 * const guid = await vpci.map(id);
 * console.assert(guid === vpci.devices[0]?.guid);
 * await vpci.unmap(id);
 * console.assert(vpci.devices.length === 0);
 * ```
 *
 * @module
 */

export type { PciFunction } from "../../../oci/devices.ts";
export type { DevicePeers, GuestChange } from "../peers.ts";
export { VpciController } from "./controller.ts";
export type { HeldDevice } from "./device.ts";
export type { DeviceState } from "./states.ts";
