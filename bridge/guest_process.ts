/**
 * A process in the guest, reached over the bridge.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { HResult, HResultError, sameCondition } from "../base/hresult.ts";
import type { GuestConnection } from "./connection.ts";
import type { GuestProcess } from "./guest.ts";
import type { StdioChannel } from "./stdio_channel.ts";

/** The streams of a process that were asked for. */
export interface ProcessChannels {
  stdin?: StdioChannel;
  stdout?: StdioChannel;
  stderr?: StdioChannel;
}

/** TimeoutInMs of a wait that ends with the process. */
const forever = 0xffffffff;

/** SIGABRT, SIGKILL, SIGTERM: what a guest without signals takes for a kill. */
const killSignals: readonly number[] = [6, 9, 15];

/** True when the guest does not know the process (any more). */
function isUnknownProcess(error: unknown): boolean {
  return error instanceof HResultError &&
    sameCondition(error.hresult, HResult.ElementNotFound);
}

/** A process that the guest has started. */
export class BridgeProcess implements GuestProcess {
  /** Its id in the VM. */
  readonly pid: number;
  /** Its exit code; rejects when the bridge is lost. */
  readonly exited: Promise<number>;
  /** Its input, when it was asked for. */
  readonly stdin?: Duplex;
  /** Its output, when it was asked for. */
  readonly stdout?: Duplex;
  /** Its errors, when they were asked for. */
  readonly stderr?: Duplex;

  readonly #connection: GuestConnection;
  readonly #containerId: string;
  readonly #channels: readonly StdioChannel[];

  /**
   * Starts to wait for the exit at once.
   *
   * @param channels Its streams; owned from here on.
   */
  constructor(
    connection: GuestConnection,
    containerId: string,
    pid: number,
    channels: ProcessChannels,
  ) {
    this.#connection = connection;
    this.#containerId = containerId;
    this.#channels = Object.values(channels);
    if (channels.stdin) this.stdin = channels.stdin;
    if (channels.stdout) this.stdout = channels.stdout;
    if (channels.stderr) this.stderr = channels.stderr;
    this.pid = pid;
    this.exited = this.#wait();
    this.exited.catch(() => {}); // told to whoever waits
  }

  async #wait(): Promise<number> {
    try {
      const { ExitCode } = await this.#connection.call(
        "WaitForProcess",
        this.#containerId,
        { ProcessId: this.pid, TimeoutInMs: forever },
      );
      return ExitCode;
    } catch (error) {
      if (isUnknownProcess(error)) return 0;
      // A guest that is gone dials no more.
      for (const channel of this.#channels) channel.abandon();
      throw error;
    }
  }

  /** Signals it; kill when no signal is given. False when it is gone. */
  async signal(signal?: number): Promise<boolean> {
    const can = this.#connection.capabilities.GuestDefinedCapabilities;
    const named = signal !== undefined && can?.SignalProcessSupported === true;
    if (signal !== undefined && !named && !killSignals.includes(signal)) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot send signal ${signal} to process ${this.pid}: invalid signal, this guest can only kill`,
      );
    }
    try {
      await this.#connection.call("SignalProcess", this.#containerId, {
        ProcessId: this.pid,
        ...(named ? { Options: { Signal: signal } } : {}),
      });
      return true;
    } catch (error) {
      if (isUnknownProcess(error)) return false;
      throw error;
    }
  }

  /** Sets the size of its terminal, in characters. */
  async resize(width: number, height: number): Promise<void> {
    await this.#connection.call("ResizeConsole", this.#containerId, {
      ProcessId: this.pid,
      Height: height,
      Width: width,
    });
  }

  /** Ends its input, once the guest has dialled for it. */
  async closeStdin(): Promise<void> {
    if (this.stdin === undefined) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot close the input of process ${this.pid}: it has none`,
      );
    }
    await this.stdin.closeWrite();
  }

  /** Closes its streams; the process goes on. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
  }
}
