import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import type { DllOpener } from "../library/dll.ts";
import { systemIoLibraries, WindowsIo } from "./windows_io.ts";

/** Opens a machine's DLLs, and records which. */
function openerOf(windows: FakeWindows): DllOpener & { opened: string[] } {
  const opened: string[] = [];
  const { libraries } = windows;
  const byName: Readonly<Record<string, unknown>> = {
    "kernel32.dll": { ...libraries.kernel32, LoadLibraryW: () => 1n },
    "ntdll.dll": libraries.ntdll,
    "advapi32.dll": libraries.advapi32,
    "ws2_32.dll": libraries.ws2_32,
    "mswsock.dll": libraries.mswsock,
  };
  return {
    opened,
    systemRoot: () => "C:\\Windows",
    open: <S extends Deno.ForeignLibraryInterface>(path: string) => {
      const name = path.split("\\").at(-1)!;
      opened.push(name);
      const library = { symbols: byName[name], close: () => {} };
      return library as unknown as Deno.DynamicLibrary<S>;
    },
  };
}

Deno.test("a DLL is loaded when it is first asked for", () => {
  using windows = new FakeWindows();
  const opener = openerOf(windows);
  const libraries = systemIoLibraries(opener);
  assertEquals(opener.opened, []);
  assertStrictEquals(libraries.ntdll, windows.libraries.ntdll);
  assertStrictEquals(libraries.ntdll, windows.libraries.ntdll);
  assertEquals(opener.opened, ["ntdll.dll"]);
  const io = new WindowsIo(libraries);
  assertEquals(opener.opened, ["ntdll.dll", "kernel32.dll"]);
  io.close();
  assertStrictEquals(libraries.advapi32, windows.libraries.advapi32);
  assertEquals(windows.leftovers(), []);
});

Deno.test("sockets are begun once, when they are first asked for", () => {
  using windows = new FakeWindows();
  const libraries = systemIoLibraries(openerOf(windows));
  assertEquals(windows.calls.made, []);
  for (let count = 0; count < 3; count++) {
    assertStrictEquals(libraries.ws2_32, windows.libraries.ws2_32);
  }
  assertStrictEquals(libraries.mswsock, windows.libraries.mswsock);
  assertEquals(windows.calls.made, ["WSAStartup"]);
});

Deno.test("a machine without sockets says so, and is asked again", () => {
  using windows = new FakeWindows();
  const libraries = systemIoLibraries(openerOf(windows));
  windows.calls.fail("WSAStartup", 10091);
  assertThrows(
    () => libraries.ws2_32,
    HResultError,
    "Cannot use sockets: HRESULT (0x8007276B)",
  );
  assertStrictEquals(libraries.ws2_32, windows.libraries.ws2_32);
});

Deno.test("I/O that cannot begin leaves nothing", () => {
  for (const symbol of ["CreateIoCompletionPort", "VirtualAlloc"]) {
    using windows = new FakeWindows();
    windows.calls.fail(symbol, 8);
    assertThrows(() => new WindowsIo(windows.libraries), ShimError);
    assertEquals(windows.leftovers(), []);
  }
});
