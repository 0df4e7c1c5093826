/**
 * A process of a {@linkcode FakeGuest}: the test plays the program.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { bridgeClosed } from "./errors.ts";
import type { GuestProcess } from "./guest.ts";

/** Calls of a process that are recorded. */
export type FakeProcessCall = "signal" | "resize" | "closeStdin";

/** The two ends of a stream; empty when it was not asked for. */
type Ends = readonly [host?: Duplex, guest?: Duplex];

/** How a {@linkcode FakeGuestProcess} is made. */
export interface FakeProcessOptions {
  /** Its container. */
  readonly containerId: string;
  /** Its id. */
  readonly pid: number;
  /** Its input. */
  readonly stdin: Ends;
  /** Its output. */
  readonly stdout: Ends;
  /** Its errors. */
  readonly stderr: Ends;
  /** A kill ends it with 137. */
  readonly exitOnKill: boolean;
  /** Records a call, and fails or holds it. */
  readonly play: (call: FakeProcessCall, argument?: unknown) => Promise<void>;
}

const sigkill = 9;

/** Both what the product sees (`GuestProcess`) and what the test plays. */
export class FakeGuestProcess implements GuestProcess {
  /** Its container. */
  readonly containerId: string;
  /** Its id. */
  readonly pid: number;
  /** Our end of its input. */
  readonly stdin?: Duplex;
  /** Our end of its output. */
  readonly stdout?: Duplex;
  /** Our end of its errors. */
  readonly stderr?: Duplex;
  /** Its exit code. */
  readonly exited: Promise<number>;
  /** The guest's ends of its streams. */
  readonly guest: {
    readonly stdin?: Duplex;
    readonly stdout?: Duplex;
    readonly stderr?: Duplex;
  };
  /** False makes the guest answer "no such process" to signals. */
  deliverable = true;
  /** True once the product has closed the process's streams. */
  closed = false;

  readonly #options: FakeProcessOptions;
  readonly #settle: PromiseWithResolvers<number>;
  #running = true;

  /** Made by the fake guest. */
  constructor(options: FakeProcessOptions) {
    this.#options = options;
    this.containerId = options.containerId;
    this.pid = options.pid;
    const [stdin, guestStdin] = options.stdin;
    const [stdout, guestStdout] = options.stdout;
    const [stderr, guestStderr] = options.stderr;
    if (stdin) this.stdin = stdin;
    if (stdout) this.stdout = stdout;
    if (stderr) this.stderr = stderr;
    this.guest = {
      ...(guestStdin && { stdin: guestStdin }),
      ...(guestStdout && { stdout: guestStdout }),
      ...(guestStderr && { stderr: guestStderr }),
    };
    this.#settle = Promise.withResolvers();
    this.exited = this.#settle.promise;
    this.exited.catch(() => {}); // told to whoever waits
  }

  /** The program writes text. */
  async print(text: string, to: "stdout" | "stderr" = "stdout"): Promise<void> {
    const stream = this.guest[to];
    if (stream === undefined) {
      throw new ShimError(
        "FailedPrecondition",
        `Process ${this.pid} of the fake guest has no ${to}`,
      );
    }
    await stream.write(new TextEncoder().encode(text));
  }

  /** The program reads its input to the end. */
  async readInput(): Promise<string> {
    const { stdin } = this.guest;
    const buffer = new Uint8Array(4096);
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const n = await stdin?.read(buffer) ?? null;
      if (n === null) return text + decoder.decode();
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  }

  /**
   * The program ends.
   *
   * @param code Its exit code.
   * @param options `outputOpen`: a child of it keeps the output open.
   */
  async exit(
    code: number,
    options: { readonly outputOpen?: boolean } = {},
  ): Promise<void> {
    this.#running = false;
    if (options.outputOpen !== true) await this.endOutput();
    this.#settle.resolve(code);
  }

  /** The output reaches its end. */
  async endOutput(): Promise<void> {
    await this.guest.stdout?.closeWrite();
    await this.guest.stderr?.closeWrite();
  }

  /** The bridge is lost. */
  lose(cause?: Error): void {
    this.#running = false;
    this.#settle.reject(
      bridgeClosed(`Cannot wait for process ${this.pid} in the guest`, cause),
    );
  }

  /** Records the signal. False when the process has ended, or is not deliverable. */
  async signal(signal?: number): Promise<boolean> {
    await this.#options.play("signal", { pid: this.pid, signal });
    if (!this.#running || !this.deliverable) return false;
    if (this.#options.exitOnKill && (signal ?? sigkill) === sigkill) {
      await this.exit(128 + sigkill);
    }
    return true;
  }

  /** Records the size. */
  resize(width: number, height: number): Promise<void> {
    return this.#options.play("resize", { pid: this.pid, width, height });
  }

  /** Records the call, and ends the input. */
  async closeStdin(): Promise<void> {
    await this.#options.play("closeStdin", { pid: this.pid });
    if (this.stdin === undefined) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot close the input of process ${this.pid}: it has none`,
      );
    }
    await this.stdin.closeWrite();
  }

  /** Closes our ends of its streams. Idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    await this.stdin?.close();
    await this.stdout?.close();
    await this.stderr?.close();
  }
}
