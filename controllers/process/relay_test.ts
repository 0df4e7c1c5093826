import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest } from "../../bridge/fake_guest.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import type { FakeGuestProcess } from "../../bridge/fake_guest_process.ts";
import { allStdio, FakeClient } from "../testing/fake_stdio.ts";
import { ProcessController } from "./controller.ts";
import { StdioRelay } from "./relay.ts";
import type { ClientStreams } from "./stdio.ts";

class World {
  readonly guest = new FakeGuest();
  readonly client = new FakeClient();
  readonly clock = new FakeClock();
  readonly process: ProcessController;

  constructor(open?: ClientStreams["open"]) {
    this.process = new ProcessController({
      guest: this.guest,
      streams: {
        open: open ?? ((...args) => this.client.open(...args)),
        startLogger: (...args) => this.client.startLogger(...args),
      },
      log: silentLogger,
      clock: this.clock,
      timeouts: defaultTimeouts,
    }, { containerId: "web", guestContainerId: "web", execId: "" });
  }

  async run(): Promise<FakeGuestProcess> {
    await this.process.create({ bundle: "/b", stdio: allStdio });
    return this.guest.process(await this.process.start());
  }
}

Deno.test("host:O16 output and errors reach the client, input the process", async () => {
  const world = new World();
  const process = await world.run();
  await process.print("out");
  await process.print("err", "stderr");
  await world.client.type("in");
  await world.client.end("stdin").closeWrite();
  assertEquals(await process.readInput(), "in");
  const read = Promise.all([
    world.client.readAll("stdout"),
    world.client.readAll("stderr"),
  ]);
  await process.exit(0);
  assertEquals(await read, ["out", "err"]);
});

Deno.test("at the end: output, then the state, then the client's streams, then exited", async () => {
  const world = new World();
  const process = await world.run();
  const order: string[] = [];
  const read = world.client.readAll("stdout").then((text) =>
    order.push(`read ${text} while ${world.process.state}`)
  );
  const push = world.client.events.push.bind(world.client.events);
  world.client.events.push = (event) => {
    order.push(`${event} while ${world.process.state}`);
    return push(event);
  };
  world.process.exited.then(() => order.push("exited"));
  await process.print("last words");
  await process.exit(0);
  await world.process.exited;
  await read;
  assertEquals(order.filter((event) => !event.startsWith("read")), [
    "closed stdin while Terminated",
    "closed stdout while Terminated",
    "closed stderr while Terminated",
    "exited",
  ]);
  assertEquals(order.includes("read last words while Terminated"), true);
});

for (const code of [0, 1, 137, 255]) {
  Deno.test(`host:O16 the exit code ${code} of a process is told`, async () => {
    const world = new World();
    const process = await world.run();
    await process.exit(code);
    assertEquals((await world.process.exited).code, code);
  });
}

Deno.test("an exit code that is negative in the guest is unsigned for everybody", async () => {
  const world = new World();
  const process = await world.run();
  await process.exit(-1);
  assertEquals((await world.process.exited).code, 0xffff_ffff);
  assertEquals(world.process.status().exitCode, 0xffff_ffff);
});

Deno.test("host:O16 input that a client never ends does not hold up the exit", async () => {
  const world = new World();
  const process = await world.run();
  await world.client.type("no end follows");
  await process.exit(3);
  assertEquals((await world.process.exited).code, 3);
  assertEquals(world.client.events[0], "closed stdin");
});

Deno.test("host:O16 input that the process does not read does not hold up the exit", async () => {
  const world = new World();
  const process = await world.run();
  const typed = world.client.type("x".repeat(1024 * 1024)).catch(() => {});
  await process.exit(3);
  assertEquals((await world.process.exited).code, 3);
  await typed;
});

/** A process that runs already, with its streams or without. */
async function running(
  guest: FakeGuest,
  hasStreams: boolean,
): Promise<{ host: GuestProcess; program: FakeGuestProcess }> {
  const streams = { stdin: hasStreams, stdout: hasStreams, stderr: hasStreams };
  const host = await guest.execute("web", {}, streams);
  return { host, program: guest.process(host.pid) };
}

