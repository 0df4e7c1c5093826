/**
 * `lcow` on a host in memory, for tests: shims of any version serve its endpoints.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { type TaskV2, TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { TtrpcServer } from "../../ttrpc/server.ts";
import type { FakePlatform } from "../fake_platform.ts";
import type { FakeShimOptions } from "../fake_shim.ts";
import { diagHandlers } from "../services/diag.ts";
import { operatorHandlers } from "../services/operator.ts";
import { taskHandlers } from "../services/task.ts";
import { type TaskScene, withTasks } from "../services/task_scene.ts";
import { lcow } from "./run.ts";
import type { LcowContext, LocalInput, Word } from "./word.ts";
import { words } from "./words.ts";

/** How a command line ended. */
export interface Ending {
  /** Exit code. */
  readonly code: number;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
}

/** Standard input that the test writes. */
export class FakeInput implements LocalInput {
  /** Whether it is a terminal. */
  terminal = false;
  /** What was asked of the terminal, in order. */
  readonly modes: ("raw" | "cooked")[] = [];
  readonly #reader: Duplex;
  readonly #writer: Duplex;

  /** Nothing was written to it yet. */
  constructor() {
    [this.#reader, this.#writer] = memoryPair();
  }

  /** Writes text; the end of the input when there is none. */
  async type(text?: string): Promise<void> {
    if (text === undefined) await this.#writer.closeWrite();
    else await this.#writer.write(new TextEncoder().encode(text));
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#reader.read(buffer);
  }

  isTerminal(): boolean {
    return this.terminal;
  }

  setRaw(raw: boolean): void {
    this.modes.push(raw ? "raw" : "cooked");
  }
}

/** A host in memory. */
export class LcowHost {
  /** Its endpoints, and what crashed shims left. */
  readonly platform: FakePlatform;
  /** The compute service; a test that needs one sets it. */
  compute: LcowContext["compute"] = () =>
    Promise.reject(new Error("this test has no compute service"));
  /** Gets what is printed on standard output; what it throws fails the write. */
  onPrint: (text: string) => void = () => {};
  /** Standard input, as the words see it. */
  readonly input: FakeInput = new FakeInput();
  /** What was printed on standard output, of all command lines. */
  printed = "";
  /** Interrupts what runs. */
  readonly interruption = new AbortController();
  readonly #clock: Clock;
  readonly #servers: { server: TtrpcServer; served: Promise<void> }[] = [];

  /**
   * @param platform Its endpoints.
   * @param clock Source of time.
   */
  constructor(platform: FakePlatform, clock: Clock) {
    this.platform = platform;
    this.#clock = clock;
  }

  /** Serves an endpoint with the services that `register` adds. */
  async serve(
    namespace: string,
    key: string,
    register: (server: TtrpcServer) => void,
  ): Promise<TtrpcServer> {
    const server = new TtrpcServer({ log: silentLogger, clock: this.#clock });
    register(server);
    const address = await this.platform.endpoint(namespace, key);
    const served = server.serve(await this.platform.listen(address));
    this.#servers.push({ server, served });
    return server;
  }

  /** Runs a command line. */
  async run(
    args: readonly string[],
    table: readonly Word[] = words,
  ): Promise<Ending> {
    const texts = { stdout: "", stderr: "" };
    const decoder = new TextDecoder();
    const writeTo = (name: keyof typeof texts) => (bytes: Uint8Array) => {
      texts[name] += decoder.decode(bytes);
      return Promise.resolve();
    };
    const printed = writeTo("stdout");
    // deno-lint-ignore require-await -- what `onPrint` throws is a rejection
    const print = async (bytes: Uint8Array): Promise<void> => {
      this.onPrint(decoder.decode(bytes));
      this.printed += decoder.decode(bytes);
      return printed(bytes);
    };
    const complain = writeTo("stderr");
    const context = (): Promise<LcowContext> =>
      Promise.resolve({
        platform: this.platform,
        compute: () => this.compute(),
        print,
        complain,
        input: this.input,
        clock: this.#clock,
        timeouts: defaultTimeouts,
      });
    const output = { print, complain };
    const { signal } = this.interruption;
    const code = await lcow(args, context, output, signal, table);
    return { code, ...texts };
  }

  /** Ends its servers. */
  async close(): Promise<void> {
    for (const { server, served } of this.#servers) {
      await server.close();
      await served;
    }
  }
}

/** Registers the services of a shim of this version. */
export function registerAll(
  { shim }: TaskScene,
  namespace: string,
  key: string,
): (server: TtrpcServer) => void {
  return (server) => {
    server.register(TaskV3, taskHandlers(shim));
    server.register(ShimDiag, diagHandlers(shim));
    server.register(Operator, operatorHandlers(shim, { namespace, key }));
  };
}

/**
 * Registers the services of a shim before there was the Operator service.
 *
 * @param version Version of its Task service.
 */
export function registerOlder(
  { shim }: TaskScene,
  version: typeof TaskV2 | typeof TaskV3 = TaskV3,
): (server: TtrpcServer) => void {
  return (server) => {
    server.register(version, taskHandlers(shim));
    server.register(ShimDiag, diagHandlers(shim));
  };
}

/** Runs a test on a host with the parts of one shim that nobody serves yet. */
export function withHost(
  task: (host: LcowHost, scene: TaskScene) => Promise<void>,
  options: FakeShimOptions = {},
): Promise<void> {
  return withTasks(async (scene) => {
    const host = new LcowHost(scene.platform, scene.clock);
    try {
      await task(host, scene);
    } finally {
      await host.close();
    }
  }, options);
}

/** Runs a test on a host where a shim serves `pod1` of namespace `n`. */
export function withServedShim(
  task: (host: LcowHost, scene: TaskScene) => Promise<void>,
  options: FakeShimOptions = {},
): Promise<void> {
  return withHost(async (host, scene) => {
    const server = await host.serve(
      "n",
      "pod1",
      registerAll(scene, "n", "pod1"),
    );
    await task(host, scene);
    // Whatever was asked, no connection is left.
    await scene.until(() => server.connections === 0);
  }, options);
}
