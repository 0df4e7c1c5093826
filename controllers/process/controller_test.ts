import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest } from "../../bridge/fake_guest.ts";
import type { FakeGuestProcess } from "../../bridge/fake_guest_process.ts";
import { allStdio, FakeClient, noStdio } from "../testing/fake_stdio.ts";
import { allowedPairs } from "../testing/state_table.ts";
import { type CreateProcess, ProcessController } from "./controller.ts";
import { requireSignal } from "./signals.ts";
import { processStates } from "./states.ts";

const injected = new ShimError("Internal", "injected");

class World {
  readonly guest = new FakeGuest();
  readonly client = new FakeClient();
  readonly clock = new FakeClock();
  readonly process: ProcessController;

  constructor(execId = "probe") {
    this.process = new ProcessController({
      guest: this.guest,
      streams: this.client,
      log: silentLogger,
      clock: this.clock,
      timeouts: defaultTimeouts,
    }, { containerId: "web", guestContainerId: "web", execId });
  }

  async create(request: Partial<CreateProcess> = {}): Promise<void> {
    await this.process.create({ bundle: "/b", stdio: noStdio, ...request });
  }

  async run(request: Partial<CreateProcess> = {}): Promise<FakeGuestProcess> {
    await this.create(request);
    return this.guest.process(await this.process.start());
  }
}

Deno.test("the process states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(processStates), [
    "Created delete Terminated",
    "Created fail Terminated",
    "Created kill Terminated",
    "Created start Running",
    "NotCreated create Created",
    "NotCreated fail Terminated",
    "NotCreated kill Terminated",
    "Running exit Terminated",
    "Running kill Running",
    "Terminated delete Terminated",
    "Terminated kill Terminated",
  ]);
});

Deno.test("host:J1 host:J25 a new process is NotCreated with exit code 255", () => {
  const { process } = new World();
  assertEquals([process.state, process.pid], ["NotCreated", 0]);
  assertEquals(process.status(), {
    containerId: "web",
    execId: "probe",
    pid: 0,
    status: "UNKNOWN",
    bundle: "",
    stdio: noStdio,
    exitCode: 255,
  });
});

Deno.test("host:J2 create() twice is refused", async () => {
  const { process, create } = bound(new World());
  await create();
  const error = await assertRejects(create, ShimError, "it is Created");
  assertEquals(error.code, "FailedPrecondition");
  assertEquals(process.state, "Created");
});

/** The members of a world as free functions. */
function bound(
  world: World,
): { process: ProcessController; create(): Promise<void> } {
  return { process: world.process, create: () => world.create() };
}

Deno.test("host:J3 create() with a terminal and a path for errors is refused", async () => {
  const world = new World();
  const error = await assertRejects(
    () => world.create({ stdio: { ...allStdio, terminal: true } }),
    ShimError,
    'process "probe" of container "web": A process with a terminal has no stderr of its own, but "err"',
  );
  assertEquals(error.code, "FailedPrecondition");
  assertEquals(world.process.state, "NotCreated");
  await world.create();
});

Deno.test("host:J4 host:J26 create() opens the client's streams in order", async () => {
  const world = new World();
  await world.create({ stdio: allStdio });
  assertEquals(world.client.script.calls.map(({ call }) => call), [
    "stdin",
    "stdout",
    "stderr",
  ]);
  const { status, bundle, stdio, exitCode } = world.process.status();
  assertEquals([status, bundle, exitCode], ["CREATED", "/b", 255]);
  assertEquals(stdio, allStdio);
  await world.process.delete();
});

Deno.test("create() whose last stream cannot be opened closes the others and can be repeated", async () => {
  const world = new World();
  world.client.script.failNext("stderr", injected);
  await assertRejects(
    () => world.create({ stdio: allStdio }),
    ShimError,
    "injected",
  );
  assertEquals(world.client.events, ["closed stdin", "closed stdout"]);
  await world.create();
});

