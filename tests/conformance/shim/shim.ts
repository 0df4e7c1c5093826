/**
 * One running shim of a case, or of several.
 *
 * @module
 */

import { abortable, deadline, systemClock } from "../../../base/clock.ts";
import { connDuplex, type Duplex } from "../../../base/duplex.ts";
import { classify, messageOf, ShimError } from "../../../base/errors.ts";
import { DeleteResponse, TaskV2, TaskV3 } from "../../../ttrpc/api/task.gen.ts";
import { TtrpcClient, type UnaryMethod } from "../../../ttrpc/client.ts";
import type { RequestOf, ResponseOf } from "../../../ttrpc/handlers.ts";
import { drainFifo, writeBundle } from "../../driver.ts";
import {
  type Daemon,
  deleteCall,
  type Finished,
  readAnswer,
  runCommand,
  type StartAnswer,
} from "./command.ts";
import { Container, type ContainerOptions } from "./process.ts";
import type { World } from "./world.ts";

/** Milliseconds that a shim has to end by itself. */
const endLimit = 60_000;

/** How often the process table is looked at: the end of a stranger is no event. */
const lookEvery = 10;

/** How a shim is started. */
export interface ShimOptions {
  /** The calling daemon. */
  readonly daemon?: Daemon;
  /** Event endpoint; default is the world's. */
  readonly events?: string;
  /** Standard input of `start` instead of the daemon's. */
  readonly input?: Uint8Array;
  /** True when the bundle has no `config.json`: that of a sandbox has none. */
  readonly bare?: boolean;
}

type Task = typeof TaskV3;

/** True while a process is there and not a zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return !/\) Z /.test(stat);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // The process ended while it was read.
    if (error instanceof Error && messageOf(error).includes("os error 3")) {
      return false;
    }
    throw error;
  }
}

/** Waits until a process has ended. @throws A TimeoutError. */
export async function ended(pid: number): Promise<void> {
  await deadline(
    systemClock,
    endLimit,
    `The end of process ${pid}`,
    async (signal) => {
      while (await isAlive(pid)) await systemClock.sleep(lookEvery, signal);
    },
  );
}

/** A shim that serves the group of one id. */
export class Shim {
  readonly world: World;
  /** Id for which it was started. */
  readonly id: string;
  /** Ends all waits of whoever uses it. */
  readonly signal: AbortSignal;
  /** What `start` answered. */
  readonly answer: StartAnswer;
  /** The first connection. */
  readonly client: TtrpcClient;
  /** Its process. */
  readonly pid: number;
  readonly #clients: TtrpcClient[] = [];
  readonly #drains: { close(): Promise<void> }[] = [];
  readonly #containers: Container[] = [];
  #isLost = false;

