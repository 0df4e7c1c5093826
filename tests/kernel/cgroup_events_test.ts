import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import type { CgroupTree, MemoryWatch } from "../../guest/cgroup/tree.ts";
import { CgroupV1 } from "../../guest/cgroup/v1.ts";
import { CgroupV2 } from "../../guest/cgroup/v2.ts";
import { mustSkip } from "./guest_fixture.ts";

Deno.test.beforeAll(() => void libc());

const ignore = await mustSkip("events of memory");

const mib = 1024 * 1024;
const memory = "/sys/fs/cgroup/memory";

const v1 = new CgroupV1({
  version: 1,
  controllers: new Map([["memory", memory]]),
  hybrid: false,
}, systemClock);

let names = 0;

/** A test with a group of the machine's own tree, in which nothing runs yet. */
function groupTest(name: string, test: (group: string) => Promise<void>): void {
  Deno.test({ name, ignore, timeout: 60_000 }, async () => {
    const group = `/lcow-events-${Deno.pid}-${names++}`;
    await v1.create(group, {});
    try {
      await test(group);
    } finally {
      await v1.remove(group);
    }
  });
}

/** A version 2 tree made of files, as the kernel of this machine has none. */
async function withFiles(
  test: (tree: CgroupV2) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/a`);
    await Deno.writeTextFile(`${folder}/a/memory.current`, "1\n");
    await Deno.writeTextFile(`${folder}/a/memory.events`, "oom_kill 0\n");
    await test(new CgroupV2(folder, systemClock));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a program in a group that uses this much memory. @returns Its code. */
async function use(group: string, mebibytes: number): Promise<number> {
  const script = `echo $$ > ${memory}${group}/cgroup.procs; ` +
    `exec dd if=/dev/zero of=/dev/null bs=${mebibytes}M count=1`;
  const { code } = await new Deno.Command("sh", {
    args: ["-c", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return code;
}

/** Descriptors of this process by what they stand for. */
async function descriptors(): Promise<string[]> {
  const links: string[] = [];
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const link = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
    if (link !== "") links.push(link);
  }
  return links;
}

async function eventDescriptors(): Promise<number> {
  const links = await descriptors();
  return links.filter((link) => link.includes("eventfd")).length;
}

/** The next event of a watch, or the end. */
function reader(watch: MemoryWatch): () => Promise<"event" | "end"> {
  const iterator = watch[Symbol.asyncIterator]();
  return async () => (await iterator.next()).done ? "end" : "event";
}

async function refused(
  code: string,
  call: () => Promise<unknown>,
): Promise<void> {
  assertEquals((await assertRejects(call, ShimError)).code, code);
}

groupTest(
  "guest:J15 a threshold of a group that does not exist is an error, and so is none at all",
  (group) =>
    withFiles(async (v2) => {
      const { signal } = new AbortController();
      const rows: [CgroupTree, string][] = [[v1, group], [v2, "/a"]];
      const before = await eventDescriptors();
      for (const [tree, there] of rows) {
        await refused("NotFound", () =>
          tree.watchThreshold("/no-such-group", 1n, signal));
        await refused("InvalidArgument", () =>
          tree.watchThreshold(there, undefined as unknown as bigint, signal));
      }
      assertEquals(await eventDescriptors(), before);
    }),
);

groupTest(
  "guest:J16 the out-of-memory event of a group that does not exist is an error, else it is watched with a descriptor",
  (group) =>
    withFiles(async (v2) => {
      const rows: [CgroupTree, string, kind: string][] = [
        [v1, group, "anon_inode:[eventfd]"],
        [v2, "/a", "anon_inode:inotify"],
      ];
      const count = async (kind: string): Promise<number> =>
        (await descriptors()).filter((link) => link === kind).length;
      for (const [tree, there, kind] of rows) {
        const stop = new AbortController();
        const before = await count(kind);
        await refused(
          "NotFound",
          () => tree.watchOom("/no-such-group", stop.signal),
        );
        assertEquals(await count(kind), before);
        const watch = await tree.watchOom(there, stop.signal);
        assertEquals(await count(kind), before + 1);
        stop.abort();
        assertEquals(await reader(watch)(), "end");
      }
    }),
);

groupTest(
  "the kernel tells when the memory of a group crosses a threshold, until the group is gone",
  async (group) => {
    const { signal } = new AbortController();
    const before = await eventDescriptors();
    const bytes = BigInt(16 * mib);
    const next = reader(await v1.watchThreshold(group, bytes, signal));
    assertEquals(await use(group, 4), 0);
    const event = next();
    assertEquals(await use(group, 32), 0);
    assertEquals(await event, "event");
    await v1.remove(group);
    // The way down may be an event of its own.
    while (await next() === "event");
    assertEquals(await eventDescriptors(), before);
  },
);

groupTest(
  "the kernel tells that a group is out of memory, until the signal aborts",
  async (group) => {
    const stop = new AbortController();
    const before = await eventDescriptors();
    await v1.limitMemory(group, BigInt(16 * mib));
    const watch = await v1.watchOom(group, stop.signal);
    const next = reader(watch);
    const event = next();
    assertEquals(await use(group, 64), 137);
    assertEquals(await event, "event");
    const { memory_oom_control } = await v1.stats(group);
    assert(memory_oom_control!.oom_kill! > 0n);
    const end = next();
    stop.abort();
    assertEquals(await end, "end");
    assertEquals(await eventDescriptors(), before);
  },
);

const unified = "/sys/fs/cgroup/unified";

/** True when the unified tree is mounted beside those of version 1. */
async function hasUnified(): Promise<boolean> {
  const { isDirectory } = await Deno.stat(unified).catch(() => ({
    isDirectory: false,
  }));
  return isDirectory;
}

const withoutUnified = ignore || !await hasUnified();
if (withoutUnified) {
  console.log(`skip: changes of version 2 files: there is no ${unified}`);
}

// The memory controller is one of version 1 here: what is watched is the file of
// every group, which the kernel changes by the same means as memory.events.
Deno.test({
  name:
    "the kernel tells changes of a version 2 group's files, and its removal to the folder above",
  ignore: withoutUnified,
  timeout: 60_000,
}, async () => {
  const group = `${unified}/lcow-events-${Deno.pid}`;
  await Deno.mkdir(group);
  try {
    const file = `${group}/cgroup.events`;
    const watcher = Deno.watchFs([file, unified], { recursive: false });
    const process = new Deno.Command("cat", { stdin: "piped", stdout: "null" })
      .spawn();
    const heard: string[] = [];
    const next = async (kind: string, path: string): Promise<void> => {
      for (;;) {
        const { value, done } = await watcher[Symbol.asyncIterator]().next();
        if (done) throw new Error(`No ${kind} of ${path}: ${heard}`);
        heard.push(`${value.kind} ${value.paths}`);
        if (value.kind === kind && value.paths.includes(path)) return;
      }
    };
    await Deno.writeTextFile(`${group}/cgroup.procs`, `${process.pid}`);
    await next("modify", file);
    assert((await Deno.readTextFile(file)).includes("populated 1"));
    await process.stdin.close();
    await process.status;
    do await next("modify", file); while (
      !(await Deno.readTextFile(file)).includes("populated 0")
    );
    await Deno.remove(group);
    await next("remove", group);
    watcher.close();
  } finally {
    await Deno.remove(group).catch(() => {});
  }
});
