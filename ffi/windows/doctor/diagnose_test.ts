import { assertEquals } from "@std/assert";
import { FakeClock } from "../../../base/clock.ts";
import { ShimError } from "../../../base/errors.ts";
import { silentLogger } from "../../../base/log.ts";
import { Semaphore } from "../../../base/queue.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import type { WindowsIo } from "../io/windows_io.ts";
import type { DllOpener } from "../library/dll.ts";
import { diagnose } from "./diagnose.ts";

/** What every DLL of this machine answers. */
const broken = "no such DLL";

const opener: DllOpener = {
  systemRoot: () => "C:\\Windows",
  open: () => {
    throw new TypeError(broken);
  },
};

const libraries = new Proxy({}, {
  get: () => {
    throw new ShimError("FailedPrecondition", broken);
  },
});

Deno.test("diagnose() makes a finding of everything on a machine that has nothing", async () => {
  const findings = await Array.fromAsync(diagnose({
    io: { libraries } as unknown as WindowsIo,
    slots: new Semaphore(1),
    opener,
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
    log: silentLogger,
  }, {
    env: () => undefined,
    readText: () => Promise.reject(new Error("unreadable")),
    isFile: () => Promise.resolve(false),
  }));
  // What it has is its processors.
  const others = findings.filter(({ check }) => check !== "architecture");
  assertEquals(
    others.filter(({ state }) => state !== "gap").map(({ check }) => check),
    ["computecore.dll"],
  );
  for (const { check, state, found, advice } of findings) {
    assertEquals(found === "", false, check);
    assertEquals(advice === "", state === "ok", check);
  }
  const names = findings.map(({ check }) => check);
  assertEquals(new Set(names).size, names.length);
});
