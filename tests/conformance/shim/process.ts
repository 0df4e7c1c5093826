/**
 * A container, and a further process in it, as a client sees them.
 *
 * @module
 */

import { deadline, systemClock } from "../../../base/clock.ts";
import type { Duplex } from "../../../base/duplex.ts";
import { classify, type ErrorCode } from "../../../base/errors.ts";
import type {
  CreateTaskRequest,
  DeleteResponse,
  StateResponse,
  WaitResponse,
} from "../../../ttrpc/api/task.gen.ts";
import {
  clientEnd,
  execSpec,
  type RootfsMount,
  type SpecOptions,
  writeBundle,
} from "../../driver.ts";
import { Output } from "./output.ts";
import type { Shim } from "./shim.ts";

/** How long the removal of a container may take, in milliseconds. */
const removalLimit = 60_000;

/** Which streams a process has. */
export interface StreamOptions {
  /** Whether the client writes. */
  readonly stdin?: boolean;
  /** Whether there is a terminal, which has no stream for errors. */
  readonly terminal?: boolean;
  /** Whether output is read at once; default is true. */
  readonly reads?: boolean;
  /** True when the process has no streams at all. */
  readonly none?: boolean;
  /** Address of the output instead of a stream of this client's. */
  readonly log?: string;
}

/** The client's ends of a process' streams, and their paths. */
export class Streams {
  readonly stdin: Duplex | undefined;
  readonly stdout: Output;
  readonly stderr: Output | undefined;
  /** The paths as a request names them; empty for a stream that is not wanted. */
  readonly paths: {
    readonly stdin: string;
    readonly stdout: string;
    readonly stderr: string;
    readonly terminal: boolean;
  };

  private constructor(
    folder: string,
    stdin: Duplex | undefined,
    { terminal = false, reads, none, log }: StreamOptions,
  ) {
    this.stdin = stdin;
    this.stdout = Output.make(`${folder}/out`, reads);
    this.stderr = terminal ? undefined : Output.make(`${folder}/err`, reads);
    const wanted = (path: string): string => none ? "" : log ?? path;
    this.paths = {
      stdin: stdin === undefined ? "" : `${folder}/in`,
      stdout: wanted(this.stdout.path),
      stderr: wanted(this.stderr?.path ?? ""),
      terminal,
    };
  }

  /** Makes the streams in a folder. */
  static async make(folder: string, options: StreamOptions): Promise<Streams> {
    await Deno.mkdir(folder, { recursive: true });
    const stdin = options.stdin
      ? await clientEnd(`${folder}/in`, "write")
      : undefined;
    return new Streams(folder, stdin, options);
  }

  /** The shim has opened its ends, at the start at the latest. */
  attached(): void {
    this.stdout.attached();
    this.stderr?.attached();
  }

  /** Closes this side's ends. */
  async close(): Promise<void> {
    await this.stdin?.close();
    await this.stdout.close();
    await this.stderr?.close();
  }
}

/** One process of a container. */
export class TaskProcess {
  readonly shim: Shim;
  /** Id of the container. */
  readonly id: string;
  /** Empty for init. */
  readonly execId: string;
  readonly streams: Streams;

  protected constructor(
    shim: Shim,
    id: string,
    execId: string,
    streams: Streams,
  ) {
    this.shim = shim;
    this.id = id;
    this.execId = execId;
    this.streams = streams;
  }

