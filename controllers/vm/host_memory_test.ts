import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { jsonLogger } from "../../base/log.ts";
import type { VmMemoryCounter } from "../../hcs/ports.ts";
import { HostMemory } from "./host_memory.ts";

class FakeCounter implements VmMemoryCounter {
  closed = 0;
  broken = false;
  workingSet(): bigint {
    if (this.broken) throw new ShimError("NotFound", "it has ended");
    return 4096n;
  }
  close(): void {
    this.closed++;
  }
}

function memoryOf(
  find: () => Promise<VmMemoryCounter>,
): { memory: HostMemory; asked: string[]; lines: string[] } {
  const asked: string[] = [];
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line), { level: "debug" });
  const vmMemory = (id: string): Promise<VmMemoryCounter> => {
    asked.push(id);
    return find();
  };
  return { memory: new HostMemory({ vmMemory }, log), asked, lines };
}

Deno.test("workingSet() finds the counter once and closes it at the end", async () => {
  const counter = new FakeCounter();
  const { memory, asked } = memoryOf(() => Promise.resolve(counter));
  assertEquals(
    await Promise.all([memory.workingSet("a"), memory.workingSet("a")]),
    [4096n, 4096n],
  );
  await memory.close();
  assertEquals([asked, counter.closed], [["a"], 1]);
  assertEquals(await memory.workingSet("a"), undefined);
  assertEquals(asked, ["a"]);
});

Deno.test("a VM whose process is not there yet is looked for again", async () => {
  const results = [
    Promise.reject(new ShimError("NotFound", "no process")),
    Promise.resolve(new FakeCounter()),
  ];
  results[0]!.catch(() => {});
  const { memory, asked, lines } = memoryOf(() => results.shift()!);
  assertEquals(await memory.workingSet("a"), undefined);
  assertEquals(await memory.workingSet("a"), 4096n);
  assertEquals([asked.length, lines.length], [2, 1]);
});

Deno.test("a host that cannot tell is asked once; a lost process is no failure", async () => {
  const never = new ShimError("NotImplemented", "not on this host");
  const { memory, asked } = memoryOf(() => Promise.reject(never));
  assertEquals(await memory.workingSet("a"), undefined);
  assertEquals(await memory.workingSet("a"), undefined);
  assertEquals(asked.length, 1);
  await memory.close();
  const counter = new FakeCounter();
  counter.broken = true;
  const lost = memoryOf(() => Promise.resolve(counter));
  assertEquals(await lost.memory.workingSet("a"), undefined);
  assertEquals(lost.lines.length, 1);
});
