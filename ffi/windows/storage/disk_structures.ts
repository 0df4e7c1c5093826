/**
 * The structures that `virtdisk.dll` takes, filled.
 *
 * @module
 */

import { guidBytes } from "../../../base/guid.ts";
import {
  createParameters,
  diskInfo,
  openParameters,
  resizeParameters,
  storageType,
} from "../library/virtdisk.ts";

/** `VIRTUAL_STORAGE_TYPE_DEVICE_VHDX`. */
const vhdxDevice = 3;

/** `VIRTUAL_STORAGE_TYPE_VENDOR_MICROSOFT`. */
const microsoft = "ec984aec-a0f9-47e9-901f-71415a66345b";

/**
 * Unit in which a dynamic disk grows. The smallest one: a scratch disk is written
 * here and there, and the default of 32 MiB would make its file grow at every step.
 */
const blockSize = 1024 * 1024;

function structure(size: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(size));
}

/** The type of a disk that is made: VHDX of Microsoft's provider. */
export function vhdxType(): DataView<ArrayBuffer> {
  const type = structure(storageType.size);
  type.setUint32(storageType.deviceId, vhdxDevice, true);
  new Uint8Array(type.buffer).set(guidBytes(microsoft), storageType.vendorId);
  return type;
}

/** The type of a disk that is opened: whatever its file says (all zero: unknown). */
export function anyType(): DataView<ArrayBuffer> {
  return structure(storageType.size);
}

/** A dynamic disk. @param bytes Its size as its user sees it. */
export function creation(bytes: bigint): DataView<ArrayBuffer> {
  const parameters = structure(createParameters.size);
  parameters.setUint32(createParameters.version, 2, true);
  parameters.setBigUint64(createParameters.maximumSize, bytes, true);
  parameters.setUint32(createParameters.blockSize, blockSize, true);
  return parameters;
}

/** How a disk is opened. @param infoOnly Only to ask; possible while a VM has the disk. */
export function opening(infoOnly: boolean): DataView<ArrayBuffer> {
  const parameters = structure(openParameters.size);
  parameters.setUint32(openParameters.version, 2, true);
  parameters.setUint32(openParameters.getInfoOnly, infoOnly ? 1 : 0, true);
  return parameters;
}

/** A new size in bytes. */
export function resizing(bytes: bigint): DataView<ArrayBuffer> {
  const parameters = structure(resizeParameters.size);
  parameters.setUint32(resizeParameters.version, 1, true);
  parameters.setBigUint64(resizeParameters.newSize, bytes, true);
  return parameters;
}

/** Asks for the size. */
export function sizeQuery(): DataView<ArrayBuffer> {
  const info = structure(diskInfo.size);
  info.setUint32(diskInfo.version, 1, true);
  return info;
}

/** The size in bytes in the answer to a {@linkcode sizeQuery}. */
export function answeredSize(info: DataView<ArrayBuffer>): bigint {
  return info.getBigUint64(diskInfo.virtualSize, true);
}
