/**
 * What stands around the shims of one target: the folder, containerd's event
 * endpoint, the image, and the shim that cases share.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { EventSink } from "../../driver.ts";
import { leftovers, settledLeftovers } from "../../leftovers.ts";
import {
  type DaemonPlace,
  type Finished,
  makeDaemons,
  runCommand,
  startCall,
} from "./command.ts";
import { EventBook } from "./events.ts";
import type { Container } from "./process.ts";
import { Shim, type ShimOptions } from "./shim.ts";
import type { Target } from "./target.ts";

/** What worlds are made of. */
export interface WorldParts {
  /** The shim under test. */
  readonly target: Target;
  /** Environment under which the tools are found. */
  readonly tools: Readonly<Record<string, string>>;
  /** Folder of the image. */
  readonly rootfs: string;
}

/** A shim and a running container that cases share. */
export interface SharedPod {
  readonly shim: Shim;
  readonly container: Container;
}

/** See the module. */
export class World {
  readonly target: Target;
  /** Folder of everything. */
  readonly dir: string;
  /** Folder of the image. */
  readonly rootfs: string;
  /** Environment of every call of the shim. */
  readonly env: Readonly<Record<string, string>>;
  /** containerd's namespace. */
  readonly namespace: string;
  /** What the shims told. */
  readonly book: EventBook = new EventBook();
  readonly #sink: EventSink;
  readonly #shared = new Map<string, Promise<{ readonly shim: Shim }>>();
  #nextId = 0;

  private constructor(
    { target, tools, rootfs }: WorldParts,
    dir: string,
  ) {
    this.target = target;
    this.dir = dir;
    this.rootfs = rootfs;
    this.env = { ...tools, LCOW_STATE: `${dir}/lcow`, ...target.env };
    this.namespace = `shim-${dir.split("-").at(-1)}`;
    this.#sink = new EventSink(
      this.eventsPath,
      (event) => this.book.add(event),
    );
  }

  /** Makes one. */
  static async create(parts: WorldParts): Promise<World> {
    // The path of a socket has room for 107 bytes.
    const dir = await Deno.makeTempDir({ prefix: "lcow-" });
    await makeDaemons(dir);
    return new World(parts, dir);
  }

  /** containerd's event endpoint. */
  get eventsPath(): string {
    return `${this.dir}/containerd.sock.ttrpc`;
  }

  /** The daemon as a shim sees it. */
  place(events: string = this.eventsPath): DaemonPlace {
    return { dir: this.dir, namespace: this.namespace, events };
  }

  /** An id that nobody has. */
  newId(prefix = "c"): string {
    return `${prefix}${this.#nextId++}`;
  }

  /** Runs `start` for an id, in its bundle. */
  start(
    id: string,
    signal: AbortSignal,
    { daemon = this.target.daemon, events, input }: ShimOptions = {},
  ): Promise<Finished> {
    const call = startCall(this.place(events), daemon, id, input);
    return this.run(call, `${this.dir}/${id}`, signal);
  }

  /** Runs the shim's executable. */
  run(
    call: {
      readonly args: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly input?: Uint8Array | undefined;
    },
    cwd: string,
    signal: AbortSignal,
  ): Promise<Finished> {
    const { args, env, input } = call;
    return runCommand(
      this.target.path,
      { args, env: { ...this.env, ...env }, input },
      cwd,
      signal,
    );
  }

  /** The shared pod, which runs until the world ends. */
  pod(): Promise<SharedPod> {
    return this.share("pod", () => this.#startPod());
  }

  /**
   * Something that cases share, with its shim, which is closed at the end.
   *
   * @param name What it is.
   * @param make Makes it for the first case that wants it.
   */
  share<T extends { readonly shim: Shim }>(
    name: string,
    make: () => Promise<T>,
  ): Promise<T> {
    const present = this.#shared.get(name) as Promise<T> | undefined;
    if (present !== undefined) return present;
    const made = make();
    this.#shared.set(name, made);
    return made;
  }

  async #startPod(): Promise<SharedPod> {
    const never = new AbortController().signal;
    const shim = await Shim.start(this, this.newId("pod"), never);
    const container = await shim.prepare(shim.id);
    await container.create();
    await container.start();
    return { shim, container };
  }

  /**
   * Ends what cases have shared, and the event endpoint.
   *
   * @throws {ShimError} When something is left of the target's shims.
   */
  async close(): Promise<void> {
    try {
      for (const shared of this.#shared.values()) {
        // Whoever wanted one that could not be made has said so.
        await (await shared.catch(() => undefined))?.shim.close();
      }
      const left = await settledLeftovers(() => leftovers(this.dir));
      if (left.length > 0) throw new ShimError("Unknown", left.join("; "));
    } finally {
      await this.#sink[Symbol.asyncDispose]();
      await Deno.remove(this.dir, { recursive: true });
    }
  }
}
