/**
 * What the tests of this folder share.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { FakeGuest } from "../../../bridge/fake_guest.ts";
import { FakeComputeSystem } from "../../testing/fake_compute.ts";
import type { DiskConfig, MountConfig } from "./config.ts";

/** The first slot. */
export const address: { controller: number; lun: number } = {
  controller: 0,
  lun: 0,
};
/** A read-only layer. */
export const layer: DiskConfig = {
  hostPath: "C:\\layer.vhd",
  readOnly: true,
  type: "VirtualDisk",
};
/** The whole disk, read-only. */
export const whole: MountConfig = {
  partition: 0,
  readOnly: true,
  options: ["ro"],
};
/** What fails when a test says so. */
export const injected: ShimError = new ShimError("Internal", "injected");

/** A VM and its agent. */
export function peers(): { vm: FakeComputeSystem; guest: FakeGuest } {
  return { vm: new FakeComputeSystem("pod1@vm"), guest: new FakeGuest() };
}

/** `vm Add`, `guest Remove SCSIDevice`, …, of all calls so far, by side. */
export function said({ vm, guest }: ReturnType<typeof peers>): string[] {
  return [
    ...vm.script.of("modify").map(({ argument }) =>
      `vm ${(argument as { RequestType: string }).RequestType}`
    ),
    ...guest.callsOf("modify").map(({ argument }) => {
      const { RequestType, ResourceType } = argument as Record<string, string>;
      return `guest ${RequestType} ${ResourceType}`;
    }),
  ];
}

/** A layer of its own. */
export function disk(index: number): DiskConfig {
  return { ...layer, hostPath: `C:\\${index}.vhd` };
}
