/**
 * What the tests of this folder share. Host and guest are a `DeviceWorld`.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { Address, DiskConfig, MountConfig } from "./config.ts";

/** The first slot. */
export const address: Address = { controller: 0, lun: 0 };

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

/** A layer of its own. */
export function disk(index: number): DiskConfig {
  return { ...layer, hostPath: `C:\\${index}.vhd` };
}
