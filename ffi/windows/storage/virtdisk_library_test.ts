import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeOpener } from "../../mock/fake_opener.ts";
import { virtDiskInterface } from "../library/virtdisk.ts";
import { systemVirtDisk } from "./virtdisk_library.ts";

Deno.test("virtdisk.dll is loaded at its first use, with what closes its handles", async () => {
  const opener = new FakeOpener({
    "virtdisk.dll": { OpenVirtualDisk: () => Promise.resolve(2) },
    "kernel32.dll": {
      LoadLibraryW: () => 1n,
      CloseHandle: () => Promise.resolve(1),
    },
  });
  const library = systemVirtDisk(opener);
  assertEquals(opener.opened, []);
  const { OpenVirtualDisk, CloseHandle } = library.symbols;
  assertEquals(await OpenVirtualDisk?.(null, null, 0, 0, null, null), 2);
  assertEquals(await CloseHandle(7n), 1);
});

Deno.test("a missing virtdisk.dll is explained", () => {
  const library = systemVirtDisk(new FakeOpener({}));
  const error = assertThrows(
    () => library.symbols,
    ShimError,
    "Cannot load C:\\Windows\\System32\\virtdisk.dll: Module not found",
  );
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("no function of virtdisk.dll blocks the event loop or must exist", () => {
  for (const [name, symbol] of Object.entries(virtDiskInterface)) {
    assertEquals([symbol.nonblocking, symbol.optional], [true, true], name);
  }
});
