/**
 * One process that the agent started: its exit, its waiters, its terminal.
 *
 * @module
 */

import { abortable, type Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { Relay } from "./relay.ts";

/** `TimeoutInMs` of a wait that lasts as long as the process. */
const infinite = 0xffff_ffff;

/** What signals and terminals need; tests replace it. */
export interface ProcessPorts {
  /** Time. */
  readonly clock: Clock;
  /** kill(2); false when there is no such process. */
  readonly kill: (pid: number, signal: number) => boolean;
}

/** The terminal of a process. */
export interface TerminalSize {
  /** Sets the window's size; false when the terminal is closed. */
  resize(columns: number, rows: number): boolean;
}

/** Tells who waits how a process ended, and when nobody needs to know it. */
export class GuestProcess {
  /** In the pid namespace of the VM. */
  readonly pid: number;
  /** Program and arguments, as far as they are known. */
  argv: readonly string[] = [];
  /** Set while it has a terminal. */
  terminal: TerminalSize | undefined;
  /** Carries its stdio; set when that begins. */
  relay: Relay | undefined;
  readonly #ports: ProcessPorts;
  readonly #finished = Promise.withResolvers<number>();
  #code: number | undefined;
  #waiters = 0;
  #completed = false;
  #onReleased: () => void;

  /**
   * @param pid The process.
   * @param ports Time and signals.
   * @param onReleased Called once, when a wait has told the exit and no other
   * wait is under way.
   */
  constructor(pid: number, ports: ProcessPorts, onReleased: () => void) {
    this.pid = pid;
    this.#ports = ports;
    this.#onReleased = onReleased;
  }

  /** True from the moment in which the kernel forgot the process. */
  get hasExited(): boolean {
    return this.#code !== undefined;
  }

  /** The exit code once the output is complete. */
  get finished(): Promise<number> {
    return this.#finished.promise;
  }

  /** How many waits are under way. */
  get waiters(): number {
    return this.#waiters;
  }

  /** The kernel forgot the process; call it in that very turn. */
  exited(code: number): void {
    this.#code = code;
  }

  /** The output is complete. */
  finish(): void {
    this.#finished.resolve(this.#code ?? -1);
  }

  /**
   * Waits for exit and output.
   *
   * @param timeout Milliseconds; 0xFFFFFFFF is for ever.
   * @param signal The agent quits.
   * @throws {HResultError} Timeout; the wait then counts for nothing.
   */
  async wait(timeout: number, signal: AbortSignal): Promise<number> {
    this.#waiters++;
    try {
      const code = await this.#exitOrTimeout(timeout, signal);
      this.#completed = true;
      return code;
    } finally {
      this.#waiters--;
      if (this.#completed && this.#waiters === 0) {
        const released = this.#onReleased;
        this.#onReleased = () => {};
        released();
      }
    }
  }

  async #exitOrTimeout(timeout: number, signal: AbortSignal): Promise<number> {
    if (timeout === infinite) return await abortable(this.finished, signal);
    const timer = new AbortController();
    const expired = this.#ports.clock.sleep(timeout, timer.signal)
      .then(() => undefined, () => undefined);
    try {
      const result = await abortable(
        Promise.race([this.finished, expired]),
        signal,
      );
      if (result !== undefined) return result;
      throw new HResultError(
        HResult.Timeout,
        `Process ${this.pid} did not end within ${timeout} ms`,
      );
    } finally {
      timer.abort();
      await expired;
    }
  }

  /**
   * Sends a signal.
   *
   * @throws {HResultError} ElementNotFound when the process has ended.
   */
  signal(signal: number): void {
    // After the exit its id may be another process's.
    const sent = !this.hasExited && this.#ports.kill(this.pid, signal);
    if (sent) return;
    throw new HResultError(
      HResult.ElementNotFound,
      `Cannot signal process ${this.pid}: it has ended`,
    );
  }

  /**
   * Sets the size of the terminal's window. After the exit nothing happens.
   *
   * @throws {ShimError} FailedPrecondition when it has no terminal.
   */
  resize(columns: number, rows: number): void {
    if (this.terminal !== undefined) {
      this.terminal.resize(columns, rows);
      return;
    }
    throw new ShimError(
      "FailedPrecondition",
      `Cannot resize the console of process ${this.pid}: it has no terminal`,
    );
  }
}
