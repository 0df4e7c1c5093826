import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { PendingFiles } from "../base/pending_files.ts";
import { retry, waitForMatch, waitForPaths } from "./wait.ts";

async function withFolder(
  test: (folder: string, clock: FakeClock) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  using files = new PendingFiles();
  try {
    await test(folder, files.clock);
  } finally {
    // A look that nobody waits for any more may still be under way.
    await files.clock.advance(0);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Lets a wait come to its first sleep. */
async function sleeping(clock: FakeClock): Promise<void> {
  while (clock.sleepers < 2) await clock.advance(0);
}

Deno.test("guest:L7 a literal and a wildcard pattern find the one path", () =>
  withFolder(async (folder, clock) => {
    await Deno.mkdir(`${folder}/a.b/pci1`, { recursive: true });
    await Deno.mkdir(`${folder}/axb`);
    const wait = { clock, timeout: 100 };
    const path = `${folder}/a.b/pci1`;
    assertEquals(await waitForMatch(path, wait), path);
    assertEquals(await waitForMatch(`${folder}/a.*/p*1`, wait), path);
  }));

Deno.test("guest:L8 two matches are an error at once, none is one at the deadline", () =>
  withFolder(async (folder, clock) => {
    const wait = { clock, timeout: 100 };
    for (const name of ["a1", "a2"]) await Deno.mkdir(`${folder}/${name}`);
    const twice = await assertRejects(
      () => waitForMatch(`${folder}/a*`, wait),
      ShimError,
      "2 paths match",
    );
    assertEquals(twice.code, "FailedPrecondition");
    const missing = assertRejects(
      () => waitForMatch(`${folder}/b*`, wait),
      ShimError,
      "within 100 ms",
    );
    await sleeping(clock);
    await clock.advance(100);
    assertEquals((await missing).code, "DeadlineExceeded");
  }));

Deno.test("waitForPaths() waits for paths that are there and that come, up to its bound", () =>
  withFolder(async (folder, clock) => {
    const wait = { clock, timeout: 300 };
    await waitForPaths([folder], wait);
    const late = [`${folder}/one`, `${folder}/two`];
    const waited = waitForPaths(late, wait);
    await sleeping(clock);
    await Deno.writeTextFile(late[1]!, "");
    await clock.advance(200);
    await Deno.writeTextFile(late[0]!, "");
    while (clock.sleepers > 0) await clock.advance(10);
    await waited;
    await assertRejects(
      () => waitForPaths([], wait),
      ShimError,
      "no paths are named",
    );
  }));

Deno.test("a wait ends with its caller, and tells the caller's reason", () =>
  withFolder(async (folder, clock) => {
    const quit = new AbortController();
    const wait = { clock, timeout: 5000, signal: quit.signal };
    const waits = [
      () => waitForPaths([`${folder}/none`], wait),
      () => retry(() => Promise.reject(new Error("busy")), () => true, wait),
    ].map((task) => assertRejects(task, DOMException, "the VM ends"));
    while (clock.sleepers < 3) await clock.advance(0);
    quit.abort(new DOMException("the VM ends", "TimeoutError"));
    await Promise.all(waits);
    assertEquals(clock.sleepers, 0);
  }));

Deno.test("retry() tries what may change until time is up, and tells the last failure", async () => {
  const clock = new FakeClock();
  const attempts: number[] = [];
  const task = (): Promise<never> => {
    attempts.push(clock.now());
    return Promise.reject(new Error(`attempt ${attempts.length}`));
  };
  const wait = { clock, timeout: 250 };
  const failed = assertRejects(
    () => retry(task, () => true, wait),
    Error,
    "attempt 4",
  );
  await clock.advance(300);
  await failed;
  await assertRejects(() => retry(task, () => false, wait), Error, "attempt 5");
});
