import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { readParameter } from "../../mock/heap.ts";
import { type DllOpener, SystemDll, systemDllPath } from "./dll.ts";
import { systemVmCompute } from "../compute/vmcompute_library.ts";
import { vmComputeInterface } from "./vmcompute.ts";

const symbols = {
  Present: { parameters: ["u64"], result: "i32" },
  Missing: { parameters: [], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

/** Records what is opened; answers with `functions` for every DLL. */
function fakeOpener(
  functions: Record<string, unknown>,
  systemRoot: string | undefined = "C:\\Windows",
): DllOpener & { opened: string[] } {
  const opened: string[] = [];
  return {
    opened,
    systemRoot: () => systemRoot,
    open: <S extends Deno.ForeignLibraryInterface>(path: string) => {
      opened.push(path);
      return {
        symbols: functions,
        close: () => {},
      } as unknown as Deno.DynamicLibrary<
        S
      >;
    },
  };
}

Deno.test("a DLL is opened at first use, once, by its absolute System32 path", () => {
  const opener = fakeOpener({ Present: () => 7, Missing: null });
  const dll = new SystemDll("x.dll", symbols, { opener });
  assertEquals(opener.opened, []);
  assertEquals(dll.symbols.Present(0n), 7);
  assertEquals(dll.symbols.Missing, null);
  assertEquals(opener.opened, ["C:\\Windows\\System32\\x.dll"]);
});

Deno.test("a pinned DLL is loaded once more by the same path", () => {
  const pinned: string[] = [];
  const opener = fakeOpener({
    LoadLibraryW: (path: Uint16Array) => {
      pinned.push(readParameter(path));
      return 0x180000000n;
    },
  });
  const dll = new SystemDll("x.dll", symbols, { opener, pin: true });
  dll.symbols;
  assertEquals(pinned, ["C:\\Windows\\System32\\x.dll"]);
  assertEquals(opener.opened[1], "C:\\Windows\\System32\\kernel32.dll");
});

Deno.test("a DLL that cannot be pinned is not used", () => {
  const opener = fakeOpener({ LoadLibraryW: () => 0n });
  const dll = new SystemDll("x.dll", symbols, { opener, pin: true });
  assertThrows(() => dll.symbols, ShimError, "could not pin");
});

for (const root of [undefined, "", "Windows", "\\Windows"]) {
  Deno.test(`SystemRoot ${JSON.stringify(root)} is refused`, () => {
    const opener = { ...fakeOpener({}), systemRoot: () => root };
    const error = assertThrows(
      () => systemDllPath("x.dll", opener),
      ShimError,
      "SystemRoot",
    );
    assertEquals(error.code, "FailedPrecondition");
  });
}

Deno.test("a missing vmcompute.dll is explained, and nothing is loaded before its use", () => {
  const opener: DllOpener = {
    systemRoot: () => "C:\\Windows",
    open: () => {
      throw new TypeError("Module not found");
    },
  };
  const library = systemVmCompute(opener);
  const error = assertThrows(() => library.symbols, ShimError, "Hyper-V");
  assertEquals(error.code, "FailedPrecondition");
  assertEquals(
    error.message.startsWith(
      "Cannot load C:\\Windows\\System32\\vmcompute.dll: Module not found",
    ),
    true,
  );
});

Deno.test("strings are read by kernel32 and freed by ole32", () => {
  const freed: Deno.PointerValue[] = [];
  const opener = fakeOpener({
    lstrlenW: () => 3,
    CoTaskMemFree: (memory: Deno.PointerValue) => void freed.push(memory),
  });
  const { memory } = systemVmCompute(opener);
  const pointer = Deno.UnsafePointer.create(0x1000n);
  assertEquals(memory.lstrlenW(pointer), 3);
  memory.free(pointer);
  assertEquals(freed, [pointer]);
  assertEquals(opener.opened, [
    "C:\\Windows\\System32\\kernel32.dll",
    "C:\\Windows\\System32\\ole32.dll",
  ]);
});

Deno.test("no function of the compute service blocks the event loop or must exist", () => {
  for (const [name, symbol] of Object.entries(vmComputeInterface)) {
    assertEquals([symbol.nonblocking, symbol.optional], [true, true], name);
  }
});
