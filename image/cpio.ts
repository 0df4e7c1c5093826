/**
 * The archive format of initial RAM disks: cpio "newc"
 * (Linux `Documentation/driver-api/early-userspace/buffer-format.rst`).
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** One file of an archive. */
export interface Entry {
  /** Where, without a leading slash. */
  readonly path: string;
  /** Permissions. */
  readonly mode: number;
  /** What it is. */
  readonly what:
    | { readonly kind: "folder" }
    | { readonly kind: "file"; readonly content: Uint8Array<ArrayBuffer> }
    /** A file whose content is read when the archive is written. */
    | { readonly kind: "copy"; readonly source: string }
    | { readonly kind: "link"; readonly target: string }
    | {
      readonly kind: "character device";
      readonly major: number;
      readonly minor: number;
    };
}

/** `S_IFMT` bits of `linux/stat.h`. */
const types: Readonly<Record<Entry["what"]["kind"], number>> = {
  "folder": 0o040000,
  "file": 0o100000,
  "copy": 0o100000,
  "link": 0o120000,
  "character device": 0o020000,
};

const magic = "070701";
const trailer = "TRAILER!!!";
const encoder = new TextEncoder();

/** A field: eight hexadecimal digits. */
function field(value: number): string {
  if (value > 0xffff_ffff) {
    throw new ShimError("OutOfRange", `A cpio field cannot hold ${value}`);
  }
  return value.toString(16).toUpperCase().padStart(8, "0");
}

/** Zeros up to the next multiple of four. */
function padding(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(-length & 3);
}

interface Header {
  readonly inode: number;
  readonly mode: number;
  readonly size: number;
  readonly path: string;
  readonly links?: number;
  readonly major?: number;
  readonly minor?: number;
}

/** Header and name; owner and time are 0, so that equal trees are equal bytes. */
function header(parts: Header): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(`${parts.path}\0`);
  const fields = [
    ["ino", parts.inode],
    ["mode", parts.mode],
    ["uid", 0],
    ["gid", 0],
    ["nlink", parts.links ?? 1],
    ["mtime", 0],
    ["filesize", parts.size],
    ["devmajor", 0],
    ["devminor", 0],
    ["rdevmajor", parts.major ?? 0],
    ["rdevminor", parts.minor ?? 0],
    ["namesize", name.length],
    ["check", 0],
  ] as const;
  const text = magic + fields.map(([, value]) => field(value)).join("");
  const bytes = encoder.encode(text);
  const length = bytes.length + name.length;
  const all = new Uint8Array(length + padding(length).length);
  all.set(bytes);
  all.set(name, bytes.length);
  return all;
}

/** Bytes of a file, or of a link's target. */
async function contentOf(
  { what }: Entry,
): Promise<Uint8Array<ArrayBuffer>> {
  switch (what.kind) {
    case "file":
      return what.content;
    case "copy":
      return await Deno.readFile(what.source);
    case "link":
      return encoder.encode(what.target);
    default:
      return new Uint8Array();
  }
}

/** Sorted by path: a folder comes before what is in it. */
function sorted(entries: Iterable<Entry>): Entry[] {
  return [...entries].sort((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : 0
  );
}

/**
 * Writes an archive. Equal entries make equal bytes, in whatever order they
 * come.
 *
 * @param entries Files, each once, with the folders that hold them.
 * @returns The archive, piece by piece.
 * @throws {ShimError} OutOfRange when a file has 4 GiB or more.
 */
export async function* cpio(
  entries: Iterable<Entry>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  let inode = 0;
  for (const entry of sorted(entries)) {
    const { path, mode, what } = entry;
    const content = await contentOf(entry);
    yield header({
      inode: ++inode,
      mode: types[what.kind] | mode,
      size: content.length,
      path,
      links: what.kind === "folder" ? 2 : 1,
      ...(what.kind === "character device" &&
        { major: what.major, minor: what.minor }),
    });
    yield content;
    yield padding(content.length);
  }
  yield header({ inode: 0, mode: 0, size: 0, path: trailer });
}
