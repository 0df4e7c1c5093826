/**
 * Processes that the product starts on the pretended Windows.
 *
 * @module
 */

import type { FakeFile } from "./files.ts";
import type { KernelObject } from "./handles.ts";
import type { FakePeer } from "./peer.ts";

/** `WAIT_OBJECT_0` and `WAIT_TIMEOUT`. */
const signalled = 0;
const timedOut = 258;

/** `STILL_ACTIVE`. */
const stillActive = 259;

/** How a process was started. */
export interface ProcessFacts {
  /** `lpApplicationName`. */
  readonly application: string;
  /** `lpCommandLine`. */
  readonly commandLine: string;
  /** Its environment, in the order of the block. */
  readonly environment: readonly string[];
  /** Its working directory. */
  readonly cwd: string;
  /** `dwCreationFlags`. */
  readonly flags: number;
  /** Handles that it has inherited. */
  readonly inherited: readonly bigint[];
}

/** What a process has of its parent. */
export interface ProcessStreams {
  /** Carries the parent's input. */
  readonly stdin: FakePeer;
  /** Goes to the parent. */
  readonly stdout: FakePeer;
  /** A file. */
  readonly stderr: FakeFile;
}

/** One process, in the hands of a test. */
export class FakeProcess {
  /** Its id. */
  readonly pid: number;
  /** How it was started. */
  readonly facts: ProcessFacts;
  /** Its standard streams. */
  readonly streams: ProcessStreams;
  #code = stillActive;
  readonly #waits = new Set<(state: number) => void>();

  /** @param facts How it was started. */
  constructor(pid: number, facts: ProcessFacts, streams: ProcessStreams) {
    this.pid = pid;
    this.facts = facts;
    this.streams = streams;
  }

  /** Its exit code; 259 while it runs. */
  get code(): number {
    return this.#code;
  }

  /** True while it runs. */
  get isRunning(): boolean {
    return this.#code === stillActive;
  }

  /** Waits for it that are under way. */
  get waits(): number {
    return this.#waits.size;
  }

  /** It ends, and lets its handles go. */
  exit(code: number): void {
    if (!this.isRunning) return;
    this.#code = code;
    this.streams.stdin.close();
    this.streams.stdout.close();
    this.#wake(signalled);
  }

  /** Ends the waits for it: their time is over. */
  expire(): void {
    this.#wake(timedOut);
  }

  /** Resolves when it has ended, or when {@linkcode FakeProcess.expire} is called. */
  wait(): Promise<number> {
    if (!this.isRunning) return Promise.resolve(signalled);
    return new Promise((resolve) => this.#waits.add(resolve));
  }

  #wake(state: number): void {
    for (const wake of this.#waits) wake(state);
    this.#waits.clear();
  }
}

/** A handle of a process or of its thread. */
export class ProcessHandle implements KernelObject {
  /** See {@linkcode KernelObject.kind}. */
  readonly kind: "process" | "thread";
  /** The process. */
  readonly process: FakeProcess;

  /** @param kind Of what. */
  constructor(kind: "process" | "thread", process: FakeProcess) {
    this.kind = kind;
    this.process = process;
  }

  /** Nothing happens: the process goes on. */
  close(): void {}
}
