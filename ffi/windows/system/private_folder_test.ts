import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import {
  findLogFolder,
  openLogFolder,
  openPrivateFolder,
} from "./private_folder.ts";

const path = "C:\\ProgramData\\lcow";

/** Runs a test on a machine on which this process runs as `S-1-5-<process id>`. */
function onWindows(task: (windows: FakeWindows) => void): void {
  using windows = new FakeWindows();
  windows.processes.push({
    pid: Deno.pid,
    name: "containerd-shim-lcow-v2.exe",
    account: "me",
    domain: "here",
    workingSet: 0n,
  });
  task(windows);
  assertEquals(windows.leftovers(), []);
}

Deno.test("the folder of the log files is made for administrators, once", () => {
  onWindows(({ libraries, files }) => {
    for (let time = 0; time < 2; time++) {
      assertEquals(
        openLogFolder(libraries, "C:\\ProgramData"),
        `${path}\\log`,
      );
      for (const made of [path, `${path}\\log`]) {
        assertEquals(files.find(made).owner, "S-1-5-32-544");
      }
    }
  });
});

Deno.test("for a reader the folder of the log files is not made, but must not be somebody else's", () => {
  onWindows(({ libraries, files, calls }) => {
    const found = (): string => findLogFolder(libraries, "C:\\ProgramData");
    assertEquals(found(), `${path}\\log`);
    assertThrows(() => files.find(path));
    openLogFolder(libraries, "C:\\ProgramData");
    assertEquals(found(), `${path}\\log`);
    calls.fail("CreateFileW", 5);
    assertThrows(found, HResultError, "E_ACCESSDENIED");
  });
  onWindows(({ libraries, files }) => {
    files.makeFolder(path, "S-1-5-21-7-7-7-1001");
    assertThrows(
      () => findLogFolder(libraries, "C:\\ProgramData"),
      ShimError,
      "it belongs to S-1-5-21-7-7-7-1001",
    );
  });
});

Deno.test("a folder of the system or of this user is taken as it is", () => {
  onWindows(({ libraries, files }) => {
    files.makeFolder(path, "S-1-5-18");
    openPrivateFolder(libraries, path);
    files.makeFolder(`${path}2`, `S-1-5-${Deno.pid}`);
    openPrivateFolder(libraries, `${path}2`);
  });
});

Deno.test("a folder that somebody else made is refused", () => {
  onWindows(({ libraries, files }) => {
    files.makeFolder(path, "S-1-5-21-7-7-7-1001");
    const error = assertThrows(
      () => openLogFolder(libraries, "C:\\ProgramData"),
      ShimError,
      `Cannot use the folder "${path}": it belongs to S-1-5-21-7-7-7-1001`,
    ) as ShimError;
    assertEquals(error.code, "FailedPrecondition");
  });
});

Deno.test("where this user cannot be told, only administrators' folders are taken", () => {
  for (
    const symbol of ["OpenProcess", "OpenProcessToken", "GetTokenInformation"]
  ) {
    onWindows(({ libraries, files, calls }) => {
      files.makeFolder(path, `S-1-5-${Deno.pid}`);
      calls.fail(symbol, 5);
      assertThrows(
        () => openPrivateFolder(libraries, path),
        ShimError,
        "belongs",
      );
    });
  }
});

Deno.test("what the system refuses is reported with the folder", () => {
  const failures: [symbol: string, message: string][] = [
    ["CreateDirectoryW", `Cannot make the folder "${path}": E_ACCESSDENIED`],
    ["CreateFileW", `Cannot find out who owns the folder "${path}": E_ACCESS`],
    [
      "GetKernelObjectSecurity",
      `who owns the folder "${path}": E_ACCESSDENIED`,
    ],
  ];
  for (const [symbol, message] of failures) {
    onWindows(({ libraries, calls }) => {
      calls.fail(symbol, 5);
      assertThrows(
        () => openPrivateFolder(libraries, path),
        HResultError,
        message,
      );
    });
  }
});

Deno.test("without %ProgramData% there is no folder", () => {
  onWindows(({ libraries }) => {
    for (const value of [undefined, ""]) {
      for (const folder of [openLogFolder, findLogFolder]) {
        assertThrows(() => folder(libraries, value), ShimError, "ProgramData");
      }
    }
  });
});
