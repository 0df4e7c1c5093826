import { assertEquals } from "@std/assert";
import { HResult, HResultError } from "../../base/hresult.ts";
import { logPath, stateDirectory } from "./cli.ts";
import { crunRefusal } from "./detect.ts";
import { lastLoggedError, runtimeError } from "./errors.ts";

Deno.test("guest:K1 guest:K2 the runtime's log is in the bundle, its files in a folder per container", () => {
  assertEquals(logPath("/run/gcs/c/a"), "/run/gcs/c/a/runc.log");
  assertEquals(logPath("/run/gcs/pods/p/a"), "/run/gcs/pods/p/a/runc.log");
  assertEquals(stateDirectory("a"), "/var/run/gcsrunc/a");
});

function line(msg: string, level = "error"): string {
  return JSON.stringify({ msg, level, time: "2026-11-22T10:00:00Z" });
}

Deno.test("lastLoggedError() finds the last error among other lines", () => {
  assertEquals(
    lastLoggedError(`${line("a")}\n${line("b")}\n${line("c", "info")}\n{"msg`),
    "b",
  );
  assertEquals(lastLoggedError("plain text\n[]\n7\n"), undefined);
  assertEquals(lastLoggedError(""), undefined);
});

Deno.test("runtimeError() knows what runc and crun say", () => {
  const rows: [string, number | undefined][] = [
    ['container "x" does not exist', HResult.SystemNotFound],
    ["container with id exists: x", HResult.SystemAlreadyExists],
    ["container with given ID already exists", HResult.SystemAlreadyExists],
    ["invalid container ID format: x", HResult.InvalidArgument],
    [
      "cannot delete container x that is not stopped",
      HResult.GuestInvalidState,
    ],
    ["container not running", HResult.SystemAlreadyStopped],
    ["the container `x` is not running", HResult.SystemAlreadyStopped],
    ["exec format error", undefined],
  ];
  for (const [text, hresult] of rows) {
    const error = runtimeError("Cannot start x", "crun", 1, line(text));
    const code = error instanceof HResultError ? error.hresult : undefined;
    assertEquals(code, hresult, text);
    assertEquals(
      error.message.startsWith(`Cannot start x: crun: ${text}`),
      true,
    );
  }
  assertEquals(
    runtimeError("Cannot start x", "crun", 7, "").message,
    "Cannot start x: crun ended with code 7 and no message",
  );
});

Deno.test("crunRefusal() knows where crun cannot work", () => {
  const v1 = { version: 1, controllers: new Map(), hybrid: false } as const;
  const all = (1n << 40n) - 1n;
  const few = all & ~(1n << 24n);
  assertEquals(crunRefusal({ layout: v1, capabilities: few }), undefined);
  const v2 = { ...v1, version: 2 } as const;
  assertEquals(crunRefusal({ layout: v2, capabilities: all }), undefined);
  assertEquals(
    crunRefusal({ layout: v2, capabilities: few }),
    "CAP_SYS_RESOURCE is missing",
  );
  const hybrid = { ...v1, hybrid: true };
  assertEquals(
    crunRefusal({ layout: hybrid, capabilities: all }),
    "controllers of cgroup v1 and v2 are mixed",
  );
});
