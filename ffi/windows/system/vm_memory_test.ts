import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import type { ListedProcess } from "../../mock/windows/process_list.ts";
import { findVmMemory } from "./vm_memory.ts";

const id = "1A2B3C4D-1111-2222-3333-444455556666";
const domain = "NT VIRTUAL MACHINE";

/** A machine with these processes, between some that have nothing to do with it. */
function machine(
  ...processes: (Partial<ListedProcess> & { readonly pid: number })[]
): FakeWindows {
  const windows = new FakeWindows();
  const usual = { name: "vmmem", account: id, domain, workingSet: 1n };
  const system = { account: "SYSTEM", domain: "NT AUTHORITY" };
  windows.processes.push(
    { ...usual, ...system, pid: 4, name: "a-long-name-that-stays-behind.exe" },
    ...processes.map((process) => ({ ...usual, ...process })),
    { ...usual, ...system, pid: 8, name: "vmmemory.exe" },
  );
  return windows;
}

for (const name of ["vmmem", "vmmem.exe", "VmMem", "VMMEM.EXE"]) {
  Deno.test(`host:O4 the process ${name} of the virtual machine tells its memory`, () => {
    using windows = machine({ pid: 100, name, workingSet: 5_000_000_000n });
    const counter = findVmMemory(windows.libraries, id);
    assertEquals(counter.workingSet(), 5_000_000_000n);
    windows.processes[1]!.workingSet = 6_000_000_000n;
    assertEquals(counter.workingSet(), 6_000_000_000n);
    counter.close();
    counter.close();
    assertEquals(windows.leftovers(), []);
  });
}

Deno.test("host:O4 id, account and domain are compared without regard to case", () => {
  const spellings = [id.toLowerCase(), id.toUpperCase()];
  for (const account of spellings) {
    for (const asked of spellings) {
      using windows = machine({
        pid: 100,
        account,
        domain: "Nt Virtual Machine",
      });
      findVmMemory(windows.libraries, asked).close();
      assertEquals(windows.leftovers(), []);
    }
  }
});

Deno.test("host:O4 of several candidates the right one is taken", () => {
  using windows = machine(
    { pid: 100, account: "other", workingSet: 100n },
    { pid: 104, domain: "WORKGROUP", workingSet: 104n },
    { pid: 108, workingSet: 108n },
    { pid: 112, workingSet: 112n },
  );
  const counter = findVmMemory(windows.libraries, id);
  assertEquals(counter.workingSet(), 108n);
  counter.close();
  assertEquals(windows.leftovers(), []);
});

const absent: [what: string, process: Partial<ListedProcess>][] = [
  ["id", { account: "5A2B3C4D-1111-2222-3333-444455556666" }],
  ["domain", { domain: "NT AUTHORITY" }],
  ["name", { name: "vmmemWSL" }],
  ["name", { name: "vmmem.exe.exe" }],
  ["account, which only begins like it", { account: `${id}0` }],
];
for (const [what, process] of absent) {
  Deno.test(`host:O4 a process with a wrong ${what} is none: ${JSON.stringify(process)}`, () => {
    using windows = machine({ pid: 100, ...process });
    const error = assertThrows(
      () => findVmMemory(windows.libraries, id),
      ShimError,
      `No process vmmem of virtual machine "${id}" found`,
    );
    assertEquals(error.code, "NotFound");
    assertEquals(windows.leftovers(), []);
  });
}

Deno.test("host:O4 a machine without such a process is NotFound", () => {
  using windows = machine();
  const error = assertThrows(
    () => findVmMemory(windows.libraries, id),
    ShimError,
  );
  assertEquals(error.code, "NotFound");
  assertEquals(windows.leftovers(), []);
});

for (
  const symbol of [
    "OpenProcess",
    "OpenProcessToken",
    "GetTokenInformation",
    "LookupAccountSidW",
  ]
) {
  Deno.test(`host:O4 when ${symbol} fails the next candidate is looked at`, () => {
    using windows = machine(
      { pid: 100, account: "other" },
      { pid: 104, workingSet: 104n },
    );
    windows.calls.fail(symbol, 5);
    const counter = findVmMemory(windows.libraries, id);
    assertEquals(counter.workingSet(), 104n);
    counter.close();
    windows.calls.fail(symbol, 5);
    windows.calls.fail(symbol, 5);
    const error = assertThrows(
      () => findVmMemory(windows.libraries, id),
      ShimError,
    );
    assertEquals(error.code, "NotFound");
    assertEquals(windows.leftovers(), []);
  });
}

Deno.test("host:O4 processes that cannot be listed are an error with a code", () => {
  using windows = machine({ pid: 100 });
  windows.calls.fail("CreateToolhelp32Snapshot", 5);
  const error = assertThrows(
    () => findVmMemory(windows.libraries, id),
    HResultError,
    "Cannot list the processes: E_ACCESSDENIED",
  );
  assertEquals(error.code, "PermissionDenied");
  for (const symbol of ["Process32FirstW", "Process32NextW"]) {
    windows.calls.fail(symbol, 24);
    assertThrows(
      () => findVmMemory(windows.libraries, id),
      HResultError,
      "Cannot list the processes: HRESULT (0x80070018)",
    );
  }
  assertEquals(windows.leftovers(), []);
});

Deno.test("host:O4 memory that cannot be read is an error; the counter can still be closed", () => {
  using windows = machine({ pid: 100 });
  const counter = findVmMemory(windows.libraries, id);
  windows.calls.fail("K32GetProcessMemoryInfo", 5);
  assertThrows(
    () => counter.workingSet(),
    HResultError,
    `Cannot read the memory of virtual machine "${id}": E_ACCESSDENIED`,
  );
  assertEquals(counter.workingSet(), 1n);
  counter.close();
  // Its handle may be somebody else's by now.
  assertThrows(() => counter.workingSet(), HResultError, "E_HANDLE");
  assertEquals(windows.leftovers(), []);
});