  private constructor(
    world: World,
    id: string,
    signal: AbortSignal,
    answer: StartAnswer,
    client: TtrpcClient,
    pid: number,
  ) {
    this.world = world;
    this.id = id;
    this.signal = signal;
    this.answer = answer;
    this.client = client;
    this.pid = pid;
    client.closed.then(() => this.#isLost = true);
  }

  /** Starts one as containerd does, and connects. */
  static async start(
    world: World,
    id: string,
    signal: AbortSignal,
    options: ShimOptions = {},
  ): Promise<Shim> {
    const bundle = `${world.dir}/${id}`;
    await Deno.mkdir(bundle, { recursive: true });
    if (!options.bare) {
      await writeBundle(bundle, world.rootfs, {
        args: ["/bin/sleep", "1000"],
        annotations: annotationsOf(id, id),
      });
    }
    const log = drainFifo(`${bundle}/log`);
    const finished = await world.start(id, signal, options);
    if (finished.code !== 0) {
      await log.close();
      throw new ShimError("Unavailable", `start failed: ${finished.stderr}`);
    }
    const answer = readAnswer(finished.stdout);
    const client = new TtrpcClient(await dial(answer.address));
    const service = serviceOf(answer);
    const { shimPid } = await client.call(service, "Connect", { id });
    const shim = new Shim(world, id, signal, answer, client, shimPid);
    shim.#drains.push(log);
    return shim;
  }

  /** The Task service that it wants to be spoken to with. */
  get service(): Task {
    return serviceOf(this.answer);
  }

  /** True when the first connection has ended. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Folder of the bundle of an id. */
  bundleOf(id: string): string {
    return `${this.world.dir}/${id}`;
  }

  /** The annotations with which a container of this id belongs to this shim. */
  annotations(id: string): Record<string, string> {
    return annotationsOf(this.id, id);
  }

  /** Calls the Task service; ends with the signal. */
  call<M extends UnaryMethod<Task>>(
    method: M,
    request: Partial<RequestOf<Task["methods"][M]>>,
    client: TtrpcClient = this.client,
  ): Promise<ResponseOf<Task["methods"][M]>> {
    const { service, signal } = this;
    const answer = client.call(service, method, request, { signal });
    // A case that fails leaves calls behind that nobody waits for any more.
    answer.catch(() => {});
    return answer;
  }

  /** One more connection. */
  async connect(): Promise<TtrpcClient> {
    const client = new TtrpcClient(await this.dial());
    this.#clients.push(client);
    return client;
  }

  /** One more connection, without a client: the caller closes it. */
  dial(): Promise<Duplex> {
    return dial(this.answer.address);
  }

  /** Path of its socket. */
  get socket(): string {
    return pathOf(this.answer.address);
  }

  /** Makes the bundle of a container, which goes with the shim at the latest. */
  async prepare(id: string, options?: ContainerOptions): Promise<Container> {
    const container = await Container.prepare(this, id, options);
    this.#containers.push(container);
    return container;
  }

  /**
   * Kills a container whose Create may be under way still, after its client has
   * left: no event tells when that is over. One that is not there is a success.
   */
  async killSettled(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.call("Kill", { id, signal: 9 });
        return;
      } catch (error) {
        const code = classify(error);
        if (code === "NotFound") return;
        if (code !== "FailedPrecondition") throw error;
        await systemClock.sleep(lookEvery, signal);
      }
    }
  }

  /** Runs the command `delete` for an id. */
  runDelete(id: string = this.id): Promise<Finished> {
    const { world } = this;
    const bundle = this.bundleOf(id);
    const { daemon, path } = world.target;
    const call = deleteCall(world.place(), daemon, id, bundle);
    return runCommand(
      path,
      { ...call, env: { ...world.env, ...call.env } },
      bundle,
      AbortSignal.timeout(endLimit),
    );
  }

  /** Kills it. */
  async kill(): Promise<void> {
    Deno.kill(this.pid, "SIGKILL");
    await abortable(this.client.closed, this.signal);
    await ended(this.pid);
  }

  /** Asks it to end, and waits until it has. */
  async shutdown(): Promise<void> {
    try {
      await this.call("Shutdown", { id: this.id });
    } catch (error) {
      // Its end may be faster than its answer.
      if (classify(error) !== "Unavailable") throw error;
    }
    await deadline(
      systemClock,
      endLimit,
      "The end of the shim after Shutdown",
      () => this.client.closed,
    );
    await ended(this.pid);
  }

  /** Removes its containers and ends it, by force when it does not end. */
  async close(): Promise<void> {
    try {
      for (const container of this.#containers.toReversed()) {
        await container.remove();
      }
      if (!this.isLost && this.#containers.length > 0) await this.shutdown();
    } finally {
      if (await isAlive(this.pid)) await this.#destroy();
      for (const client of [this.client, ...this.#clients]) {
        await client.close();
      }
      for (const drain of this.#drains) await drain.close();
    }
  }

  async #destroy(): Promise<void> {
    Deno.kill(this.pid, "SIGKILL");
    await ended(this.pid);
    DeleteResponse.decode((await this.runDelete()).stdout);
  }
}

/** How a specification says that its container belongs to a pod. */
function annotationsOf(podId: string, id: string): Record<string, string> {
  return {
    "io.kubernetes.cri.container-type": id === podId ? "sandbox" : "container",
    "io.kubernetes.cri.sandbox-id": podId,
  };
}

function serviceOf({ version }: StartAnswer): Task {
  return version === 3 ? TaskV3 : TaskV2 as Task;
}

function pathOf(address: string): string {
  return address.replace("unix://", "");
}

async function dial(address: string): Promise<Duplex> {
  return connDuplex(
    await Deno.connect({ transport: "unix", path: pathOf(address) }),
  );
}