  get #names(): { id: string; execId: string } {
    return { id: this.id, execId: this.execId };
  }

  /** @returns Its process id. */
  async start(): Promise<number> {
    const { pid } = await this.shim.call("Start", this.#names);
    this.streams.attached();
    return pid;
  }

  wait(): Promise<WaitResponse> {
    return this.shim.call("Wait", this.#names);
  }

  async kill(signal = 9, all = false): Promise<void> {
    await this.shim.call("Kill", { ...this.#names, signal, all });
  }

  delete(): Promise<DeleteResponse> {
    return this.shim.call("Delete", this.#names);
  }

  state(): Promise<StateResponse> {
    return this.shim.call("State", this.#names);
  }

  async resize(width: number, height: number): Promise<void> {
    await this.shim.call("ResizePty", { ...this.#names, width, height });
  }

  /** Ends its input, as containerd does: the client's end and the shim's. */
  async closeInput(): Promise<void> {
    await this.streams.stdin?.close();
    await this.shim.call("CloseIO", { ...this.#names, stdin: true });
  }

  /** Writes to its input. */
  async write(text: string): Promise<void> {
    await this.streams.stdin?.write(new TextEncoder().encode(text));
  }

  /** Starts it, waits for its end and for all output, and deletes it. */
  async toEnd(): Promise<{ code: number; stdout: string; stderr: string }> {
    await this.start();
    const { exitStatus } = await this.wait();
    await this.delete();
    const { signal } = this.shim;
    return {
      code: exitStatus,
      stdout: await this.streams.stdout.whole(signal),
      stderr: await this.streams.stderr?.whole(signal) ?? "",
    };
  }
}

/** How a container is made. */
export interface ContainerOptions
  extends Partial<Omit<SpecOptions, "terminal">>, StreamOptions {
  /** Shell command of init; default is to sleep. */
  readonly script?: string;
}

/** What init runs when nobody says otherwise. */
export const sleeping = "exec sleep 1000";

/** A container. */
export class Container extends TaskProcess {
  /** Folder of its bundle. */
  readonly bundle: string;
  readonly #mounts: readonly RootfsMount[];
  readonly #execs: Exec[] = [];

  private constructor(
    shim: Shim,
    id: string,
    streams: Streams,
    bundle: string,
    mounts: readonly RootfsMount[],
  ) {
    super(shim, id, "", streams);
    this.bundle = bundle;
    this.#mounts = mounts;
  }

  /**
   * Makes the bundle of one, with new streams; the shim does not know of it yet.
   */
  static async prepare(
    shim: Shim,
    id: string,
    options: ContainerOptions = {},
  ): Promise<Container> {
    const bundle = shim.bundleOf(id);
    const { script = sleeping, args, ...rest } = options;
    const mounts = await writeBundle(bundle, shim.world.rootfs, {
      annotations: shim.annotations(id),
      ...rest,
      args: args ?? ["/bin/sh", "-c", script],
    });
    const io = await Deno.makeTempDir({ dir: bundle, prefix: "io-" });
    const streams = await Streams.make(io, options);
    return new Container(shim, id, streams, bundle, mounts);
  }

  /** The request that creates it. */
  get request(): Partial<CreateTaskRequest> {
    return {
      id: this.id,
      bundle: this.bundle,
      rootfs: [...this.#mounts],
      ...this.streams.paths,
    };
  }

  /** @returns The process id in the answer. */
  async create(): Promise<number> {
    return (await this.shim.call("Create", this.request)).pid;
  }

  /** Adds a process, which is not started. */
  async exec(
    execId: string,
    script: string,
    options: StreamOptions & { readonly args?: readonly string[] } = {},
  ): Promise<Exec> {
    const streams = await Streams.make(
      `${this.bundle}/io-${execId}-${this.#execs.length}`,
      options,
    );
    const exec = new Exec(this.shim, this.id, execId, streams);
    this.#execs.push(exec);
    const args = options.args ?? ["/bin/sh", "-c", script];
    await this.shim.call("Exec", {
      id: this.id,
      execId,
      ...streams.paths,
      spec: execSpec(args, options.terminal),
    });
    return exec;
  }

  /** Ends and deletes it, whatever state it is in, and closes its streams. */
  async remove(): Promise<void> {
    try {
      await deadline(
        systemClock,
        removalLimit,
        `The removal of container "${this.id}"`,
        () => this.ensureDeleted(),
      );
    } finally {
      for (const exec of this.#execs) await exec.streams.close();
      await this.streams.close();
    }
  }

  /** Ends and deletes it and its execs, as far as they are there. */
  async ensureDeleted(): Promise<void> {
    if (this.shim.isLost) return;
    for (const process of [...this.#execs, this]) {
      // An exec that was never started has no end to wait for.
      await tolerate(["NotFound", "Unknown"], () => process.kill());
    }
    const gone: readonly ErrorCode[] = ["NotFound"];
    await tolerate(gone, () => this.wait());
    for (const exec of this.#execs) await tolerate(gone, () => exec.delete());
    await tolerate(gone, () => this.delete());
  }
}

/** A further process. */
export class Exec extends TaskProcess {
  /** One of a container's. */
  constructor(shim: Shim, id: string, execId: string, streams: Streams) {
    super(shim, id, execId, streams);
  }
}

/** Does something that some classes of errors do not make a failure. */
async function tolerate(
  classes: readonly ErrorCode[],
  task: () => Promise<unknown>,
): Promise<void> {
  try {
    await task();
  } catch (error) {
    if (!classes.includes(classify(error))) throw error;
  }
}
