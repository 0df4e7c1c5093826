import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { jsonLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest } from "../../bridge/fake_guest.ts";
import type { FakeGuestProcess } from "../../bridge/fake_guest_process.ts";
import type { FakeLoggingProgram } from "../testing/fake_logging_program.ts";
import { FakeClient } from "../testing/fake_stdio.ts";
import { ProcessController } from "./controller.ts";
import type { StdioPaths } from "./stdio.ts";

const { loggerReady, loggerExit } = defaultTimeouts;
const url = "binary:///bin/logger?--to=web";
const logged: StdioPaths = {
  terminal: true,
  stdin: "in",
  stdout: url,
  stderr: "err",
};
const closed = ["closed stdout", "closed stderr"];

class World {
  readonly guest = new FakeGuest();
  readonly client = new FakeClient();
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly process: ProcessController;

  constructor(execId = "") {
    this.process = new ProcessController({
      guest: this.guest,
      streams: this.client,
      log: jsonLogger((line) => this.lines.push(line)),
      clock: this.clock,
      timeouts: defaultTimeouts,
    }, { containerId: "web", guestContainerId: "web", execId });
  }

  get program(): FakeLoggingProgram {
    return this.client.programs[0]!;
  }

  create(signal?: AbortSignal): Promise<void> {
    return this.process.create({ bundle: "/b", stdio: logged }, signal);
  }

  async run(): Promise<FakeGuestProcess> {
    await this.create();
    return this.guest.process(await this.process.start());
  }
}

