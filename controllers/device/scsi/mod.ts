/**
 * SCSI disks of a VM: slots, attachments and mounts.
 *
 * @module
 */

export type { DiskConfig, MountConfig } from "./config.ts";
export { attachmentOf, guestMountPath, lunsPerController } from "./config.ts";
export { ScsiController } from "./controller.ts";
export type { ScsiPeers } from "./disk.ts";