Deno.test("host:O16 a relay attaches to a process that runs, and carries what it has written already", async () => {
  const client = new FakeClient();
  const { host, program } = await running(new FakeGuest(), true);
  await program.print("before ");
  const stdin = await client.open("in", "stdin");
  const stdout = await client.open("out", "stdout");
  const relay = new StdioRelay(host, { stdin, stdout }, {
    log: silentLogger,
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
  });
  await program.print("after");
  await client.type("input");
  await client.end("stdin").closeWrite();
  assertEquals(await program.readInput(), "input");
  await program.exit(5);
  assertEquals(await host.exited, 5);
  await relay.drained();
  await stdout.close();
  assertEquals(await client.readAll("stdout"), "before after");
});

Deno.test("host:O16 a relay that attaches to a process without streams has nothing to wait for", async () => {
  const { host, program } = await running(new FakeGuest(), false);
  const clock = new FakeClock();
  const relay = new StdioRelay(host, {}, {
    log: silentLogger,
    clock,
    timeouts: defaultTimeouts,
  });
  await program.exit(9);
  assertEquals(await host.exited, 9);
  await relay.drained();
  assertEquals(clock.sleepers, 0);
});

Deno.test("eight mebibytes that are printed before the exit arrive whole", async () => {
  const world = new World();
  const process = await world.run();
  const chunk = "0123456789abcdef".repeat(4096);
  const read = world.client.readAll("stdout");
  for (let times = 0; times < 128; times++) await process.print(chunk);
  await process.exit(0);
  assertEquals((await read).length, 8 * 1024 * 1024);
});

Deno.test("host:O16 output that a grandchild holds open ends after the drain grace", async () => {
  const world = new World();
  const process = await world.run();
  await process.print("done");
  await process.exit(0, { outputOpen: true });
  await world.clock.advance(defaultTimeouts.drainGrace - 1);
  assertEquals(world.process.state, "Running");
  await world.clock.advance(1 + defaultTimeouts.drainGrace);
  assertEquals((await world.process.exited).code, 0);
  assertEquals(process.closed, true);
});

Deno.test("output that still moves after the exit is not cut off", async () => {
  const world = new World();
  const process = await world.run();
  const read = world.client.readAll("stdout");
  await process.exit(0, { outputOpen: true });
  for (let times = 0; times < 5; times++) {
    await process.print(".");
    await world.clock.advance(defaultTimeouts.drainGrace);
    assertEquals(world.process.state, "Running");
  }
  await process.endOutput();
  assertEquals(await read, ".....");
});

Deno.test("output that never ends is cut off after the drain limit", async () => {
  const world = new World();
  const process = await world.run();
  const read = world.client.readAll("stdout");
  await process.exit(0, { outputOpen: true });
  const grace = defaultTimeouts.drainGrace;
  for (let ms = 0; ms < defaultTimeouts.drainLimit; ms += grace) {
    await process.print(".");
    await world.clock.advance(grace);
  }
  await world.process.exited;
  await read;
});

/** More than the client's stream holds; the rest waits in the guest's. */
const muchOutput = "x".repeat(400_000);

Deno.test("a client that does not read holds up the exit until the drain limit", async () => {
  const world = new World();
  const process = await world.run();
  await process.print(muchOutput);
  await process.exit(0);
  await world.clock.advance(defaultTimeouts.drainLimit - 1);
  assertEquals(world.process.state, "Running");
  await world.clock.advance(defaultTimeouts.drainGrace);
  assertEquals((await world.process.exited).code, 0);
});

Deno.test("a client that reads nothing for a while after the exit gets everything", async () => {
  const world = new World();
  const process = await world.run();
  await process.print(muchOutput);
  await process.exit(0);
  await world.clock.advance(20 * defaultTimeouts.drainGrace);
  assertEquals(await world.client.readAll("stdout"), muchOutput);
  assertEquals((await world.process.exited).code, 0);
});

Deno.test("what the guest has waited for a client counts, too", async () => {
  const world = new World();
  const process = await world.run();
  await process.print(muchOutput);
  await world.clock.advance(defaultTimeouts.drainLimit);
  await process.exit(0);
  await world.clock.advance(defaultTimeouts.drainGrace);
  assertEquals((await world.process.exited).code, 0);
});

