/**
 * What all lives share: containerd, the state of the simulated host, the choice
 * of when everything stops, and the journal.
 *
 * @module
 */

import { deadline, systemClock } from "../../base/clock.ts";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import { endpointAddress, stateFolders } from "../../sim/state.ts";
import type { TtrpcClient } from "../../ttrpc/client.ts";
import type { PrivateContainerd } from "../containerd.ts";
import { connectShim } from "../driver.ts";
import { Gate } from "./gate.ts";
import { Journal } from "./journal.ts";
import { classOfText, judge, type Judged, type Outcome } from "./judge.ts";
import { type Processes, processesOf } from "../processes.ts";

/** The namespace that `ctr` uses. */
const namespace = "default";

/** Bound for the start of all containers of a round, in milliseconds. */
const crowdLimit = 300_000;

/** What was killed of a group. */
export type Loss = "machine" | "shim";

/** One shim with its virtual machine: a pod, or a container on its own. */
export class Group {
  /** What of it was killed, from just before that. */
  loss: Loss | undefined;

  /**
   * @param world Where it is.
   * @param key Id of the pod, or of the container on its own.
   */
  constructor(readonly world: World, readonly key: string) {}

  /** A connection to its shim, which is the caller's. */
  async connect(): Promise<TtrpcClient> {
    const state = this.world.state;
    const address = await endpointAddress(state, namespace, this.key);
    return await connectShim(address.replace("unix://", ""));
  }

  /** Its processes, as long as it runs. */
  processes(): Promise<Processes> {
    return processesOf(this.world.state, this.key);
  }
}

/** What `ctr` came to. */
export type CtrAnswer =
  | { readonly stdout: string; readonly stderr: string }
  | { readonly code: ErrorCode | "interrupted" };

/** Everything that the lives share. */
export class World {
  /** Containers that run now. */
  live = 0;
  /** Most containers that ever ran at once. */
  peak = 0;
  /** What was done. */
  readonly journal = new Journal();
  /** Held by who must not be interrupted by a restart of containerd. */
  readonly gate = new Gate();
  /** Where the simulated host keeps its state. */
  readonly state: ReturnType<typeof stateFolders>;
  /** Names whose machine's control group is not among the known ones yet. */
  #restarts = 0;
  #next = 0;
  #crowd = { size: 0, promise: Promise.resolve(), here: (): void => {} };

  /**
   * @param containerd The daemon.
   * @param rootfs Folder with the files of the image.
   */
  constructor(
    readonly containerd: PrivateContainerd,
    readonly rootfs: string,
  ) {
    this.state = stateFolders(`${containerd.dir}/lcow`);
  }

  /** A name that nothing else has. */
  name(prefix: string): string {
    return `${prefix}${this.#next++}`;
  }

  /** Restarts containerd when nobody holds the gate. */
  async restart(): Promise<void> {
    await this.gate.alone(async () => {
      this.#restarts++;
      this.journal.fault("containerd restarted", "containerd");
      await this.containerd.halt();
      await this.containerd.launch();
      this.#restarts++;
    });
  }

  /**
   * Runs `ctr` and judges what came of it.
   *
   * @param on Who it is about.
   * @param name The operation.
   * @param allowed Outcomes that the model allows.
   * @param args Arguments of `ctr`.
   * @param input Its standard input.
   * @returns What it said; or the class of its error, which may be that
   * containerd was restarted meanwhile.
   */
  async ctr(
    on: Judged,
    name: string,
    allowed: readonly Outcome[],
    args: readonly string[],
    input?: Uint8Array,
  ): Promise<CtrAnswer> {
    const restarts = this.#restarts;
    let interrupted = false;
    const answer = await judge(this.journal, on, name, allowed, async () => {
      const { code, stdout, stderr } = await this.containerd.run(args, input);
      if (code === 0) return { stdout, stderr };
      interrupted = restarts !== this.#restarts || restarts % 2 === 1;
      if (interrupted) {
        this.journal.note(`${on.name}: ${name} was interrupted: ${stderr}`);
        return { stdout, stderr };
      }
      throw new ShimError(
        // The exit status of a process that is lost.
        code === 255 && stderr === "" ? "Unavailable" : classOfText(stderr),
        `exit code ${code}: ${stderr.trim()}`,
      );
    });
    if (interrupted) return { code: "interrupted" };
    return "code" in answer ? answer : answer.value;
  }

  /** Starts containers with `ctr run`, which no restart interrupts. */
  async run(
    on: Judged,
    flags: readonly string[],
    command: readonly string[],
    what = "ctr run",
    allowed: readonly Outcome[] = ["ok"],
  ): Promise<CtrAnswer> {
    const args = this.containerd.runArgs(on.name, command, flags);
    return await this.gate.among(() => this.ctr(on, what, allowed, args));
  }

  /** A container runs from now on. */
  begin(): void {
    this.live++;
    this.peak = Math.max(this.peak, this.live);
    if (this.live >= this.#crowd.size) this.#crowd.here();
  }

  /** It does no more. */
  end(): void {
    this.live--;
  }

  /** A new round: {@linkcode World.crowded} waits for this many containers. */
  gather(size: number): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#crowd = { size, promise, here: resolve };
    this.peak = this.live;
  }

  /** Resolves when the containers of the round have run at once. */
  crowded(): Promise<void> {
    return deadline(
      systemClock,
      crowdLimit,
      `The start of ${this.#crowd.size} containers (${this.live} run)`,
      () => this.#crowd.promise,
    );
  }
}
