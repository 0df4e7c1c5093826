import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { moduleInfo, needsOf } from "./elf.ts";
import { elfWith, kernelModule } from "./testing.ts";

Deno.test("moduleInfo() reads what a module needs and answers to", () => {
  const bytes = kernelModule(
    "alias=scsi:t-0x00*",
    "alias=block-major-8-*",
    "depends=scsi_mod,t10-pi",
    "name=sd_mod",
  );
  assertEquals(moduleInfo(bytes), {
    depends: ["scsi_mod", "t10-pi"],
    aliases: ["scsi:t-0x00*", "block-major-8-*"],
  });
});

Deno.test("moduleInfo() of a module that needs nothing is empty", () => {
  assertEquals(moduleInfo(kernelModule("depends=")), {
    depends: [],
    aliases: [],
  });
  assertEquals(moduleInfo(elfWith({ ".text": "x" })), {
    depends: [],
    aliases: [],
  });
});

Deno.test("needsOf() reads the libraries and the loader of a program", async () => {
  const { libraries, interpreter } = needsOf(await Deno.readFile("/bin/sh"));
  assert(libraries.includes("libc.so.6"), libraries.join());
  assert(/^\/lib.*\/ld-linux/.test(interpreter ?? ""), interpreter);
});

Deno.test("needsOf() of a file without segments is empty", () => {
  assertEquals(needsOf(elfWith({})), {
    interpreter: undefined,
    libraries: [],
  });
});

Deno.test("needsOf() refuses what is no ELF file", () => {
  for (const bytes of [new Uint8Array(), new Uint8Array(100)]) {
    assertThrows(() => needsOf(bytes), ShimError, "ELF");
  }
});
