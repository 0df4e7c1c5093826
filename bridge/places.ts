/**
 * Where host and guest find each other: vsock ports and SCSI controllers. Both
 * sides count on the same numbers, so they stand once.
 *
 * @module
 */

/** vsock port on which the host waits for the guest agent. */
export const bridgePort = 0x40000000;

/** First vsock port of process streams: the one after the bridge's. */
export const firstStdioPort: number = bridgePort + 1;

/**
 * The ids of a VM's SCSI controllers by index: name-based GUIDs (version 5) of
 * the decimal index in the namespace d422512d-2bf2-4752-809d-7b82b5fcb1b4.
 */
export const scsiControllerIds: readonly string[] = [
  "df6d0690-79e5-55b6-a5ec-c1e2f77f580a",
  "0110f83b-de10-5172-a266-78bca56bf50a",
  "b5d2d8d4-3a75-51bf-945b-3444dc6b8579",
  "305891a9-b251-5dfe-91a2-c25d9212275b",
];
