import { assert, assertEquals } from "@std/assert";
import { eventCounter } from "./eventfd.ts";
import { libc } from "./libc.ts";

Deno.test.beforeAll(() => void libc());

/** What the kernel does when an event comes. */
function raise(fd: number): void {
  const one = new BigUint64Array([1n]);
  assertEquals(libc().write(fd, one, 8n), 8n);
}

/** What the kernel tells of a descriptor; nothing when it is closed. */
async function about(fd: string | number): Promise<string> {
  try {
    return await Deno.readTextFile(`/proc/self/fdinfo/${fd}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** How many descriptors of this process are of one counter; others come and go. */
async function descriptorsOf(id: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir("/proc/self/fdinfo")) {
    if ((await about(name)).includes(id)) count++;
  }
  return count;
}

Deno.test("a counter tells events, however many come at once", {
  timeout: 60_000,
}, async () => {
  const counter = eventCounter();
  raise(counter.fd);
  assert(await counter.wait());
  const next = counter.wait();
  for (let i = 0; i < 1000; i++) raise(counter.fd);
  assert(await next);
  raise(counter.fd);
  assert(await counter.wait());
  await counter.close();
});

Deno.test("close() ends a wait, tells no event, and leaves no descriptor", {
  timeout: 60_000,
}, async () => {
  const counter = eventCounter();
  const link = await Deno.readLink(`/proc/self/fd/${counter.fd}`);
  assertEquals(link, "anon_inode:[eventfd]");
  const [id = ""] = /^eventfd-id: *\d+\n/m.exec(await about(counter.fd)) ?? [];
  assert(id !== "" && await descriptorsOf(id) > 0);
  const wait = counter.wait();
  await counter.close();
  assertEquals(await wait, false);
  assertEquals(await counter.wait(), false);
  await counter.close();
  assertEquals(await descriptorsOf(id), 0);
});

Deno.test(
  "counters need no thread of the pool",
  { timeout: 60_000 },
  async () => {
    const counters = Array.from({ length: 100 }, eventCounter);
    const waits = counters.map((counter) => counter.wait());
    // Uses the pool, which has 32 threads.
    await Deno.readTextFile("/proc/self/stat");
    for (const { fd } of counters) raise(fd);
    assert((await Promise.all(waits)).every((raised) => raised));
    await Promise.all(counters.map((counter) => counter.close()));
  },
);
