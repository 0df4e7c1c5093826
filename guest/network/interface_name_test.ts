import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import { NetworkInterfaces } from "./interface_name.ts";

const id = "0BADCAFE-1111-1222-8333-444444444444";

/** A `/sys` of its own, and the folder of the adapter in it. */
async function withSys(
  test: (parts: {
    readonly device: string;
    readonly clock: FakeClock;
    readonly interfaces: NetworkInterfaces;
  }) => Promise<void>,
): Promise<void> {
  const sys = await Deno.makeTempDir();
  using files = new PendingFiles();
  const { clock } = files;
  try {
    await test({
      device: `${sys}/bus/vmbus/devices/${id.toLowerCase()}`,
      clock,
      interfaces: new NetworkInterfaces(clock, 200, sys),
    });
  } finally {
    // A look that nobody waits for any more may still be under way.
    await clock.advance(0);
    await Deno.remove(sys, { recursive: true });
  }
}

async function make(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
}

/** Lets time pass until `task` ends. */
async function passing<T>(clock: FakeClock, task: Promise<T>): Promise<T> {
  let isOver = false;
  const done = task.finally(() => isOver = true);
  done.catch(() => {});
  while (!isOver) await clock.advance(10);
  return await done;
}

Deno.test("guest:I13 an adapter's interface is the only entry of its vmbus device's net", () =>
  withSys(async ({ device, interfaces }) => {
    await make(`${device}/net/eth0`);
    assertEquals(await interfaces.find({ id, isPci: false }), "eth0");
  }));

Deno.test("guest:I14 an assigned adapter's interface is found through its PCI device", () =>
  withSys(async ({ device, interfaces }) => {
    await make(`${device}/pcia1b2:00/a1b2:00:02.0/net/eth1`);
    await make(`${device}/pcia1b2:00/power`);
    await make(`${device}/net/eth0`);
    assertEquals(await interfaces.find({ id, isPci: true }), "eth1");
  }));

Deno.test("an interface that appears late is found, step by step", () =>
  withSys(async ({ device, clock, interfaces }) => {
    const found = interfaces.find({ id, isPci: false });
    await clock.advance(50);
    await make(`${device}/net`);
    await clock.advance(50);
    await make(`${device}/net/eth0`);
    assertEquals(await passing(clock, found), "eth0");
    assertEquals(clock.sleepers, 0);
  }));

Deno.test("an interface that never appears is told with its path after the limit", () =>
  withSys(async ({ device, clock, interfaces }) => {
    const start = clock.now();
    const error = await assertRejects(
      () => passing(clock, interfaces.find({ id, isPci: false })),
      ShimError,
      `${device}/net: it did not appear within 200 ms`,
    );
    assertEquals(error.code, "DeadlineExceeded");
    assertEquals(clock.now() - start, 200);
    assertEquals(clock.sleepers, 0);
    await assertRejects(
      () => passing(clock, interfaces.find({ id, isPci: true })),
      ShimError,
      `${device}/pci*/*/net: it did not appear`,
    );
  }));

Deno.test("the wait for an interface ends with its signal", () =>
  withSys(async ({ clock, interfaces }) => {
    const abort = new AbortController();
    const found = interfaces.find({ id, isPci: false }, abort.signal);
    abort.abort(new Error("no longer wanted"));
    await assertRejects(() => found, Error, "no longer wanted");
    await clock.advance(10);
    assertEquals(clock.sleepers, 0);
  }));

Deno.test("several interfaces, buses or devices are told at once", () =>
  withSys(async ({ device, interfaces }) => {
    await make(`${device}/net/eth0`);
    await make(`${device}/net/eth1`);
    await assertRejects(
      () => interfaces.find({ id, isPci: false }),
      ShimError,
      "there are 2",
    );
    await make(`${device}/pcia1b2:00/a1b2:00:02.0`);
    await make(`${device}/pcia1b2:00/a1b2:00:03.0`);
    await assertRejects(
      () => interfaces.find({ id, isPci: true }),
      ShimError,
      "PCI device",
    );
    await make(`${device}/pcia1b3:00`);
    await assertRejects(
      () => interfaces.find({ id, isPci: true }),
      ShimError,
      "PCI bus",
    );
  }));

Deno.test("an id that is no GUID never becomes a path", () => {
  const interfaces = new NetworkInterfaces(new FakeClock(), 5000);
  const wrong = ["", "../../net", `${id}/..`, "a".repeat(1 << 20), `${id}\n`];
  for (const text of wrong) {
    const error = assertThrows(() => interfaces.requireId(text), ShimError);
    assertEquals(error.code, "InvalidArgument");
    assertEquals(error.message.length < 400, true);
  }
  assertThrows(
    () => interfaces.requireId(""),
    ShimError,
    "/sys/bus/vmbus/devices/net",
  );
  assertEquals(interfaces.requireId(id), id.toLowerCase());
});