async function readAll(stream: Duplex): Promise<string> {
  const buffer = new Uint8Array(1024);
  let text = "";
  for (;;) {
    const n = await stream.read(buffer);
    if (n === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
}

Deno.test("a logging program gets both outputs of its process, to their end, before the exit is told", async () => {
  const world = new World();
  const process = await world.run();
  const read = Promise.all([
    readAll(world.program.end("stdout")),
    readAll(world.program.end("stderr")),
  ]);
  await process.print("out");
  await process.print("err", "stderr");
  await process.exit(4);
  assertEquals((await world.process.exited).code, 4);
  assertEquals(await read, ["out", "err"]);
  assertEquals(world.program.events, [...closed, "exited"]);
});

Deno.test("with a logging program the other streams are ignored: no input, no terminal", async () => {
  const world = new World("probe");
  await world.create();
  assertEquals(world.client.script.calls, [{
    call: "startLogger",
    argument: { url, containerId: "web", execId: "probe" },
  }]);
  assertEquals(world.process.status().stdio, {
    terminal: false,
    stdin: "",
    stdout: url,
    stderr: url,
  });
  const process = world.guest.process(await world.process.start());
  assertEquals(process.stdin, undefined);
  const error = await assertRejects(
    () => world.process.resize(80, 25),
    ShimError,
    "it has none",
  );
  assertEquals(error.code, "FailedPrecondition");
  await world.process.closeIo(); // there is no input to end
  await process.exit(0);
});

Deno.test("only the output decides: a program for the errors alone is a stream like others", async () => {
  const world = new World();
  const stdio = { terminal: false, stdin: "", stdout: "out", stderr: url };
  await world.process.create({ bundle: "/b", stdio });
  assertEquals(world.client.script.of("startLogger"), []);
  assertEquals(world.client.script.of("stderr")[0]?.argument, url);
  await world.process.delete();
});

Deno.test("a program that does not become ready in time fails the create and is killed", async () => {
  const world = new World();
  world.client.onProgram = (program) =>
    program.whenReady = new Promise(() => {});
  const failed = assertRejects(
    () => world.create(),
    ShimError,
    'Cannot create init process of container "web": failed to start binary logger: timeout',
  );
  await world.clock.advance(loggerReady - 1);
  assertEquals(world.program.events, []);
  await world.clock.advance(1);
  assertEquals((await failed).code, "DeadlineExceeded");
  assertEquals(world.program.events.slice(0, 2), ["killed", "exited"]);
  assertEquals(world.program.events.slice(-3, -1), closed);
  assertEquals([world.clock.sleepers, world.process.state], [0, "NotCreated"]);
  world.client.onProgram = () => {};
  await world.create(); // it can be created again
  await world.process.delete();
});

Deno.test("a program that fails before it is ready fails the create with its reason", async () => {
  const world = new World();
  world.client.onProgram = (program) => {
    program.whenReady = Promise.reject(
      new ShimError("Unavailable", "it ended with code 1"),
    );
    program.exit(1);
  };
  const error = await assertRejects(
    () => world.create(),
    ShimError,
    "failed to start binary logger: it ended with code 1",
  );
  assertEquals(error.code, "Unavailable");
  assertEquals(world.clock.sleepers, 0);
});

Deno.test("a create whose client goes away while the program starts kills it", async () => {
  const world = new World();
  world.client.onProgram = (program) =>
    program.whenReady = new Promise(() => {});
  const caller = new AbortController();
  const gone = new ShimError("Canceled", "the client is gone");
  const creating = world.create(caller.signal).catch((error) => error);
  await world.clock.advance(0);
  caller.abort(gone);
  assertEquals(await creating, gone);
  assertEquals(world.program.events[0], "killed");
  assertEquals(world.clock.sleepers, 0);
});

Deno.test("a program that cannot be started fails the create", async () => {
  const world = new World();
  const missing = new ShimError("NotFound", "no such program");
  world.client.script.failNext("startLogger", missing);
  const error = await assertRejects(
    () => world.create(),
    ShimError,
    "no such program",
  );
  assertEquals(error.code, "NotFound");
});

Deno.test("a program that does not end with its streams is killed; the exit waits for it so long", async () => {
  const world = new World();
  const process = await world.run();
  world.program.endsWithStreams = false;
  await process.exit(0);
  await world.clock.advance(loggerExit - 1);
  assertEquals(world.program.events, closed);
  await world.clock.advance(1);
  await world.process.exited;
  assertEquals(world.program.events, [...closed, "killed", "exited"]);
  assertEquals(world.lines.some((line) => line.includes("is killed")), true);
});

Deno.test("a program that even a kill does not end holds the exit up for a bounded time", async () => {
  const world = new World();
  const process = await world.run();
  world.program.endsWithStreams = false;
  world.program.canBeKilled = false;
  await process.exit(0);
  await world.clock.advance(loggerExit);
  await world.clock.advance(loggerExit);
  assertEquals((await world.process.exited).code, 0);
  assertEquals(world.program.events, [...closed, "killed"]);
  assertEquals(world.clock.sleepers, 0);
});

Deno.test("a process runs on without its logging program; its output is dropped", async () => {
  const world = new World();
  const process = await world.run();
  await process.print("first");
  await world.program.end("stdout").close();
  await world.program.end("stderr").close();
  world.program.exit(1);
  for (let times = 0; times < 16; times++) {
    await process.print("x".repeat(65536));
    await process.print("x".repeat(65536), "stderr");
  }
  await process.exit(6);
  assertEquals((await world.process.exited).code, 6);
});

for (
  const [how, end] of [
    ["deleted", ({ process }: World) => process.delete()],
    ["killed", ({ process }: World) => process.kill(9)],
    ["abandoned with its VM", ({ process }: World) => process.abandon()],
  ] as const
) {
  Deno.test(`a process that is ${how} before its start ends its logging program`, async () => {
    const world = new World();
    await world.create();
    await end(world);
    await world.process.exited;
    assertEquals(world.program.events, [...closed, "exited"]);
  });
}

Deno.test("a process that cannot be started ends its logging program", async () => {
  const world = new World();
  await world.create();
  world.guest.failNext("execute", new ShimError("Internal", "injected"));
  await assertRejects(() => world.process.start(), ShimError, "injected");
  assertEquals(world.program.events, [...closed, "exited"]);
});

Deno.test("the end of the VM ends the logging program of a running process", async () => {
  const world = new World();
  await world.run();
  world.guest.lose();
  await world.clock.advance(defaultTimeouts.drainGrace);
  await world.process.exited;
  assertEquals(world.program.events, [...closed, "exited"]);
});
