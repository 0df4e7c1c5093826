import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { type CgroupLayout, parseLayout, readLayout } from "./layout.ts";
import { cgroupTree } from "./open.ts";
import type { CgroupTree, MemoryWatch } from "./tree.ts";
import { CgroupV1 } from "./v1.ts";
import { CgroupV2 } from "./v2.ts";

Deno.test.beforeAll(() => void libc());

const operations = [
  "create",
  "join",
  "limitMemory",
  "processes",
  "remove",
  "stats",
  "watchOom",
  "watchThreshold",
] as const satisfies readonly (keyof CgroupTree)[];

Deno.test(
  "guest:J1 both versions satisfy one interface, and the choice between them is stable",
  { timeout: 60_000 },
  async () => {
    const base = "25 1 0:30 / /sys/fs/cgroup rw";
    const rows: [mountinfo: string, type: typeof CgroupV1 | typeof CgroupV2][] =
      [
        [`${base} - tmpfs tmpfs rw`, CgroupV1],
        [`${base} - cgroup2 cgroup2 rw`, CgroupV2],
      ];
    const clock = new FakeClock();
    for (const [mountinfo, type] of rows) {
      for (let call = 0; call < 3; call++) {
        const tree = cgroupTree(parseLayout(mountinfo, ""), clock);
        assert(tree instanceof type);
        for (const name of operations) {
          assertEquals(typeof tree[name], "function");
        }
      }
    }
    const layout = await readLayout();
    for (let call = 0; call < 3; call++) {
      assertEquals(await readLayout(), layout);
    }
  },
);

/** A version 2 group made of files. */
async function withGroup(
  test: (folder: string, tree: CgroupV2, clock: FakeClock) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/a`);
    using files = new PendingFiles();
    const { clock } = files;
    await test(`${folder}/a`, new CgroupV2(folder, clock), clock);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The next event of a watch, or the end. */
function reader(watch: MemoryWatch): () => Promise<"event" | "end"> {
  const iterator = watch[Symbol.asyncIterator]();
  return async () => (await iterator.next()).done ? "end" : "event";
}

const events = (kills: number, high = 0): string =>
  `low 0\nhigh ${high}\nmax 7\noom 9\noom_kill ${kills}\noom_group_kill 0\n`;

Deno.test(
  "version 2 tells that a process of a group was killed, until the group is gone",
  { timeout: 60_000 },
  () =>
    withGroup(async (group, tree) => {
      await Deno.writeTextFile(`${group}/memory.events`, events(1));
      const watch = await tree.watchOom("/a", new AbortController().signal);
      const next = reader(watch);
      const first = next();
      await Deno.writeTextFile(`${group}/memory.events`, events(1, 5));
      await Deno.writeTextFile(`${group}/memory.events`, events(2, 5));
      assertEquals(await first, "event");
      const end = next();
      await Deno.remove(group, { recursive: true });
      assertEquals(await end, "end");
    }),
);

Deno.test("a watch ends with its reader, whether its signal aborts or not", {
  timeout: 60_000,
}, () =>
  withGroup(async (group, tree) => {
    await Deno.writeTextFile(`${group}/memory.events`, events(0));
    for (const [kills, aborts] of [[1, false], [2, true]] as const) {
      const stop = new AbortController();
      const watch = await tree.watchOom("/a", stop.signal);
      await Deno.writeTextFile(`${group}/memory.events`, events(kills));
      for await (const _ of watch) {
        if (aborts) stop.abort();
        break;
      }
    }
  }));

Deno.test(
  "version 2 tells a use of memory that is above the threshold and rises",
  { timeout: 60_000 },
  () =>
    withGroup(async (group, tree, clock) => {
      const use = (bytes: number): Promise<void> =>
        Deno.writeTextFile(`${group}/memory.current`, `${bytes}\n`);
      await use(50);
      const { signal } = new AbortController();
      const next = reader(await tree.watchThreshold("/a", 100n, signal));
      // Samples: below, above, falling, rising.
      let event = next();
      for (const bytes of [100, 120, 110, 115]) {
        await use(bytes);
        await clock.advance(1000);
        if (bytes !== 120 && bytes !== 115) continue;
        assertEquals(await event, "event");
        event = next();
      }
      await Deno.remove(`${group}/memory.current`);
      await clock.advance(1000);
      assertEquals(await event, "end");
      assertEquals(clock.sleepers, 0);
    }),
);

Deno.test(
  "a watch that nobody reads ends with its signal",
  { timeout: 60_000 },
  () =>
    withGroup(async (group, tree, clock) => {
      await Deno.writeTextFile(`${group}/memory.events`, events(0));
      await Deno.writeTextFile(`${group}/memory.current`, "1\n");
      const stop = new AbortController();
      const watches = [
        await tree.watchOom("/a", stop.signal),
        await tree.watchThreshold("/a", 1n, stop.signal),
      ];
      stop.abort();
      for (const watch of watches) assertEquals(await reader(watch)(), "end");
      assertEquals(clock.sleepers, 0);
      await assertRejects(() => tree.watchOom("/a", stop.signal), DOMException);
    }),
);

Deno.test(
  "without a memory controller nothing is watched",
  { timeout: 60_000 },
  async () => {
    const controllers = new Map([["cpu", "/sys/fs/cgroup/cpu"]]);
    const layout: CgroupLayout = { version: 1, controllers, hybrid: false };
    const tree = new CgroupV1(layout, new FakeClock());
    const { signal } = new AbortController();
    const error = await assertRejects(
      () => tree.watchOom("/a", signal),
      ShimError,
      "not mounted",
    );
    assertEquals(error.code, "NotFound");
  },
);
