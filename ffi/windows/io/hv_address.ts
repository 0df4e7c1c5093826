/**
 * Addresses of Hyper-V sockets.
 *
 * @module
 */

import { guidBytes } from "../../../base/guid.ts";

/** `AF_HYPERV`. */
export const addressFamily = 34;

/** Bytes of `SOCKADDR_HV`. */
export const addressSize = 36;

/**
 * `SOCKADDR_HV`: u16 family @0, u16 reserved @2, GUID of the VM @4, GUID of the
 * service @20.
 *
 * @throws {ShimError} InvalidArgument when one is no GUID.
 */
export function hvAddress(
  vmId: string,
  serviceId: string,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(addressSize);
  new DataView(bytes.buffer).setUint16(0, addressFamily, true);
  bytes.set(guidBytes(vmId), 4);
  bytes.set(guidBytes(serviceId), 20);
  return bytes;
}
