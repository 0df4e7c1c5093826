import { assertEquals } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import { Reaper } from "./reaper.ts";

type Exit = { pid: number; code: number };

/** A kernel: children that run, and children that have ended. */
class Children {
  readonly running = new Set<number>();
  readonly ended: Exit[] = [];

  reap = (pid: number): Exit | "running" | "unknown" => {
    const at = this.ended.findIndex((exit) => pid === -1 || exit.pid === pid);
    if (at >= 0) return this.ended.splice(at, 1)[0]!;
    const known = pid === -1 ? this.running.size > 0 : this.running.has(pid);
    return known ? "running" : "unknown";
  };

  end(pid: number, code: number): void {
    this.running.delete(pid);
    this.ended.push({ pid, code });
  }
}

Deno.test("watch() tells an exit once, in the turn in which it is collected", () => {
  const children = new Children();
  const reaper = new Reaper({ log, orphans: true, reap: children.reap });
  children.running.add(5);
  const told: number[] = [];
  reaper.watch(5, (code) => told.push(code));
  reaper.collect();
  assertEquals(told, []);
  children.end(5, 3);
  reaper.collect();
  reaper.collect();
  assertEquals(told, [3]);
  assertEquals(reaper.waiting, 0);
});

Deno.test("watch() tells the exit of a process that was collected before it was known", async () => {
  const children = new Children();
  const reaper = new Reaper({ log, orphans: true, reap: children.reap });
  children.end(7, 4);
  reaper.collect();
  assertEquals(await reaper.exit(7), 4);
  assertEquals(await reaper.exit(7), -1);
});

Deno.test("watch() does not take the exit of an earlier process with the same id", () => {
  const children = new Children();
  const reaper = new Reaper({ log, orphans: true, reap: children.reap });
  children.end(7, 4);
  reaper.collect();
  children.running.add(7);
  const told: number[] = [];
  reaper.watch(7, (code) => told.push(code));
  assertEquals(told, []);
  children.end(7, 5);
  reaper.collect();
  assertEquals(told, [5]);
});

Deno.test("collect() leaves unknown children alone unless they can only be orphans", () => {
  const children = new Children();
  const reaper = new Reaper({ log, orphans: false, reap: children.reap });
  children.end(9, 0);
  reaper.collect();
  assertEquals(children.ended, [{ pid: 9, code: 0 }]);
  new Reaper({ log, orphans: true, reap: children.reap }).collect();
  assertEquals(children.ended, []);
});
