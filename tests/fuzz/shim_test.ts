/**
 * Nothing that clients send to a running shim ends it, disturbs its container or
 * another client, or stays behind.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { deadline, systemClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { classify } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { install } from "../../bin/install.ts";
import { Request } from "../../ttrpc/api/envelope.gen.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { TaskV2, TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import { encodeFrame, FrameReader, FrameType } from "../../ttrpc/frames.ts";
import { ours } from "../conformance/shim/target.ts";
import { type SharedPod, World } from "../conformance/shim/world.ts";
import { Container } from "../conformance/shim/process.ts";
import { toolEnv } from "../debian.ts";
import { execSpec } from "../driver.ts";
import { buildRootfs } from "../image.ts";
import { canRun } from "../kernel/guest_fixture.ts";
import { wireMessage } from "./wire_messages.ts";

/** Rounds of the property, and the milliseconds after which no further one begins. */
const bounds = { rounds: 400, ms: 6_000 };

/** Bytes by which a shim may grow; one that keeps what it is sent exceeds them. */
const mayGrow = 64 * 1024 * 1024;

/** Milliseconds in which what a client left behind has gone. */
const settleLimit = 20_000;

/** Containers that exist and may come to any harm. */
const victims = ["v0", "v1"] as const;

/** Time of a call, in nanoseconds: a Wait must not hold the round up. */
const callTime = 100_000_000n;

/** Methods that end what they name; they never hear of the pod. */
const destructive: ReadonlySet<string> = new Set([
  ...["Kill", "Delete", "StopSandbox", "ShutdownSandbox"],
]);

/** Runs programs in the VM, which shares this machine's kernel. */
const leftOut = "DiagExecInHost";

interface Method {
  readonly service: string;
  readonly method: string;
}

const methods: readonly Method[] = [TaskV2, TaskV3, Sandbox, ShimDiag].flatMap(
  ({ name, methods }) =>
    Object.keys(methods).filter((method) => method !== leftOut)
      .map((method) => ({ service: name, method })),
);

/** What a client does with one of its connections. */
interface Action {
  readonly connection: number;
  readonly bytes: Uint8Array;
  /** Whether what was sent is whole, so that the next frame can follow. */
  readonly whole: boolean;
}

/** What a client does in the life of a container, in order. */
function goodRequests(
  { id, bundle, request }: Container,
): (Method & { readonly payload: Uint8Array })[] {
  const exec = { id, execId: "e0" };
  const silent = { stdin: "", stdout: "", stderr: "" };
  const spec = execSpec(["/bin/true"]);
  const { methods: task, name: service } = TaskV3;
  const payloads = {
    Create: task.Create.request.encode({ ...request, bundle, ...silent }),
    Start: task.Start.request.encode({ id }),
    State: task.State.request.encode({ id }),
    Pids: task.Pids.request.encode({ id }),
    Stats: task.Stats.request.encode({ id }),
    Exec: task.Exec.request.encode({ ...exec, spec }),
    Wait: task.Wait.request.encode(exec),
    Kill: task.Kill.request.encode({ id, signal: 9 }),
    Delete: task.Delete.request.encode({ id }),
  };
  const more = [
    { method: "Start", payload: task.Start.request.encode(exec) },
    { method: "Delete", payload: task.Delete.request.encode(exec) },
    { method: "State", payload: task.State.request.encode(exec) },
  ];
  return [
    ...Object.entries(payloads).map(([method, payload]) => ({
      method,
      payload,
    })),
    ...more,
  ].map((request) => ({ service, ...request }));
}

/** A running shim, its victims, and what a client can name there. */
class Prey implements AsyncDisposable {
  readonly world: World;
  readonly pod: SharedPod;
  readonly words: readonly string[];
  /** Requests in which nothing is wrong; they name victims only. */
  readonly good: (Method & { readonly payload: Uint8Array })[] = [];

  private constructor(world: World, pod: SharedPod) {
    this.world = world;
    this.pod = pod;
    const { dir } = world;
    this.words = [
      ...[...victims, "nobody", "", "../x", "a/b", "x".repeat(300)],
      ...victims.map((id) => `${dir}/${id}`),
      ...[`${dir}/none`, `file://${dir}/fuzz.log`, "file://", "e0", "e1"],
      ...["{}", '{"args":["true"]}', '{"args":["/none"],"cwd":"/"}', "["],
      ...['{"memory":{"limit":67108864}}', '{"pids":{"limit":-1}}'],
      execSpec([]).typeUrl,
      "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
      "containerd.runhcs.v1.Options",
    ];
  }

