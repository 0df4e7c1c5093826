/**
 * Reading 64-bit little-endian ELF files: which libraries a program needs, and
 * what a kernel module says of itself.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

// Names and offsets of `linux/elf.h`.
const dynamicSegment = 2; // PT_DYNAMIC
const loadSegment = 1; // PT_LOAD
const interpreterSegment = 3; // PT_INTERP
const needed = 1n; // DT_NEEDED
const stringTable = 5n; // DT_STRTAB

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

/** An ELF file. */
class Elf {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    const isElf64 = bytes.length >= 64 &&
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) ===
        0x7f454c46 &&
      bytes[4] === 2 && bytes[5] === 1;
    if (!isElf64) {
      throw new ShimError(
        "InvalidArgument",
        "Cannot read an ELF file: it is no 64-bit little-endian one",
      );
    }
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  #u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  text(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    return new TextDecoder().decode(this.#bytes.subarray(at, end));
  }

  segments(): Segment[] {
    const table = Number(this.#u64(32)); // e_phoff
    const size = this.#u16(54); // e_phentsize
    return Array.from({ length: this.#u16(56) }, (_, i) => {
      const at = table + i * size;
      return {
        type: this.#u32(at),
        offset: Number(this.#u64(at + 8)),
        address: this.#u64(at + 16),
        size: Number(this.#u64(at + 32)),
      };
    });
  }

  /** Tags and values of the dynamic segment. */
  dynamic(segment: Segment): [tag: bigint, value: bigint][] {
    const rows: [bigint, bigint][] = [];
    for (
      let at = segment.offset;
      at < segment.offset + segment.size;
      at += 16
    ) {
      rows.push([this.#u64(at), this.#u64(at + 8)]);
    }
    return rows;
  }

  /** Bytes of a section; empty when there is none of this name. */
  section(name: string): Uint8Array {
    const table = Number(this.#u64(40)); // e_shoff
    const size = this.#u16(58); // e_shentsize
    const start = (i: number): number => table + i * size;
    const names = Number(this.#u64(start(this.#u16(62)) + 24)); // e_shstrndx
    for (let i = 0; i < this.#u16(60); i++) {
      if (this.text(names + this.#u32(start(i))) !== name) continue;
      const offset = Number(this.#u64(start(i) + 24));
      const length = Number(this.#u64(start(i) + 32));
      return this.#bytes.subarray(offset, offset + length);
    }
    return new Uint8Array();
  }
}

/** What a program or library needs to be loaded. */
export interface Needs {
  /** Path of its loader; a library or static program has none. */
  readonly interpreter: string | undefined;
  /** Names of its libraries, without their folders. */
  readonly libraries: readonly string[];
}

/**
 * What a program or library needs.
 *
 * @throws {ShimError} InvalidArgument when it is no ELF file.
 */
export function needsOf(bytes: Uint8Array): Needs {
  const elf = new Elf(bytes);
  const segments = elf.segments();
  const loader = segments.find(({ type }) => type === interpreterSegment);
  const interpreter = loader && elf.text(loader.offset);
  const segment = segments.find(({ type }) => type === dynamicSegment);
  if (segment === undefined) return { interpreter, libraries: [] };
  const rows = elf.dynamic(segment);
  const address = rows.find(([tag]) => tag === stringTable)?.[1] ?? 0n;
  const holder = segments.find((one) =>
    one.type === loadSegment && one.address <= address &&
    address < one.address + BigInt(one.size)
  );
  if (holder === undefined) return { interpreter, libraries: [] };
  const strings = holder.offset + Number(address - holder.address);
  const libraries = rows.filter(([tag]) => tag === needed)
    .map(([, offset]) => elf.text(strings + Number(offset)));
  return { interpreter, libraries };
}

/** What a kernel module says of itself. */
export interface ModuleInfo {
  /** Modules that must be loaded before it. */
  readonly depends: readonly string[];
  /** Names by which the kernel asks for it, with wildcards. */
  readonly aliases: readonly string[];
}

/**
 * Reads the `.modinfo` section of a kernel module.
 *
 * @throws {ShimError} InvalidArgument when it is no ELF file.
 */
export function moduleInfo(bytes: Uint8Array): ModuleInfo {
  const section = new Elf(bytes).section(".modinfo");
  const rows = new TextDecoder().decode(section).split("\0");
  const valuesOf = (key: string): string[] =>
    rows.filter((row) => row.startsWith(`${key}=`))
      .map((row) => row.slice(key.length + 1));
  const depends = valuesOf("depends").flatMap((names) => names.split(","))
    .filter((name) => name !== "");
  return { depends, aliases: valuesOf("alias") };
}
