/**
 * A runtime for tests: its processes are in memory, the test ends them.
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { JsonObject } from "../../base/json.ts";
import { fdDuplex } from "../../ffi/linux/fd_stream.ts";
import { duplicate } from "../../ffi/linux/files.ts";
import type { ChildExit } from "../../ffi/linux/process.ts";
import type { Reaper } from "../../ffi/linux/reaper.ts";
import type { OciRuntime, ProcessStdio, RuntimeProcess } from "./runtime.ts";

/** A process of a {@linkcode FakeRuntime}, seen from inside. */
export class FakeProcess {
  /** Its id, beyond those of real processes. */
  readonly pid: number;
  /** Signals that it got. */
  readonly signals: number[] = [];
  /** Its exit code, once it has ended. */
  code: number | undefined;
  /** Its standard streams; undefined for a terminal and for `/dev/null`. */
  readonly stdio: readonly (Duplex | undefined)[];

  /** @param stdio Descriptors, which are duplicated. */
  constructor(pid: number, stdio: ProcessStdio) {
    this.pid = pid;
    this.stdio = stdio === "terminal"
      ? []
      : stdio.map((fd) =>
        Deno.statSync(`/proc/self/fd/${fd}`).isFifo
          ? fdDuplex(duplicate(fd), "pipe")
          : undefined
      );
  }

  /** Writes to its standard output. */
  async print(text: string): Promise<void> {
    await this.stdio[1]?.write(new TextEncoder().encode(text));
  }

  /** Closes its streams, as its end does. */
  async close(): Promise<void> {
    for (const stream of this.stdio) await stream?.close();
  }
}

/** Beyond `pid_max` of Linux, so that no real process is meant by mistake. */
const firstPid = 0x4000_0001;

/** Records what it is asked, and fails on demand. */
export class FakeRuntime implements OciRuntime {
  /** Name of the program. */
  readonly name = "fake";
  /** What it was asked, in words. */
  readonly calls: string[] = [];
  /** Its processes by id. */
  readonly processes = new Map<number, FakeProcess>();
  /** Documents of `exec`. */
  readonly documents: JsonObject[] = [];
  /** Init processes by container. */
  readonly #inits = new Map<string, FakeProcess>();
  readonly #failures = new Map<string, Error>();
  #nextPid = firstPid;
  /** Told when processes end; set it before the first one does. */
  reaper: Reaper | undefined;

  /** The next call of this name fails. */
  failNext(call: string, error: Error): void {
    this.#failures.set(call, error);
  }

  /** The init of a container. */
  init(id: string): FakeProcess {
    return this.#inits.get(id)!;
  }

  #call(name: string, ...words: string[]): void {
    this.calls.push([name, ...words].join(" "));
    const failure = this.#failures.get(name);
    this.#failures.delete(name);
    if (failure !== undefined) throw failure;
  }

  #process(stdio: ProcessStdio): FakeProcess {
    const process = new FakeProcess(this.#nextPid++, stdio);
    this.processes.set(process.pid, process);
    return process;
  }

  /** waitpid(2) of a {@linkcode Reaper}. */
  readonly reap = (pid: number): ChildExit | "running" | "unknown" => {
    const process = this.processes.get(pid);
    if (process === undefined) return "unknown";
    if (process.code === undefined) return "running";
    this.processes.delete(pid);
    return { pid, code: process.code };
  };

  /** kill(2); SIGKILL ends a process at once. */
  readonly kill = (pid: number, signal: number): boolean => {
    const process = this.processes.get(pid);
    if (process === undefined) return false;
    process.signals.push(signal);
    if (signal === 9) this.exit(process, 128 + 9);
    return true;
  };

  /** Ends a process; its streams stay open unless the test closes them. */
  exit(process: FakeProcess, code: number): void {
    process.code = code;
    this.reaper?.collect();
  }

  /** Makes a container. */
  create(
    id: string,
    _bundle: string,
    stdio: ProcessStdio,
  ): Promise<RuntimeProcess> {
    this.#call("create", id);
    if (this.#inits.has(id)) {
      throw new HResultError(HResult.SystemAlreadyExists, `Cannot make ${id}`);
    }
    const process = this.#process(stdio);
    this.#inits.set(id, process);
    return Promise.resolve({ pid: process.pid });
  }

  /** Lets the init run. */
  start(id: string): Promise<void> {
    this.#call("start", id);
    return Promise.resolve();
  }

  /** Runs a further process. */
  exec(
    id: string,
    document: JsonObject,
    stdio: ProcessStdio,
  ): Promise<RuntimeProcess> {
    this.#call("exec", id);
    this.documents.push(document);
    return Promise.resolve({ pid: this.#process(stdio).pid });
  }

  /** Forgets a container. */
  delete(id: string, options: { force?: boolean } = {}): Promise<void> {
    this.#call("delete", id, ...(options.force ? ["force"] : []));
    const init = this.#inits.get(id);
    this.#inits.delete(id);
    if (options.force && init !== undefined) this.kill(init.pid, 9);
    return Promise.resolve();
  }

  /** Changes limits. */
  update(id: string): Promise<void> {
    this.#call("update", id);
    return Promise.resolve();
  }
}
