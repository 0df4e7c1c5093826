import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { Semaphore } from "../../../base/queue.ts";
import type { DetachedProcess } from "../../../hcs/ports.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import type { FakeProcess } from "../../mock/windows/process.ts";
import { spawnProcess } from "./detached_process.ts";

const program = "C:\\shim\\shim.exe";
const cwd = "C:\\bundle";

function spawn(
  bench: FakeIo,
  { stdin = new Uint8Array(), slots = new Semaphore(2) } = {},
): DetachedProcess {
  const { io, windows } = bench;
  const readText = (path: string): Promise<string> =>
    Promise.resolve().then(() => windows.files.text(path));
  const options = { cwd, stdin, env: { LCOW_TEST: "1" } };
  return spawnProcess({ io, slots, readText }, [program, "serve"], options);
}

function started(bench: FakeIo): FakeProcess {
  const [process] = bench.windows.started;
  assert(process !== undefined);
  return process;
}

/** What `panic.log` holds. */
function panic(process: FakeProcess, text: string): void {
  process.streams.stderr.content.text = text;
}

Deno.test("a process that prints the line ready is ready, and outlives its parent", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  const process = started(bench);
  assertEquals(child.pid, process.pid);
  assertEquals(process.facts.cwd, cwd);
  assert(process.facts.environment.includes("LCOW_TEST=1"));
  assertEquals(process.facts.inherited.length, 3);
  process.streams.stdout.write("starting\nrea");
  await bench.idle();
  process.streams.stdout.write("dy\r\nmore\n");
  await child.ready;
  child.release();
  child.release();
  await bench.idle();
  assert(process.isRunning);
  assert(process.streams.stdout.write("nobody reads this") !== 0);
  process.exit(0);
  assertEquals(await bench.end(), []);
});

Deno.test("the process gets its input and its end", async () => {
  const bench = new FakeIo();
  const input = crypto.getRandomValues(new Uint8Array(30_000));
  const stdin = new Uint8Array(150_000);
  for (let at = 0; at < stdin.length; at += input.length) stdin.set(input, at);
  const child = spawn(bench, { stdin });
  const { streams } = started(bench);
  let isReady = false;
  child.ready.then(() => isReady = true);
  streams.stdout.write("ready\n");
  const got: number[] = [];
  while (got.length < stdin.length) {
    await bench.idle();
    const left = stdin.length - got.length;
    assertEquals(isReady, left <= 64 * 1024, "ready once its input is written");
    got.push(...streams.stdin.take(50_000));
  }
  await bench.idle();
  assertEquals(Uint8Array.from(got), stdin);
  assert(streams.stdin.ended);
  await child.ready;
  child.release();
  started(bench).exit(0);
  assertEquals(await bench.end(), []);
});

Deno.test("only the whole line counts", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  const process = started(bench);
  process.streams.stdout.write("already\nready to go\n not ready\n");
  await bench.idle();
  process.exit(3);
  await assertRejects(() => child.ready, ShimError, "exit code 3");
  child.release();
  assertEquals(await bench.end(), []);
});

Deno.test("a process that ends before it is ready tells exit code, output and panic.log", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  const process = started(bench);
  process.streams.stdout.write("cannot do it\n");
  panic(process, "error: Uncaught TypeError\n    at main.ts:1\n");
  process.exit(70);
  const error = await assertRejects(
    () => child.ready,
    ShimError,
    "The process ended with exit code 70 before it was ready: cannot do it\nerror: Uncaught TypeError\n    at main.ts:1",
  );
  assertEquals(error.code, "Unavailable");
  await child.kill();
  assertEquals(await bench.end(), []);
});

Deno.test("a process that says nothing is told so; long last words are cut", async () => {
  for (
    const [text, expected] of [
      ["", "before it was ready: it printed nothing"],
      ["x".repeat(10_000), `ready: ${"x".repeat(4096)}`],
    ] as const
  ) {
    const bench = new FakeIo();
    const child = spawn(bench);
    panic(started(bench), text);
    started(bench).exit(1);
    const error = await assertRejects(() => child.ready, ShimError);
    assert(error.message.endsWith(expected), error.message.slice(0, 200));
    child.release();
    assertEquals(await bench.end(), []);
  }
});

Deno.test("a panic.log that cannot be read is named", async () => {
  const bench = new FakeIo();
  const { io } = bench;
  const child = spawnProcess(
    {
      io,
      slots: new Semaphore(1),
      readText: () => Promise.reject(new Deno.errors.NotFound("it is gone")),
    },
    [program],
    { cwd, stdin: new Uint8Array(), env: {} },
  );
  started(bench).exit(1);
  const error = await assertRejects(() => child.ready, ShimError);
  assertStringIncludes(error.message, "panic.log cannot be read: it is gone");
  child.release();
  assertEquals(await bench.end(), []);
});