  static async start(): Promise<Prey> {
    const tools = await toolEnv();
    await install();
    const rootfs = await buildRootfs(tools);
    const world = await World.create({ target: ours, tools, rootfs });
    const prey = new Prey(world, await world.pod());
    await prey.revive();
    return prey;
  }

  /** Makes the victims, anew those that there are. */
  async revive(): Promise<void> {
    for (const id of victims) {
      await this.#remove(id);
      const container = await Container.prepare(this.pod.shim, id);
      this.good.push(...goodRequests(container));
      await container.create();
      await container.start();
      await container.streams.close();
    }
  }

  /** The container is as it was, and works. */
  async healthy(): Promise<void> {
    const { container } = this.pod;
    assertEquals((await container.state()).status, TaskStatus.RUNNING);
  }

  /** Nobody has written down a crash. */
  async quiet(): Promise<void> {
    const { shim } = this.pod;
    const path = `${shim.bundleOf(shim.id)}/panic.log`;
    assertEquals(await Deno.readTextFile(path), "");
    const exec = await this.pod.container.exec("last", "echo well");
    assertEquals((await exec.toEnd()).stdout, "well\n");
  }

  async #status(name: string): Promise<number> {
    const text = await Deno.readTextFile(
      `/proc/${this.pod.shim.pid}/status`,
    );
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1]);
  }

  /** Bytes of the shim's memory. */
  async memory(): Promise<number> {
    return await this.#status("VmRSS") * 1024;
  }

  /** Sockets of clients that the shim has open. */
  async clients(): Promise<number> {
    const { shim } = this.pod;
    const table = await Deno.readTextFile("/proc/net/unix");
    return table.split("\n").filter((line) => line.endsWith(shim.socket))
      .length;
  }

  /** Waits until only so many clients are left: the shim's end is no event here. */
  async alone(clients: number): Promise<void> {
    await deadline(
      systemClock,
      10_000,
      "The end of clients",
      async (signal) => {
        while (await this.clients() > clients) {
          await systemClock.sleep(10, signal);
        }
      },
    );
  }

  /** Removes whatever containers there are beside the pod's own. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { client, signal, id: podId } = this.pod.shim;
    const { tasks } = await client.call(ShimDiag, "DiagTasks", {}, { signal });
    for (const { id } of tasks) {
      if (id !== podId) await this.#remove(id);
    }
    await this.world.close();
  }

  async #remove(id: string): Promise<void> {
    const { shim } = this.pod;
    const calls = [
      () => shim.killSettled(id, AbortSignal.timeout(settleLimit)),
      () => shim.call("Wait", { id }),
      () => shim.call("Delete", { id }),
    ];
    for (const call of calls) {
      try {
        await call();
      } catch (error) {
        // It is gone, or has just ended by itself.
        if (classify(error) !== "NotFound") throw error;
      }
    }
  }
}

/** Numbers the streams of all clients; a shim wants them to grow. */
let streams = 1;

function requestFrame(method: Method, payload: Uint8Array): Uint8Array {
  streams += 2;
  return encodeFrame(
    streams,
    FrameType.Request,
    0,
    Request.encode({ ...method, payload, timeoutNano: callTime }),
  );
}

/** Requests that can be understood, more or less. */
function requests({ words, pod, good }: Prey): fc.Arbitrary<Uint8Array> {
  const ids = [...victims, ...victims, "nobody"];
  const mild = wireMessage([pod.shim.id, pod.shim.id, ...ids], words);
  const fierce = wireMessage(ids, words);
  const random = fc.constantFrom(...methods).chain((method) =>
    (destructive.has(method.method) ? fierce : mild)
      .map((payload) => requestFrame(method, payload))
  );
  const valid = fc.record({
    request: fc.constantFrom(...good),
    damage: fc.option(fc.record({ at: fc.nat(200), byte: fc.nat(255) }), {
      freq: 1,
    }),
  }).map(({ request, damage }) => {
    const payload = request.payload.slice();
    if (damage !== null) payload[damage.at % payload.length] = damage.byte;
    return requestFrame(request, payload);
  });
  return fc.oneof(random, valid);
}

