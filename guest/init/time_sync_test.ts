import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { keepTime, type TimeSyncPorts } from "./time_sync.ts";

/** A machine with clock devices by name. */
function machine(
  clocks: Readonly<Record<string, string>>,
  run: TimeSyncPorts["run"],
): { ports: TimeSyncPorts; clock: FakeClock; written: string[] } {
  const clock = new FakeClock();
  const written: string[] = [];
  const ports: TimeSyncPorts = {
    namesIn: () => Promise.resolve(Object.keys(clocks)),
    readText: (path) => Promise.resolve(clocks[path.split("/")[4]!]!),
    writeText: (path, text) => {
      written.push(path, text);
      return Promise.resolve();
    },
    run,
    clock,
    log: silentLogger,
  };
  return { ports, clock, written };
}

Deno.test("keepTime() runs chronyd on Hyper-V's clock, again and again with growing pauses", async () => {
  const starts: number[] = [];
  const stop = new AbortController();
  const { ports, clock, written } = machine(
    { ptp0: "KVM virtual PTP\n", ptp1: "hyperv\n" },
    (program, args, options) => {
      assertEquals(options?.timeout, Infinity);
      assertEquals([program, ...args], [
        ...["chronyd", "-n", "-f", "/tmp/chronyd.conf"],
      ]);
      starts.push(clock.now());
      return starts.length === 2
        ? Promise.reject(new Error("not there"))
        : Promise.resolve();
    },
  );
  const begun = clock.now();
  const kept = keepTime(ports, stop.signal);
  for (const ms of [0, 1_000, 2_000, 4_000]) await clock.advance(ms);
  stop.abort();
  await kept;
  assertEquals(starts.map((time) => time - begun), [0, 1_000, 3_000, 7_000]);
  assertEquals(written, [
    "/tmp/chronyd.conf",
    "refclock PHC /dev/ptp1 poll 3 dpoll -2 offset 0 stratum 2\n" +
    "makestep 0.1 -1\n",
  ]);
});

Deno.test("keepTime() never pauses longer than ten minutes", async () => {
  let starts = 0;
  const stop = new AbortController();
  const { ports, clock } = machine({ ptp0: "hyperv" }, () => {
    starts++;
    return Promise.resolve();
  });
  const kept = keepTime(ports, stop.signal);
  for (let pause = 1_000; pause < 600_000; pause *= 2) {
    await clock.advance(pause);
  }
  const before = starts;
  await clock.advance(600_000);
  assertEquals(starts, before + 1);
  stop.abort();
  await kept;
});

Deno.test("keepTime() says that there is no clock of Hyper-V", async () => {
  const { ports } = machine({ ptp0: "KVM virtual PTP\n" }, () => {
    throw new Error("run");
  });
  await assertRejects(
    () => keepTime(ports, new AbortController().signal),
    Error,
    "Hyper-V",
  );
});