Deno.test("a process that lets its output go but lives is not waited for for ever", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  const process = started(bench);
  process.streams.stdout.close();
  const failed = assertRejects(
    () => child.ready,
    ShimError,
    "exit code unknown",
  );
  await bench.idle();
  assertEquals(process.waits, 1);
  process.expire();
  await failed;
  const killing = child.kill();
  await killing;
  assertEquals(process.code, 1);
  assertEquals(await bench.end(), []);
});

Deno.test("kill() ends the process and waits for its end; a second one does nothing", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  const process = started(bench);
  const failed = assertRejects(() => child.ready, ShimError, "exit code 1");
  await Promise.all([child.kill(), child.kill()]);
  assertEquals([process.isRunning, process.code], [false, 1]);
  await failed;
  const before = bench.windows.calls.made.length;
  await child.kill();
  child.release();
  await bench.idle();
  assertEquals(bench.windows.calls.made.length, before);
  assertEquals(await bench.end(), []);
});

Deno.test("kill() of a process that has ended is a success", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  started(bench).exit(9);
  await child.kill();
  assertEquals(started(bench).code, 9);
  await assertRejects(() => child.ready, ShimError);
  assertEquals(await bench.end(), []);
});

Deno.test("kill() after release() touches no process: the handle may be another's", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  const process = started(bench);
  process.streams.stdout.write("ready\n");
  await child.ready;
  child.release();
  await child.kill();
  assert(process.isRunning);
  process.exit(0);
  assertEquals(await bench.end(), []);
});

for (const end of ["release", "kill"] as const) {
  Deno.test(`${end}() while its exit code is waited for does not close the handle under the wait`, async () => {
    const bench = new FakeIo();
    const child = spawn(bench);
    const process = started(bench);
    process.streams.stdout.close();
    await bench.idle();
    assertEquals(process.waits, 1);
    const ended = child[end]();
    await bench.idle();
    process.exit(5);
    await ended;
    await assertRejects(() => child.ready, ShimError);
    assertEquals(await bench.end(), []);
  });
}

Deno.test("a wait that has no slot yet finds its handle open", async () => {
  const bench = new FakeIo();
  const slots = new Semaphore(1);
  const busy = Promise.withResolvers<void>();
  const occupied = slots.run(() => busy.promise);
  const child = spawn(bench, { slots });
  started(bench).exit(4);
  await bench.idle();
  child.release();
  await bench.idle();
  busy.resolve();
  await occupied;
  await assertRejects(() => child.ready, ShimError, "exit code 4");
  assertEquals(await bench.end(), []);
});

Deno.test("release() before it is ready lets it go; nobody needs to ask for readiness", async () => {
  const bench = new FakeIo();
  const child = spawn(bench);
  child.release();
  await bench.idle();
  assert(started(bench).isRunning);
  await assertRejects(() => child.ready, ShimError, "exit code unknown");
  started(bench).exit(0);
  assertEquals(await bench.end(), []);
});

Deno.test("a process that reads no input is over when it ends", async () => {
  const bench = new FakeIo();
  const child = spawn(bench, { stdin: new Uint8Array(500_000) });
  await bench.idle();
  started(bench).exit(2);
  await assertRejects(() => child.ready, ShimError, "exit code 2");
  child.release();
  assertEquals(await bench.end(), []);
});

Deno.test("a program that cannot be started leaves nothing", async () => {
  const bench = new FakeIo();
  bench.windows.calls.fail("CreateProcessW", 2);
  const error = assertThrows(
    () => spawn(bench),
    HResultError,
    `Cannot start "${program}": ERROR_FILE_NOT_FOUND`,
  );
  assertEquals(error.code, "NotFound");
  assertEquals(await bench.end(), []);
});

Deno.test("whichever call fails, nothing is left behind", async () => {
  let isDone = false;
  for (let skip = 0; !isDone; skip++) {
    const bench = new FakeIo();
    const { calls } = bench.windows;
    calls.failAfter(skip, 1450);
    try {
      const child = spawn(bench, { stdin: new Uint8Array(10) });
      const process = started(bench);
      process.streams.stdout.write("ready\n");
      await child.ready.catch(() => {});
      if (skip % 2 === 0) await child.kill();
      else child.release();
    } catch (error) {
      assert(error instanceof ShimError, String(error));
      assertEquals(bench.windows.started, []);
    }
    await bench.idle();
    for (const process of bench.windows.started) process.exit(0);
    isDone = !calls.hasFailed;
    if (isDone) assert(skip >= 16, `only ${skip} calls`);
    assertEquals(await bench.end(), [], `call ${skip} failed`);
  }
});
