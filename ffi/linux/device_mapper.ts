/**
 * The device mapper: block devices that the kernel makes of others
 * (`linux/dm-ioctl.h`, version 4).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { close, open, OpenFlag } from "./files.ts";
import { check, libc } from "./libc.ts";

/** A stretch of a mapped device, in sectors of 512 bytes. */
export interface MapperTarget {
  /** First sector in the mapped device. */
  readonly start: bigint;
  /** How many sectors. */
  readonly length: bigint;
  /** What serves it: `linear`, `verity`, `error`. */
  readonly type: string;
  /** Its parameters, separated by blanks. */
  readonly parameters: string;
}

/** Numbers of the commands that are used. */
export const mapperCommands = {
  /** Makes a device without a table. */
  create: 3,
  /** Removes a device. */
  remove: 4,
  /** Suspends or, without the flag, resumes: the loaded table becomes active. */
  suspend: 6,
  /** Loads a table. */
  load: 9,
} as const;

/** Name of a command. */
export type MapperCommand = keyof typeof mapperCommands;

/** A command to the device mapper. */
export interface MapperRequest {
  /** What is to be done. */
  readonly command: MapperCommand;
  /** Name of the device, at most 127 bytes. */
  readonly name: string;
  /** The device cannot be written to (`DM_READONLY_FLAG`). */
  readonly readOnly?: boolean;
  /** The table, for `load`. */
  readonly targets?: readonly MapperTarget[];
}

/** What the device mapper answers. */
export interface MapperAnswer {
  /** Number of the device, as the kernel writes it (`huge_encode_dev`). */
  readonly device: bigint;
}

/** Where the members of `struct dm_ioctl` stand; the table follows it. */
const member = {
  version: 0,
  dataSize: 12,
  dataStart: 16,
  targetCount: 20,
  flags: 28,
  device: 40,
  name: 48,
  size: 312,
} as const;

/** `struct dm_target_spec`; its parameters follow, ended by a NUL. */
const target = {
  start: 0,
  length: 8,
  next: 20,
  type: 24,
  size: 40,
} as const;

const version = [4, 0, 0] as const;
const readOnlyFlag = 1;
const maxName = 127;
const maxType = 15;

function place(
  bytes: Uint8Array,
  at: number,
  text: string,
  limit: number,
): void {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length > limit || encoded.includes(0)) {
    throw new ShimError(
      "InvalidArgument",
      `"${text}" is no name for the device mapper: it takes ${limit} bytes ` +
        "without NUL",
    );
  }
  bytes.set(encoded, at);
}

/** One stretch, as long as a multiple of 8 bytes. */
function encodeTarget(entry: MapperTarget): Uint8Array<ArrayBuffer> {
  const parameters = new TextEncoder().encode(`${entry.parameters}\0`);
  const bytes = new Uint8Array(
    Math.ceil((target.size + parameters.length) / 8) * 8,
  );
  const view = new DataView(bytes.buffer);
  view.setBigUint64(target.start, entry.start, true);
  view.setBigUint64(target.length, entry.length, true);
  view.setUint32(target.next, bytes.length, true);
  place(bytes, target.type, entry.type, maxType);
  bytes.set(parameters, target.size);
  return bytes;
}

/**
 * The bytes of a command.
 *
 * @throws {ShimError} InvalidArgument for a name that is too long.
 */
export function encodeMapperRequest(
  request: MapperRequest,
): Uint8Array<ArrayBuffer> {
  const { name, readOnly = false, targets = [] } = request;
  const table = targets.map(encodeTarget);
  let size: number = member.size;
  for (const { length } of table) size += length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  version.forEach((part, i) =>
    view.setUint32(member.version + 4 * i, part, true)
  );
  view.setUint32(member.dataSize, size, true);
  view.setUint32(member.dataStart, member.size, true);
  view.setUint32(member.targetCount, targets.length, true);
  view.setUint32(member.flags, readOnly ? readOnlyFlag : 0, true);
  place(bytes, member.name, name, maxName);
  let at: number = member.size;
  for (const entry of table) {
    bytes.set(entry, at);
    at += entry.length;
  }
  return bytes;
}

/** Reads what the kernel wrote over a command. */
export function decodeMapperAnswer(bytes: Uint8Array): MapperAnswer {
  const { buffer, byteOffset, byteLength } = bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  return { device: view.getBigUint64(member.device, true) };
}

/** `_IOWR(0xfd, command, struct dm_ioctl)` of `asm-generic/ioctl.h`. */
export function mapperIoctl(command: MapperCommand): bigint {
  const readWrite = 3;
  const group = 0xfd;
  const high = BigInt(readWrite << 14 | member.size) << 16n;
  return high | BigInt(group << 8 | mapperCommands[command]);
}

const controlNode = "/dev/mapper/control";

/**
 * Sends a command to the kernel. It is short: no command here waits for a disk.
 *
 * @throws {ErrnoError} When the kernel refuses, ENOENT where it has no device
 * mapper.
 */
export function callMapper(request: MapperRequest): MapperAnswer {
  const bytes = encodeMapperRequest(request);
  const control = open(controlNode, OpenFlag.ReadWrite);
  try {
    const number = mapperIoctl(request.command);
    const what = `Cannot ${request.command} mapped device "${request.name}"`;
    check(libc().ioctl(control, number, bytes), what);
    return decodeMapperAnswer(bytes);
  } finally {
    close(control);
  }
}
