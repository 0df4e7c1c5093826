/**
 * A running container, and processes that are run in it through its shim.
 *
 * @module
 */

import { deadline, systemClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { pump } from "../../base/pump.ts";
import { openFifo } from "../../ffi/linux/fifo.ts";
import { mkfifo } from "../../ffi/linux/files.ts";
import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import type { RequestOf, ResponseOf } from "../../ttrpc/handlers.ts";
import type { TtrpcClient, UnaryMethod } from "../../ttrpc/client.ts";
import { expect, judge, type Judged, type Outcome } from "./judge.ts";
import type { Random } from "./random.ts";
import type { Group, World } from "./world.ts";

type TaskMethods = (typeof TaskV2)["methods"];

/** A container that operations are done on. */
export class Target implements Judged {
  /** Where it is. */
  readonly world: World;

  /**
   * @param group Its shim.
   * @param client Connection to the shim.
   * @param name Its id.
   * @param random What decides for it.
   */
  constructor(
    readonly group: Group,
    readonly client: TtrpcClient,
    readonly name: string,
    readonly random: Random,
  ) {
    this.world = group.world;
  }

  /** Whether its machine or its shim was killed. */
  get isLost(): boolean {
    return this.group.loss !== undefined;
  }

  /** Calls its shim and judges what came of it. */
  async call<M extends UnaryMethod<typeof TaskV2>>(
    method: M,
    request: Partial<RequestOf<TaskMethods[M]>>,
    allowed: readonly Outcome[] = ["ok"],
    what: string = method,
  ): Promise<ResponseOf<TaskMethods[M]> | undefined> {
    const answer = await judge(
      this.world.journal,
      this,
      what,
      allowed,
      () => this.client.call(TaskV2, method, request),
    );
    return "value" in answer ? answer.value : undefined;
  }

  /** Fails unless something is as the model says, or the machine was killed. */
  expect(what: string, seen: unknown, expected: unknown): void {
    expect(this, what, seen, expected);
  }
}

/** Which streams an {@linkcode Exec} has. */
export interface ExecOptions {
  /** With standard input. */
  readonly stdin?: boolean;
  /** With a terminal, and hence one stream of output. */
  readonly terminal?: boolean;
  /** Without output. */
  readonly silent?: boolean;
}

/** Bound for the rest of an output, once the shim has said that all was written. */
const restLimit = 10_000;

/** One FIFO that this side reads from its beginning to its end. */
class Output {
  readonly #stream: Duplex;
  readonly #chunks: Uint8Array[] = [];
  readonly #done: Promise<unknown>;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#done = pump(stream, {
      write: (bytes) => Promise.resolve(void this.#chunks.push(bytes.slice())),
    });
  }

  /** Everything; the process has ended, and its end was told. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#stream.closeWrite();
    await deadline(
      systemClock,
      restLimit,
      "The end of an output whose process has ended",
      () => this.#done,
    );
    return new Uint8Array(
      await new Blob(this.#chunks as BlobPart[]).arrayBuffer(),
    );
  }

  /** Goes away. */
  async close(): Promise<void> {
    await this.#stream.close();
    await this.#done;
  }
}

/** A process beside init. */
export class Exec implements AsyncDisposable {
  /** Ids, as requests carry them. */
  readonly ids: { readonly id: string; readonly execId: string };
  /** What the client writes to; only with `stdin`. */
  input: Duplex | undefined;
  #outputs: Record<string, Output> = {};
  #paths = { stdin: "", stdout: "", stderr: "" };
  readonly #target: Target;
  readonly #options: ExecOptions;

  /** @param target Its container. */
  constructor(target: Target, options: ExecOptions = {}) {
    this.#target = target;
    this.#options = options;
    this.ids = { id: target.name, execId: target.world.name("e") };
  }

  /** Makes its FIFOs, and creates it. */
  async create(
    args: readonly string[],
    allowed: readonly Outcome[] = ["ok"],
  ): Promise<boolean> {
    const { stdin = false, terminal = false, silent = false } = this.#options;
    const folder = `${this.#target.world.containerd.dir}/exec`;
    const path = (name: string): string => {
      const fifo = `${folder}/${this.ids.execId}-${name}`;
      mkfifo(fifo);
      return fifo;
    };
    if (stdin) {
      this.#paths.stdin = path("in");
      this.input = await openFifo(this.#paths.stdin, "stdout");
    }
    const wanted = silent ? [] : terminal ? ["stdout"] : ["stdout", "stderr"];
    for (const name of wanted as ("stdout" | "stderr")[]) {
      this.#paths[name] = path(name);
      this.#outputs[name] = new Output(
        await openFifo(this.#paths[name], "stdin"),
      );
    }
    const process = {
      terminal,
      user: { uid: 0, gid: 0 },
      args,
      env: ["PATH=/bin"],
      cwd: "/",
      noNewPrivileges: true,
    };
    const answer = await this.#target.call("Exec", {
      ...this.ids,
      ...this.#paths,
      terminal,
      spec: {
        typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
        value: new TextEncoder().encode(JSON.stringify(process)),
      },
    }, allowed);
    return answer !== undefined;
  }

  /** Starts it. */
  async start(allowed: readonly Outcome[] = ["ok"]): Promise<void> {
    await this.#target.call("Start", this.ids, allowed, "Start exec");
  }

  /** Its exit code; undefined when it was deleted, if that is allowed. */
  async wait(
    allowed: readonly Outcome[] = ["ok"],
  ): Promise<number | undefined> {
    const answer = await this.#target.call("Wait", this.ids, allowed);
    return answer?.exitStatus;
  }

  /** Signals it. */
  async kill(
    signal: number,
    allowed: readonly Outcome[] = ["ok"],
  ): Promise<void> {
    await this.#target.call("Kill", { ...this.ids, signal }, allowed);
  }

  /** Deletes it. */
  async delete(
    allowed: readonly Outcome[] = ["ok"],
  ): Promise<number | undefined> {
    const answer = await this.#target.call("Delete", this.ids, allowed);
    return answer?.exitStatus;
  }

  /** Its whole output, after its end. */
  async bytes(name: "stdout" | "stderr"): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#outputs[name]?.bytes() ?? new Uint8Array();
  }

  /** Its whole output, after its end. */
  async text(name: "stdout" | "stderr"): Promise<string> {
    return new TextDecoder().decode(await this.bytes(name));
  }

  /** The client's reading ends go away. */
  async stopReading(): Promise<void> {
    const outputs = Object.values(this.#outputs);
    this.#outputs = {};
    for (const output of outputs) await output.close();
  }

  /** Closes the client's ends and removes the FIFOs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.input?.close();
    await this.stopReading();
    for (const path of Object.values(this.#paths)) {
      if (path !== "") await Deno.remove(path);
    }
  }
}
