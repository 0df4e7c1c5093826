/**
 * What the tests of this folder share. Host and guest are a `DeviceWorld`.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import type { ShareConfig, ShareMountConfig } from "./config.ts";

/** A directory that may be written. */
export const data: ShareConfig = { hostPath: "C:\\data", readOnly: false };

/** A single file, read-only. */
export const file: ShareConfig = {
  hostPath: "C:\\conf\\",
  readOnly: true,
  restrict: true,
  allowedNames: ["a.ini"],
};

/** A writable mount. */
export const writable: ShareMountConfig = { readOnly: false };

/** A read-only mount. */
export const readOnly: ShareMountConfig = { readOnly: true };

/** Where the first share is mounted. */
export const firstPath = "/run/mounts/plan9/0";

/** What fails when a test says so. */
export const injected: ShimError = new ShimError("Internal", "injected");
