import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger as log } from "../base/log.ts";
import { libc } from "../ffi/linux/libc.ts";
import { kill } from "../ffi/linux/process.ts";
import { ProgramError, programRunner, type RunProgram } from "./program.ts";
import { Reaper } from "../ffi/linux/reaper.ts";

Deno.test.beforeAll(() => void libc());

async function withRunner(
  test: (run: RunProgram, clock: FakeClock, reaper: Reaper) => Promise<void>,
): Promise<void> {
  const reaper = new Reaper({ log, orphans: false });
  reaper.start();
  // A listener for signals does not keep the event loop running.
  const alive = setInterval(() => {}, 60_000);
  const clock = new FakeClock();
  const env = { PATH: "/usr/bin:/bin", NAME: "value" };
  const options = { reaper, kill, clock, timeout: 1000, env };
  try {
    await test(programRunner(options), clock, reaper);
    assertEquals(reaper.waiting, 0);
    assertEquals(clock.sleepers, 0);
  } finally {
    clearInterval(alive);
    reaper.stop();
  }
}

Deno.test("a program gets its arguments and the agent's environment", () =>
  withRunner(async (run) => {
    const folder = await Deno.makeTempDir();
    try {
      const script = 'printf %s "$NAME $1" > "$0"';
      await run("sh", ["-c", script, `${folder}/out`, "a b"]);
      assertEquals(await Deno.readTextFile(`${folder}/out`), "value a b");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }));

Deno.test("a program that fails is told with its code and what it wrote", () =>
  withRunner(async (run) => {
    const script = "echo first; echo last >&2; exit 5";
    const error = await assertRejects(
      () => run("sh", ["-c", script]),
      ProgramError,
      "sh ended with code 5: last",
    );
    assertEquals(error.output, "first\nlast\n");
    const flood = await assertRejects(
      () => run("sh", ["-c", "yes | head -c 1000000; exit 1"]),
      ProgramError,
    );
    assertEquals(flood.output.length, 65536);
  }));

Deno.test("a program that the VM does not have is told by name", () =>
  withRunner(async (run) => {
    const error = await assertRejects(
      () => run("no-such-program", []),
      ShimError,
    );
    assertEquals(error.code, "FailedPrecondition");
    assert(error.message.includes("no-such-program"));
  }));

Deno.test("a program ends at its bound, and with the agent", () =>
  withRunner(async (run, clock) => {
    const late = assertRejects(
      () => run("sleep", ["1000"]),
      DOMException,
      "sleep took longer than 1000 ms",
    );
    while (clock.sleepers === 0) await clock.advance(0);
    await clock.advance(1000);
    await late;
    const quit = new AbortController();
    const ended = assertRejects(
      () => run("sleep", ["1000"], { signal: quit.signal }),
      Error,
      "the VM ends",
    );
    while (clock.sleepers === 0) await clock.advance(0);
    quit.abort(new Error("the VM ends"));
    await ended;
    await assertRejects(
      () => run("sleep", ["1"], { signal: quit.signal }),
      Error,
      "ends",
    );
  }));