/** Frames from well formed to absurd. */
function frames(request: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const strange = fc.record({
    id: fc.oneof(fc.nat(12), fc.nat(0xffff_ffff)),
    type: fc.oneof(fc.constantFrom(1, 2, 3), fc.nat(255)),
    flags: fc.nat(255),
    data: fc.uint8Array({ maxLength: 60 }),
  }).map(({ id, type, flags, data }) => encodeFrame(id, type, flags, data));
  return fc.oneof(
    { weight: 6, arbitrary: request },
    { weight: 1, arbitrary: strange },
  );
}

/** What several clients do, mixed: whole frames, halves, noise. */
function traffic(prey: Prey): fc.Arbitrary<Action[]> {
  const connection = fc.nat(2);
  const frame = frames(requests(prey));
  const whole = fc.record({ connection, bytes: frame })
    .map((action) => ({ ...action, whole: true }));
  const half = fc.record({ connection, bytes: frame, part: fc.nat(100) }).map(
    ({ connection, bytes, part }) => ({
      connection,
      bytes: bytes.subarray(0, Math.floor(bytes.length * part / 100)),
      whole: false,
    }),
  );
  const noise = fc.record({
    connection,
    bytes: fc.uint8Array({ maxLength: 64 }),
  }).map((action) => ({ ...action, whole: false }));
  return fc.array(
    fc.oneof(
      { weight: 12, arbitrary: whole },
      { weight: 1, arbitrary: half },
      { weight: 1, arbitrary: noise },
    ),
    { minLength: 1, maxLength: 40, size: "large" },
  );
}

/** A client's connection: what comes back is read all the time. */
class Hunter {
  readonly #stream: Duplex;
  readonly #reader: FrameReader;
  #broken = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#reader = new FrameReader(stream);
  }

  async send({ bytes, whole }: Action): Promise<void> {
    this.#broken ||= !whole;
    // The shim may close a connection on which nonsense came.
    await this.#stream.write(bytes).catch((error) => {
      if (!this.#broken) throw error;
    });
  }

  /** Ends it; a good connection gives all its replies first. */
  async close(): Promise<void> {
    if (!this.#broken) {
      const connect = { service: TaskV3.name, method: "Connect" };
      const frame = requestFrame(connect, new Uint8Array());
      const last = streams;
      await this.#stream.write(frame);
      for (;;) {
        const reply = await this.#reader.next();
        assert(reply !== null, "the shim closed a good connection");
        if (reply.streamId === last) break;
      }
    }
    await this.#stream.close();
  }
}

async function play(prey: Prey, actions: readonly Action[]): Promise<void> {
  const hunters = new Map<number, Hunter>();
  for (const action of actions) {
    const { connection } = action;
    const hunter = hunters.get(connection) ??
      new Hunter(await prey.pod.shim.dial());
    hunters.set(connection, hunter);
    await hunter.send(action);
  }
  await Promise.all([...hunters.values()].map((hunter) => hunter.close()));
  await prey.healthy();
}

async function attack(
  arbitrary: fc.Arbitrary<Action[]>,
  prey: Prey,
): Promise<number> {
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(arbitrary, async (actions) => {
      rounds++;
      await play(prey, actions);
    }),
    {
      numRuns: bounds.rounds,
      interruptAfterTimeLimit: bounds.ms,
      endOnFailure: true,
    },
  );
  return rounds;
}

// The library stays open, whichever test opens it.
Deno.test.beforeAll(() => void libc());

Deno.test({
  name:
    "whatever clients send, a shim goes on, answers others and keeps nothing",
  timeout: 120_000,
  fn: async () => {
    if (!await canRun()) {
      console.log("skip: fuzz: a shim needs root and control groups");
      return;
    }
    await using prey = await Prey.start();
    const arbitrary = traffic(prey);
    const clients = await prey.clients();
    // The first rounds compile and load what later ones use.
    await attack(arbitrary, prey);
    const memory = await prey.memory();
    await prey.revive();
    const rounds = await attack(arbitrary, prey);
    const grown = await prey.memory() - memory;
    assert(grown < mayGrow, `${grown} bytes after ${rounds} rounds`);
    await prey.quiet();
    await prey.alone(clients);
  },
});
