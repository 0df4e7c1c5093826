/**
 * Archives in the format `ustar` (POSIX.1-2017, pax), for files of short names.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** A file of an archive. */
export interface TarFile {
  /** Its path: at most 100 bytes, with slashes, without one in front. */
  readonly name: string;
  /** What is in it. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Bytes of a header, and of what content is filled up to. */
const block = 512;

/** The archive ends with two blocks of zeros. */
const end = 2 * block;

/** Bytes of the name in a header. */
const nameSize = 100;

const encoder = new TextEncoder();

/** A number in octal digits, with a NUL behind it. */
function octal(value: number, size: number): string {
  return `${value.toString(8).padStart(size - 1, "0")}\0`;
}

/** The fields of a header, in their order, by their offset. */
function fields(
  { name, content }: TarFile,
  seconds: number,
): readonly (readonly [offset: number, text: string])[] {
  return [
    [0, name],
    [100, octal(0o600, 8)], // mode
    [108, octal(0, 8)], // uid
    [116, octal(0, 8)], // gid
    [124, octal(content.length, 12)],
    [136, octal(seconds, 12)],
    [148, "        "], // checksum, as it counts in the sum
    [156, "0"], // a regular file
    [257, "ustar\u000000"],
  ];
}

function header(file: TarFile, seconds: number): Uint8Array<ArrayBuffer> {
  if (encoder.encode(file.name).length > nameSize) {
    throw new ShimError(
      "OutOfRange",
      `A file of an archive cannot be called "${file.name}": more than ${nameSize} bytes`,
    );
  }
  const bytes = new Uint8Array(block);
  for (const [offset, text] of fields(file, seconds)) {
    bytes.set(encoder.encode(text), offset);
  }
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.set(encoder.encode(`${octal(sum, 7)} `), 148);
  return bytes;
}

/**
 * The bytes of an archive.
 *
 * @param files Its files.
 * @param time When they were made, milliseconds since 1970.
 * @throws {ShimError} OutOfRange for a name that is too long.
 */
export function* tarArchive(
  files: readonly TarFile[],
  time: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const seconds = Math.floor(time / 1000);
  for (const file of files) {
    yield header(file, seconds);
    yield file.content;
    yield new Uint8Array(-file.content.length & (block - 1));
  }
  yield new Uint8Array(end);
}
