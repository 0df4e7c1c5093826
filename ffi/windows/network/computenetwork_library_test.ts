import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { FakeOpener } from "../../mock/fake_opener.ts";
import { computeNetworkInterface } from "../library/computenetwork.ts";
import { systemComputeNetwork } from "./computenetwork_library.ts";

Deno.test("computenetwork.dll is loaded at its first use, and stays loaded", () => {
  const opener = new FakeOpener({
    "computenetwork.dll": {},
    "kernel32.dll": { LoadLibraryW: () => 1n },
  });
  const library = systemComputeNetwork(opener);
  assertEquals(opener.opened, []);
  assertEquals(library.symbols, library.symbols);
  assertEquals(opener.opened, [
    "C:\\Windows\\System32\\computenetwork.dll",
    "C:\\Windows\\System32\\kernel32.dll",
  ]);
});

Deno.test("a missing computenetwork.dll is explained", () => {
  const library = systemComputeNetwork(new FakeOpener({}));
  const error = assertThrows(() => library.symbols, ShimError, "Containers");
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("strings of computenetwork.dll are freed with CoTaskMemFree", () => {
  const freed: Deno.PointerValue[] = [];
  const opener = new FakeOpener({
    "kernel32.dll": { lstrlenW: () => 3 },
    "ole32.dll": {
      CoTaskMemFree: (memory: Deno.PointerValue) => void freed.push(memory),
    },
  });
  const { memory } = systemComputeNetwork(opener);
  const pointer = Deno.UnsafePointer.create(0x1000n);
  assertEquals(memory.lstrlenW(pointer), 3);
  memory.free(pointer);
  assertEquals(freed, [pointer]);
});

Deno.test("no function of computenetwork.dll blocks the event loop or must exist", () => {
  for (const [name, symbol] of Object.entries(computeNetworkInterface)) {
    assertEquals([symbol.nonblocking, symbol.optional], [true, true], name);
  }
});