Deno.test("host:J5 start() before create() and after the exit is refused", async () => {
  const world = new World();
  await assertRejects(() => world.process.start(), ShimError, "NotCreated");
  const running = await world.run();
  await assertRejects(() => world.process.start(), ShimError, "Running");
  await running.exit(0);
  await world.process.exited;
  const error = await assertRejects(() => world.process.start(), ShimError);
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("host:J6 host:J28 host:J30 start() runs an exec with its specification", async () => {
  const world = new World();
  const spec = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["true"] };
  const process = await world.run({ spec, stdio: allStdio });
  assertEquals(world.guest.callsOf("execute")[0], {
    call: "execute",
    containerId: "web",
    argument: {
      parameters: { OciProcess: spec },
      stdio: { stdin: true, stdout: true, stderr: true },
    },
  });
  assertEquals(
    [world.process.state, world.process.pid, world.process.status().status],
    ["Running", process.pid, "RUNNING"],
  );
  await process.exit(0);
  await world.process.exited;
});

Deno.test("start() runs init without a specification", async () => {
  const world = new World("");
  const process = await world.run();
  assertEquals(world.guest.callsOf("execute")[0]?.argument, {
    parameters: {},
    stdio: { stdin: false, stdout: false, stderr: false },
  });
  await process.exit(0);
  await world.process.exited;
});

Deno.test("host:J7 start() that fails in the guest ends the process with exit code 1", async () => {
  const world = new World();
  await world.create({ stdio: allStdio });
  world.guest.failNext("execute", injected);
  assertEquals(await world.process.start().catch((error) => error), injected);
  assertEquals(world.process.state, "Terminated");
  assertEquals((await world.process.exited).code, 1);
  assertEquals(world.client.events.length, 3);
});

Deno.test("host:J9 host:J10 kill() ends what never ran with exit code 1", async () => {
  const fresh = new World();
  await fresh.process.kill(9);
  assertEquals((await fresh.process.exited).code, 1);
  const created = new World();
  await created.create({ stdio: allStdio });
  await created.process.kill(9);
  assertEquals((await created.process.exited).code, 1);
  assertEquals(created.client.events.length, 3);
  assertEquals(created.guest.calls, []);
});

Deno.test("host:J11 kill() of a process that has ended does nothing", async () => {
  const world = new World();
  const process = await world.run();
  await process.exit(0);
  await world.process.exited;
  await world.process.kill(9);
  assertEquals(world.guest.callsOf("signal"), []);
});

Deno.test("host:J12 host:J16 kill() delivers the signal, or a plain kill", async () => {
  const world = new World();
  const process = await world.run();
  await world.process.kill(15);
  await world.process.kill();
  assertEquals(world.guest.callsOf("signal").map(({ argument }) => argument), [
    { pid: process.pid, signal: 15 },
    { pid: process.pid, signal: undefined },
  ]);
  assertEquals(world.process.state, "Running");
  await process.exit(143);
  await world.process.exited;
});

Deno.test("host:J13 host:J17 a signal that is not delivered is not found", async () => {
  const world = new World();
  const process = await world.run();
  process.deliverable = false;
  for (const signal of [15, undefined]) {
    const error = await assertRejects(
      () => world.process.kill(signal),
      ShimError,
      "not found in the guest",
    );
    assertEquals(error.code, "NotFound");
  }
  await process.exit(0);
  await world.process.exited;
});

Deno.test("host:J14 host:J15 kill() returns the guest's error, unless it is stopped already", async () => {
  const world = new World();
  const process = await world.run();
  world.guest.failNext("signal", injected);
  await assertRejects(() => world.process.kill(9), ShimError, "injected");
  const stopped = new HResultError(HResult.SystemAlreadyStopped, "signal");
  world.guest.failNext("signal", stopped);
  await world.process.kill(9);
  await process.exit(0);
  await world.process.exited;
});

Deno.test("host:J18 resize() needs a running process with a terminal", async () => {
  const world = new World();
  const stdio = { ...noStdio, terminal: true };
  await assertRejects(() => world.process.resize(80, 25), ShimError);
  const process = await world.run({ stdio });
  await world.process.resize(80, 25);
  assertEquals(world.guest.callsOf("resize")[0]?.argument, {
    pid: process.pid,
    width: 80,
    height: 25,
  });
  world.guest.failNext("resize", injected);
  await assertRejects(() => world.process.resize(1, 1), ShimError, "injected");
  await process.exit(0);
  await world.process.exited;

  const plain = new World();
  const other = await plain.run();
  const error = await assertRejects(
    () => plain.process.resize(80, 25),
    ShimError,
    'process "probe" of container "web": it has none',
  );
  assertEquals(error.code, "FailedPrecondition");
  await other.exit(0);
  await plain.process.exited;
});

Deno.test("host:J19 closeIo() ends the input once what was typed has been read", async () => {
  const world = new World();
  const process = await world.run({ stdio: allStdio });
  await world.client.type("hello");
  await world.process.closeIo();
  assertEquals(await process.readInput(), "hello");
  assertEquals(world.guest.callsOf("closeStdin").length, 1);
  await process.exit(0);
  await world.process.exited;
});

Deno.test("closeIo() before the start gives the process an empty input", async () => {
  const world = new World();
  await world.create({ stdio: allStdio });
  await world.process.closeIo();
  const process = world.guest.process(await world.process.start());
  assertEquals(await process.readInput(), "");
  await process.exit(0);
  await world.process.exited;
});

Deno.test("host:J22 host:J23 host:J24 delete() refuses what runs or was never created", async () => {
  const world = new World();
  await assertRejects(() => world.process.delete(), ShimError, "NotCreated");
  const process = await world.run();
  const error = await assertRejects(() => world.process.delete(), ShimError);
  assertEquals(error.code, "FailedPrecondition");
  await process.exit(3);
  await world.process.exited;
  await world.process.delete();
  assertEquals(world.process.status().exitCode, 3);

  const created = new World();
  await created.create({ stdio: allStdio });
  await created.process.delete();
  assertEquals((await created.process.exited).code, 0);
  assertEquals(created.client.events.length, 3);
});

Deno.test("host:J20 host:J29 a process that has ended tells its code and time", async () => {
  const world = new World();
  const process = await world.run();
  await world.clock.advance(5000);
  await process.exit(42);
  const { at } = await world.process.exited;
  assertEquals(at, world.clock.now());
  const { status, exitCode, exitedAt } = world.process.status();
  assertEquals([status, exitCode, exitedAt], ["STOPPED", 42, at]);
});

Deno.test("a lost bridge ends the process with an unknown exit code", async () => {
  const world = new World();
  await world.run();
  world.guest.lose(new Error("gone"));
  assertEquals((await world.process.exited).code, 255);
});

Deno.test("abandon() ends what was created and never started", async () => {
  const world = new World();
  await world.create({ stdio: allStdio });
  await world.process.abandon();
  assertEquals((await world.process.exited).code, 255);
  await assertRejects(() => world.process.start(), ShimError, "Terminated");
});

Deno.test("abandon() leaves a running process to the bridge", async () => {
  const world = new World();
  const process = await world.run();
  await world.process.abandon();
  assertEquals(world.process.state, "Running");
  await process.exit(0);
  await world.process.exited;
});

Deno.test("kill() during a start waits for it and reaches the process", async () => {
  const world = new World();
  await world.create();
  const release = world.guest.holdNext("execute");
  const started = world.process.start();
  const killed = world.process.kill(9);
  assertEquals(world.process.status().status, "CREATED"); // answers at once
  release();
  await killed;
  assertEquals(world.guest.callsOf("signal").length, 1);
  await world.guest.process(await started).exit(137);
  assertEquals((await world.process.exited).code, 137);
});

Deno.test("an exit before start() returns is not missed", async () => {
  const world = new World();
  await world.create();
  const execute = world.guest.execute.bind(world.guest);
  world.guest.execute = async (...args) => {
    const process = await execute(...args);
    await process.exit(7);
    return process;
  };
  await world.process.start();
  assertEquals((await world.process.exited).code, 7);
});

Deno.test("start() whose signal has aborted ends the process", async () => {
  const world = new World();
  await world.create();
  const gone = AbortSignal.abort(new ShimError("Canceled", "nobody waits"));
  await assertRejects(() => world.process.start(gone), ShimError);
  assertEquals((await world.process.exited).code, 1);
});

Deno.test("host:O15 requireSignal() knows the signals of Linux", () => {
  assertEquals([1, 9, 15, 31].map(requireSignal), [1, 9, 15, 31]);
  for (const signal of [0, -1, 32, 64, 1.5, NaN]) {
    let code: string | undefined;
    try {
      requireSignal(signal);
    } catch (error) {
      assert(error instanceof ShimError);
      assert(error.message.includes("invalid signal"));
      code = error.code;
    }
    assertEquals(code, "InvalidArgument");
  }
});
