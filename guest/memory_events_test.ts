import { assertEquals } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { jsonLogger } from "../base/log.ts";
import { AsyncQueue } from "../base/queue.ts";
import type { MemoryWatch } from "./cgroup/tree.ts";
import { logMemoryEvents, type MemoryEventOptions } from "./memory_events.ts";

/** A watch that is told its events; like the kernel's, it holds one. */
function watch(signal?: AbortSignal): AsyncQueue<void> {
  const queue = new AsyncQueue<void>({ capacity: 1 });
  signal?.addEventListener("abort", () => queue.close());
  return queue;
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly group: string;
  readonly error?: string;
  readonly memory?: unknown;
}

/** What is needed, and what is logged. */
function setUp(
  watches: {
    readonly gcs: () => Promise<MemoryWatch>;
    readonly pods: () => Promise<MemoryWatch>;
  },
): MemoryEventOptions & {
  readonly lines: Line[];
  readonly clock: FakeClock;
  readonly asked: unknown[];
  readonly stop: AbortController;
} {
  const lines: Line[] = [];
  const asked: unknown[] = [];
  const stop = new AbortController();
  return {
    lines,
    asked,
    stop,
    signal: stop.signal,
    clock: new FakeClock(),
    threshold: 50n,
    log: jsonLogger((line) => lines.push(JSON.parse(line))),
    cgroups: {
      watchThreshold(path, bytes) {
        asked.push([path, bytes]);
        return watches.gcs();
      },
      watchOom(path) {
        asked.push([path]);
        return watches.pods();
      },
      stats: (path) =>
        path === "/gcs"
          ? Promise.resolve({ memory: { usage: { usage: 60n } } })
          : Promise.reject(new ShimError("NotFound", "no such group")),
    },
  };
}

Deno.test(
  "events of memory are logged with its numbers, at most one line per second",
  { timeout: 60_000 },
  async () => {
    const [gcs, pods] = [watch(), watch()];
    const options = setUp({
      gcs: () => Promise.resolve(gcs),
      pods: () => Promise.resolve(pods),
    });
    const { lines, clock } = options;
    const done = logMemoryEvents(options);
    assertEquals(options.asked, [["/gcs", 50n], ["/pods"]]);
    gcs.push();
    await clock.advance(0);
    for (let i = 0; i < 3; i++) gcs.push();
    await clock.advance(999);
    assertEquals(lines.length, 1);
    assertEquals(lines[0]?.group, "/gcs");
    assertEquals(lines[0]?.memory, { usage: "60" });
    await clock.advance(1);
    assertEquals(lines.length, 2);
    pods.push();
    await clock.advance(0);
    assertEquals(lines[2]?.group, "/pods");
    assertEquals(lines[2]?.error, "no such group");
    gcs.close();
    pods.close();
    await clock.advance(1000);
    await done;
  },
);

Deno.test(
  "a group that cannot be watched is told, and the other one is watched",
  { timeout: 60_000 },
  async () => {
    const pods = watch();
    const options = setUp({
      gcs: () => Promise.reject(new ShimError("NotFound", "no group")),
      pods: () => Promise.resolve(pods),
    });
    const done = logMemoryEvents(options);
    await options.clock.advance(0);
    assertEquals(
      options.lines.map(({ level, group, error }) => [level, group, error]),
      [["warn", "/gcs", "no group"]],
    );
    pods.push();
    await options.clock.advance(0);
    assertEquals(options.lines.at(-1)?.group, "/pods");
    options.stop.abort(); // in the pause after the event
    await done;
  },
);

Deno.test("the end of the agent ends its watches without a word", {
  timeout: 60_000,
}, async () => {
  const stopped = setUp({
    gcs: () => Promise.resolve(watch(stopped.signal)),
    pods: () => Promise.resolve(watch(stopped.signal)),
  });
  const done = logMemoryEvents(stopped);
  await stopped.clock.advance(0);
  stopped.stop.abort();
  await done;
  assertEquals(stopped.lines, []);
});
