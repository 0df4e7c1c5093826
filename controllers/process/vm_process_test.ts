import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest, type FakeGuestOptions } from "../../bridge/fake_guest.ts";
import { allStdio, FakeClient, noStdio } from "../testing/fake_stdio.ts";
import type { StdioPaths } from "./stdio.ts";
import { runInVm } from "./vm_process.ts";

const gone = new ShimError("Canceled", "the client is gone");
const injected = new ShimError("Internal", "injected");

/** A VM, a client, and one process. */
class Scene {
  readonly clock = new FakeClock();
  readonly guest: FakeGuest;
  readonly client = new FakeClient();
  readonly caller = new AbortController();

  constructor(options: FakeGuestOptions = {}) {
    this.guest = new FakeGuest(options);
  }

  run(
    stdio: StdioPaths = allStdio,
    args: readonly string[] = ["/bin/cat"],
  ): Promise<number> {
    const { clock, guest, client, caller } = this;
    const log = silentLogger;
    const timeouts = defaultTimeouts;
    return runInVm(
      { guest, streams: client, log, clock, timeouts },
      { args, workdir: "/tmp", stdio },
      caller.signal,
    );
  }

  /** Runs it, and waits until the guest has it. */
  async start(): Promise<Promise<number>[]> {
    const code = this.run();
    code.catch(() => {}); // the test looks at it
    while (this.guest.processes.length === 0) await this.clock.advance(0);
    return [code];
  }

  /** Streams of the client that were closed. */
  get closed(): string[] {
    return this.client.events.filter((event) => event.startsWith("closed"));
  }
}

const allClosed = ["closed stdin", "closed stdout", "closed stderr"];

async function fails(
  run: Promise<number>,
  code: ErrorCode,
  message: string,
): Promise<void> {
  const error = await assertRejects(() => run, ShimError, message);
  assertEquals((error as ShimError).code, code);
}

Deno.test("host:O16 runInVm() runs a process of the VM and closes the client's streams", async () => {
  const scene = new Scene();
  const [code] = await scene.start();
  const [process] = scene.guest.processes;
  assertEquals(process?.containerId, nullGuid);
  await process?.exit(8);
  assertEquals(await code, 8);
  assertEquals(scene.closed, allClosed);
});

Deno.test("runInVm() gives the process a terminal", async () => {
  const scene = new Scene();
  scene.guest.failNext("execute", injected);
  const stdio = { ...allStdio, stderr: "", terminal: true };
  await fails(scene.run(stdio), "Internal", "injected");
  const [execute] = scene.guest.callsOf("execute");
  const { parameters } = execute?.argument as {
    parameters: { EmulateConsole: boolean };
  };
  assertEquals(parameters.EmulateConsole, true);
  assertEquals(scene.closed, ["closed stdin", "closed stdout"]);
});

Deno.test("runInVm() runs nothing when a stream cannot be opened, or nothing is named", async () => {
  const scene = new Scene();
  scene.client.script.failNext("stderr", injected);
  await fails(scene.run(), "Internal", "injected");
  assertEquals(scene.closed, ["closed stdin", "closed stdout"]);
  await fails(scene.run(noStdio, []), "InvalidArgument", "no program");
  scene.caller.abort(gone);
  await fails(scene.run(noStdio), "Canceled", "the client is gone");
  assertEquals(scene.guest.calls, []);
});

Deno.test("host:O16 runInVm() kills the process when its caller goes away", async () => {
  const scene = new Scene({ exitOnKill: true });
  const [code] = await scene.start();
  scene.caller.abort(gone);
  await fails(code!, "Canceled", "the client is gone");
  assertEquals(scene.guest.callsOf("signal").length, 1);
  assertEquals(scene.closed.slice(0, 3), allClosed);
  assertEquals(scene.guest.processes[0]?.closed, true);
});

Deno.test("runInVm() lets the streams of its caller go when nothing ends the process", async () => {
  const scene = new Scene();
  const [code] = await scene.start();
  scene.caller.abort(gone);
  const failed = fails(code!, "Canceled", "the client is gone");
  await scene.clock.advance(0);
  assertEquals(scene.closed, []);
  await scene.clock.advance(defaultTimeouts.deleteWait);
  await failed;
  assertEquals(scene.closed, allClosed);
  await scene.guest.processes[0]?.exit(137); // late, and nobody's concern
});

Deno.test("runInVm() is Unavailable when the bridge is lost", async () => {
  const scene = new Scene();
  const [code] = await scene.start();
  scene.guest.lose();
  await scene.clock.advance(defaultTimeouts.drainGrace);
  await fails(code!, "Unavailable", "was not seen");
  assertEquals(scene.closed, allClosed);
});

Deno.test("runInVm() answers exit code 255, which is that of a lost process, too", async () => {
  const scene = new Scene();
  const [code] = await scene.start();
  await scene.guest.processes[0]?.exit(255);
  assertEquals(await code, 255);
});
