/**
 * What the tests of this folder share. Host and guest are a `DeviceWorld`.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { PciFunction } from "../../../oci/devices.ts";

/** A device as a whole. */
export const gpu: PciFunction = {
  instancePath: "PCIP\\VEN_10DE&DEV_1EB8\\5&1234",
  virtualFunction: 0,
};

/** A virtual function of the same device. */
export const partOfGpu: PciFunction = { ...gpu, virtualFunction: 3 };

/** What fails when a test says so. */
export const injected: ShimError = new ShimError("Internal", "injected");
