import { assertEquals, assertThrows } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import type { AccessEntry } from "../../mock/windows/access_list.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { grantVmGroup } from "./vm_group.ts";

const path = "C:\\bundle\\kernel.vmgs";

/** `FILE_ALL_ACCESS` and `FILE_GENERIC_READ`. */
const [all, read] = [0x1f_01ff, 0x12_0089];

const system: AccessEntry = { sid: "S-1-5-18", access: all };
const everybody: AccessEntry = { sid: "S-1-1-0", access: read };
const user: AccessEntry = { sid: "S-1-5-21-1-2-3-1000", access: all };
const group: AccessEntry = { sid: "S-1-5-83-0", access: 0x1000_0000 };
/** One virtual machine, not the group. */
const machine: AccessEntry = { sid: "S-1-5-83-1-2-3-4-5", access: all };

/** A machine with the file, which has these entries. */
function windowsWith(...entries: readonly AccessEntry[]): FakeWindows {
  const windows = new FakeWindows();
  windows.files.add(path);
  windows.files.find(path).access = entries;
  return windows;
}

const lists: [what: string, entries: AccessEntry[], kept: AccessEntry[]][] = [
  ["of others", [system, everybody, user], [system, everybody, user]],
  ["without entries", [], []],
  ["of a virtual machine", [machine, system], [machine, system]],
  ["that has the group already", [system, group], [system]],
  [
    "that lets the group only read",
    [{ ...group, access: read }, system],
    [system],
  ],
];
for (const [what, entries, kept] of lists) {
  Deno.test(`an access list ${what} gets one entry of the group, once and twice`, () => {
    using windows = windowsWith(...entries);
    for (let round = 0; round < 2; round++) {
      grantVmGroup(windows.libraries, path);
      assertEquals(windows.files.find(path).access, [group, ...kept]);
    }
    assertEquals(windows.leftovers(), []);
  });
}

Deno.test("a file without an access list stays open to everybody", () => {
  using windows = windowsWith();
  windows.files.find(path).access = null;
  grantVmGroup(windows.libraries, path);
  assertEquals(windows.files.find(path).access, null);
  assertEquals(windows.calls.made, ["GetNamedSecurityInfoW", "LocalFree"]);
  assertEquals(windows.leftovers(), []);
});

Deno.test("what was allocated is freed, once the list is written", () => {
  using windows = windowsWith(system);
  grantVmGroup(windows.libraries, path);
  assertEquals(windows.calls.made, [
    "GetNamedSecurityInfoW",
    "ConvertStringSidToSidW",
    "SetEntriesInAclW",
    "SetNamedSecurityInfoW",
    "LocalFree",
    "LocalFree",
    "LocalFree",
  ]);
  assertEquals(windows.leftovers(), []);
});

const failures: [symbol: string, message: string][] = [
  ["GetNamedSecurityInfoW", `Cannot read the access list of "${path}"`],
  [
    "ConvertStringSidToSidW",
    `Cannot add S-1-5-83-0 to the access list of "${path}"`,
  ],
  ["SetEntriesInAclW", `Cannot add S-1-5-83-0 to the access list of "${path}"`],
  ["SetNamedSecurityInfoW", `Cannot write the access list of "${path}"`],
];
for (const [symbol, message] of failures) {
  Deno.test(`when ${symbol} fails its code is reported, and nothing is left`, () => {
    using windows = windowsWith(system);
    windows.calls.fail(symbol, 5);
    const error = assertThrows(
      () => grantVmGroup(windows.libraries, path),
      HResultError,
      `${message}: E_ACCESSDENIED (0x80070005)`,
    );
    assertEquals(error.code, "PermissionDenied");
    assertEquals(windows.files.find(path).access, [system]);
    assertEquals(windows.leftovers(), []);
  });
}

Deno.test("a file that is not there is NotFound", () => {
  using windows = new FakeWindows();
  const error = assertThrows(
    () => grantVmGroup(windows.libraries, path),
    HResultError,
    `Cannot read the access list of "${path}": ERROR_FILE_NOT_FOUND (0x80070002)`,
  );
  assertEquals(error.code, "NotFound");
  assertEquals(windows.leftovers(), []);
});

Deno.test("a path with a NUL is refused before any call", () => {
  using windows = new FakeWindows();
  assertThrows(
    () => grantVmGroup(windows.libraries, "C:\\a\0b"),
    Error,
    "NUL",
  );
  assertEquals(windows.calls.made, []);
});
