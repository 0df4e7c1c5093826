/**
 * Small ELF files for tests.
 *
 * @module
 */

/** Size of a section header, `Elf64_Shdr`. */
const rowSize = 64;

/** An ELF file whose only sections are these and their names. */
export function elfWith(
  sections: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const all = { ...sections, ".shstrtab": "" };
  const names = ["", ...Object.keys(all)];
  all[".shstrtab"] = names.map((name) => `${name}\0`).join("");
  const bodies = Object.values(all).map((text) => encoder.encode(text));
  const table = 64 + bodies.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(table + bodies.length * rowSize);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setBigUint64(40, BigInt(table), true); // e_shoff
  view.setUint16(58, rowSize, true); // e_shentsize
  view.setUint16(60, bodies.length, true); // e_shnum
  view.setUint16(62, bodies.length - 1, true); // e_shstrndx
  let at = 64;
  let nameAt = 1;
  bodies.forEach((body, i) => {
    bytes.set(body, at);
    const row = table + i * rowSize;
    view.setUint32(row, nameAt, true); // sh_name
    view.setBigUint64(row + 24, BigInt(at), true); // sh_offset
    view.setBigUint64(row + 32, BigInt(body.length), true); // sh_size
    at += body.length;
    nameAt += names[i + 1]!.length + 1;
  });
  return bytes;
}

/** A kernel module that says this of itself. */
export function kernelModule(
  ...rows: readonly string[]
): Uint8Array<ArrayBuffer> {
  const info = rows.map((row) => `${row}\0`).join("");
  return elfWith({ ".text": "code", ".modinfo": info });
}
