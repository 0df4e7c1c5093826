import { assertEquals } from "@std/assert";
import { judgeBootFiles } from "./boot_files.ts";

/** A host whose boot directories all have these files. */
function host(...names: string[]): Parameters<typeof judgeBootFiles>[0] {
  return {
    defaultBootDirectory: () => Promise.resolve("C:\\boot"),
    bootFiles: () => Promise.resolve(new Set(names)),
  };
}

Deno.test("judgeBootFiles() tells what would be booted", async () => {
  const all = host("initrd.img", "kernel", "rootfs.vhd", "vmlinux");
  assertEquals(await judgeBootFiles(all), {
    found: 'vmlinux and rootfs.vhd in "C:\\boot"',
  });
  assertEquals(await judgeBootFiles(host("initrd.img", "kernel"), "D:\\b"), {
    found: 'kernel and initrd.img in "D:\\b"',
  });
});

Deno.test("judgeBootFiles() names all that is missing", async () => {
  assertEquals(await judgeBootFiles(host("vmlinux")), {
    state: "gap",
    found: 'no root file system (rootfs.vhd or initrd.img) in "C:\\boot"',
  });
  assertEquals(await judgeBootFiles(host()), {
    state: "gap",
    found:
      'no kernel (vmlinux or kernel), no root file system (rootfs.vhd or initrd.img) in "C:\\boot"',
  });
});
