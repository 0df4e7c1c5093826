import { assertEquals, assertRejects } from "@std/assert";
import { cpio, type Entry } from "./cpio.ts";

async function bytesOf(entries: Iterable<Entry>): Promise<Uint8Array> {
  const parts = await Array.fromAsync(cpio(entries));
  return await new Blob(parts).bytes();
}

const encoder = new TextEncoder();

const device: Entry = {
  path: "dev/null",
  mode: 0o666,
  what: { kind: "character device", major: 1, minor: 3 },
};

const folder: Entry = { path: "dev", mode: 0o755, what: { kind: "folder" } };

Deno.test("cpio() writes headers of 13 hexadecimal fields", async () => {
  const text = new TextDecoder().decode(
    await bytesOf([{
      path: "init",
      mode: 0o755,
      what: { kind: "file", content: encoder.encode("hello") },
    }]),
  );
  const expected = [
    "070701", // magic
    "00000001", // ino
    "000081ED", // mode: S_IFREG | 0755
    "00000000", // uid
    "00000000", // gid
    "00000001", // nlink
    "00000000", // mtime
    "00000005", // filesize
    "00000000", // devmajor
    "00000000", // devminor
    "00000000", // rdevmajor
    "00000000", // rdevminor
    "00000005", // namesize, with its NUL
    "00000000", // check
    "init\0",
    "\0", // the name ends at a multiple of four
    "hello",
    "\0\0\0",
  ].join("");
  assertEquals(text.slice(0, expected.length), expected);
  assertEquals(text.slice(expected.length).includes("TRAILER!!!\0"), true);
  assertEquals(text.length % 4, 0);
});

Deno.test("cpio() writes the same bytes whatever the order of the entries", async () => {
  const link: Entry = {
    path: "dev/fd",
    mode: 0o777,
    what: { kind: "link", target: "/proc/self/fd" },
  };
  assertEquals(
    await bytesOf([link, device, folder]),
    await bytesOf([device, folder, link]),
  );
});

Deno.test("cpio() puts folders first and writes device numbers", async () => {
  const text = new TextDecoder().decode(await bytesOf([device, folder]));
  const names = [...text.matchAll(/070701[0-9A-F]{104}([^\0]+)\0/g)]
    .map(([, name]) => name);
  assertEquals(names, ["dev", "dev/null", "TRAILER!!!"]);
  const at = text.indexOf("070701", 6);
  assertEquals(text.slice(at + 14, at + 22), "000021B6"); // S_IFCHR | 0666
  assertEquals(text.slice(at + 78, at + 94), "0000000100000003"); // 1:3
});

Deno.test("cpio() names a file that cannot be read", async () => {
  const entry: Entry = {
    path: "x",
    mode: 0o644,
    what: { kind: "copy", source: "/no/such/file" },
  };
  await assertRejects(
    () => Array.fromAsync(cpio([entry])),
    Deno.errors.NotFound,
    "/no/such/file",
  );
});
