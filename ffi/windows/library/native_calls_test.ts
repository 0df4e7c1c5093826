import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeClock } from "../../../base/clock.ts";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { silentLogger } from "../../../base/log.ts";
import { MockHeap } from "../../mock/heap.ts";
import { blockingSlots, NativeCalls, type Reply } from "./native_calls.ts";

interface Symbols {
  Work: ((what: string) => Promise<number>) | null;
  Gone: (() => Promise<number>) | null;
}

/** A DLL with one function that returns when its gate opens. */
function setUp(cpus = 8) {
  const clock = new FakeClock();
  const heap = new MockHeap();
  const gates: PromiseWithResolvers<number>[] = [];
  const symbols: Symbols = {
    Work: () => {
      const gate = Promise.withResolvers<number>();
      gates.push(gate);
      return gate.promise;
    },
    Gone: null,
  };
  const calls = new NativeCalls({
    library: { dll: "x.dll", symbols, memory: heap },
    slots: blockingSlots(cpus),
    clock,
    log: silentLogger,
  });
  return { clock, heap, gates, calls };
}

for (
  const [cpus, slots] of [[1, 1], [2, 2], [4, 4], [64, 4], [0, 1]] as const
) {
  Deno.test(`with ${cpus} processors ${slots} calls block at once`, async () => {
    const { calls, gates } = setUp(cpus);
    const running = Array.from(
      { length: 10 },
      () => calls.run("Work", (work) => work("")),
    );
    assertEquals(gates.length, slots);
    let peak = 0;
    for (let done = 0; done < 10; done++) {
      gates[done]!.resolve(0);
      await running[done];
      peak = Math.max(peak, gates.length - done - 1);
    }
    assertEquals([gates.length, peak], [10, slots]);
  });
}

Deno.test("a reply carries handle, strings and an unsigned code; strings are freed", async () => {
  const { calls, heap, gates } = setUp();
  const running = calls.run("Work", (work, out) => {
    out.handle[0] = 0xffff_ffff_ffff_fff0n;
    out.value[0] = heap.text("value");
    out.result[0] = heap.text("document");
    return work("");
  });
  gates[0]!.resolve(-2147024891);
  assertEquals(await running, {
    hresult: 0x80070005,
    handle: 0xffff_ffff_ffff_fff0n,
    value: "value",
    document: "document",
  });
  assertEquals([heap.allocated, heap.freed], [2, 2]);
});

Deno.test("strings are freed when the call throws", async () => {
  const { calls, heap } = setUp();
  const running = calls.run("Work", (_work, out) => {
    out.result[0] = heap.text("document");
    return Promise.reject(new Error("crashed"));
  });
  await assertRejects(() => running, Error, "crashed");
  assertEquals(heap.live, 0);
});

Deno.test("a missing symbol is refused with its name and does not hold a slot", async () => {
  const { calls, gates } = setUp(1);
  const error = await assertRejects(
    () => calls.run("Gone", (gone) => gone()),
    ShimError,
    "x.dll of this version of Windows has no function Gone",
  );
  assertEquals(error.code, "NotImplemented");
  const running = calls.run("Work", (work) => work(""));
  gates[0]!.resolve(0);
  assertEquals((await running).hresult, 0);
});

Deno.test("a call that takes too long is left behind; its reply goes to late, its strings are freed", async () => {
  const { calls, clock, heap, gates } = setUp(1);
  const late: Reply[] = [];
  const call = calls.call(
    "Work",
    "op id",
    { ms: 240_000, late: (reply) => void late.push(reply) },
    (work, out) => {
      out.result[0] = heap.text("document");
      return work("");
    },
  );
  const rejected = assertRejects(
    () => call,
    ShimError,
    "op id: timeout waiting for Work (240 s)",
  );
  await clock.advance(240_000);
  assertEquals((await rejected).code, "DeadlineExceeded");
  assertEquals([late.length, heap.live], [0, 1]);
  gates[0]!.resolve(0);
  await clock.advance(0);
  assertEquals([late.length, heap.live, clock.sleepers], [1, 0, 0]);
});

Deno.test("a call that has no slot before its deadline is never made", async () => {
  const { calls, clock, gates } = setUp(1);
  const first = calls.run("Work", (work) => work(""));
  const second = calls.call(
    "Work",
    "op",
    { ms: 1000 },
    (work) => work(""),
  );
  const rejected = assertRejects(() => second, ShimError, "timeout");
  await clock.advance(1000);
  await rejected;
  gates[0]!.resolve(0);
  await first;
  await clock.advance(0);
  assertEquals(gates.length, 1);
});

Deno.test("the caller's signal ends the wait with its reason", async () => {
  const { calls, gates, clock } = setUp();
  const reason = new ShimError("Canceled", "the client went away");
  const controller = new AbortController();
  const late: Reply[] = [];
  const call = calls.call("Work", "op", {
    ms: 1000,
    signal: controller.signal,
    late: (reply) => void late.push(reply),
  }, (work) => work(""));
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => call, ShimError), reason);
  gates[0]!.resolve(0);
  await clock.advance(0);
  assertEquals([late.length, clock.sleepers], [1, 0]);
});

Deno.test("an abort after the reply came changes nothing", async () => {
  const { calls, gates } = setUp();
  const controller = new AbortController();
  const late: Reply[] = [];
  const call = calls.call("Work", "op", {
    ms: 1000,
    signal: controller.signal,
    late: (reply) => void late.push(reply),
  }, (work) => work(""));
  gates[0]!.resolve(0);
  await call;
  controller.abort();
  await Promise.resolve();
  assertEquals(late, []);
});

Deno.test("demand throws what the DLL answered", async () => {
  const { calls, gates } = setUp();
  const call = calls.demand("Work", "op id", { ms: 1000 }, (work) => work(""));
  gates[0]!.resolve(0x80070490 | 0);
  const error = await assertRejects(() => call, HResultError, "op id: ");
  assertEquals(error.hresult, 0x80070490);
});

Deno.test("a missing symbol for which Deno made a function is refused with its name", async () => {
  const { calls } = setUp();
  const absent = new TypeError("Invalid FFI symbol name: 'Work'");
  const error = await assertRejects(
    () => calls.run("Work", () => Promise.reject(absent)),
    ShimError,
    "x.dll of this version of Windows has no function Work",
  );
  assertEquals(error.code, "NotImplemented");
});
