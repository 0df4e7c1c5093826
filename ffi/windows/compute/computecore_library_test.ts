import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeOpener } from "../../mock/fake_opener.ts";
import { computeCoreInterface } from "../library/computecore.ts";
import { systemComputeCore } from "./computecore_library.ts";

Deno.test("computecore.dll is loaded at its first use, and stays loaded", () => {
  const opener = new FakeOpener({
    "computecore.dll": {},
    "kernel32.dll": { LoadLibraryW: () => 1n },
  });
  const library = systemComputeCore(opener);
  assertEquals(opener.opened, []);
  assertEquals(library.symbols, library.symbols);
  assertEquals(opener.opened, [
    "C:\\Windows\\System32\\computecore.dll",
    "C:\\Windows\\System32\\kernel32.dll",
  ]);
});

Deno.test("a missing computecore.dll is explained", () => {
  const library = systemComputeCore(new FakeOpener({}));
  const error = assertThrows(() => library.symbols, ShimError, "Hyper-V");
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("strings of computecore.dll are freed with LocalFree", () => {
  const freed: bigint[] = [];
  const opener = new FakeOpener({
    "kernel32.dll": {
      lstrlenW: () => 3,
      LocalFree: (memory: bigint) => void freed.push(memory),
    },
  });
  const { memory } = systemComputeCore(opener);
  const pointer = Deno.UnsafePointer.create(0x8000_0000_1000n);
  assertEquals(memory.lstrlenW(pointer), 3);
  memory.free(pointer);
  assertEquals(freed, [0x8000_0000_1000n]);
});

Deno.test("no function of computecore.dll blocks the event loop or must exist", () => {
  for (const [name, symbol] of Object.entries(computeCoreInterface)) {
    assertEquals([symbol.nonblocking, symbol.optional], [true, true], name);
  }
});