Deno.test("an exited process whose VM is lost does not wait for a client that reads nothing", async () => {
  const world = new World();
  const process = await world.run();
  await process.print(muchOutput);
  await process.exit(7);
  await world.process.lose();
  await world.clock.advance(3 * defaultTimeouts.drainGrace);
  assertEquals((await world.process.exited).code, 7);
});

Deno.test("a lost process does not wait for a client that reads nothing", async () => {
  const world = new World();
  const process = await world.run();
  await process.print(muchOutput);
  await process.endOutput(); // with its VM
  process.lose();
  await world.clock.advance(3 * defaultTimeouts.drainGrace);
  assertEquals((await world.process.exited).code, 255);
});

Deno.test("SIGKILL ends the wait for a client that takes nothing, so that the guest can tell the exit", async () => {
  const world = new World();
  const process = await world.run();
  // As of a guest that tells no exit before its output has been taken.
  let taken = false;
  const printed = process.print("x".repeat(10 * 1024 * 1024)).then(() =>
    taken = true
  );
  await world.process.kill(9);
  await world.clock.advance(defaultTimeouts.drainGrace - 1);
  assertEquals(taken, false);
  await world.clock.advance(1); // until here, some was taken
  await world.clock.advance(defaultTimeouts.drainGrace);
  await printed;
  await process.exit(137);
  assertEquals((await world.process.exited).code, 137);
});

Deno.test("SIGKILL does not cut off output that a client takes", async () => {
  const world = new World();
  const process = await world.run();
  await world.process.kill(9);
  await world.clock.advance(3 * defaultTimeouts.drainGrace);
  const read = world.client.readAll("stdout");
  await process.print("last words");
  await process.exit(137);
  assertEquals(await read, "last words");
});

Deno.test("SIGKILL does not cut off a client that is slow, but reads", async () => {
  const world = new World();
  const process = await world.run();
  const printed = process.print(muchOutput);
  await world.process.kill(9);
  const client = world.client.end("stdout");
  const buffer = new Uint8Array(64 * 1024);
  let got = 0;
  while (got < muchOutput.length) {
    const n = await client.read(buffer);
    assert(n !== null, `it is cut off after ${got} bytes`);
    got += n;
    await world.clock.advance(defaultTimeouts.drainGrace);
  }
  await printed;
  await process.exit(137);
  assertEquals((await world.process.exited).code, 137);
});

Deno.test("outputs that have ended are closed while the process runs: the guest tells the exit only then", async () => {
  const world = new World();
  const process = await world.run();
  await process.endOutput();
  const { stdout, stderr } = process.guest;
  for (const output of [stdout, stderr]) {
    assertEquals(await output?.read(new Uint8Array(1)), null);
  }
  assertEquals(world.process.state, "Running");
  await process.exit(0);
  await world.process.exited;
});

Deno.test("a client whose stream fails does not block the process", async () => {
  const client = new FakeClient();
  const broken = async (
    ...args: Parameters<ClientStreams["open"]>
  ): Promise<Duplex> => ({
    ...await client.open(...args),
    write: () => Promise.reject(new ShimError("Unavailable", "broken pipe")),
    close: () => Promise.reject(new ShimError("Internal", "cannot close")),
  });
  const world = new World(broken);
  const process = await world.run();
  for (let times = 0; times < 8; times++) {
    await process.print("x".repeat(65536));
  }
  await process.exit(5);
  assertEquals((await world.process.exited).code, 5);
});

Deno.test("a process that closes its input does not end the relay of its output", async () => {
  const world = new World();
  const process = await world.run();
  await process.guest.stdin?.close();
  await world.client.type("nobody reads this");
  const read = world.client.readAll("stdout");
  await process.print("still here");
  await process.exit(0);
  assertEquals(await read, "still here");
});

Deno.test("a lost bridge closes the client's streams", async () => {
  const world = new World();
  const process = await world.run();
  const read = world.client.readAll("stdout");
  await process.print("partial");
  await process.endOutput();
  world.guest.lose();
  assertEquals(await read, "partial");
  assertEquals((await world.process.exited).code, 255);
});
