/**
 * The server's side of a named pipe.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "../../../base/duplex.ts";
import { messageOf, ShimError } from "../../../base/errors.ts";
import { type Logger, silentLogger } from "../../../base/log.ts";
import { invalidHandle } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { pipeStream, requirePipeName } from "./pipe.ts";
import { administratorsOnly, withSecurity } from "./security.ts";
import { isWin32, Win32, win32Error } from "../library/win32_error.ts";
import type { WindowsIo } from "./windows_io.ts";

/** `PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED`. */
const openMode = 0x4000_0003;

/** `FILE_FLAG_FIRST_PIPE_INSTANCE`: fails when somebody has a pipe of this name. */
const firstInstance = 0x0008_0000;

/** `PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS`. */
const pipeMode = 8;

/** `PIPE_UNLIMITED_INSTANCES`. */
const unlimited = 255;

/** Bytes that each direction holds before a write waits. */
const quota = 64 * 1024;

/** Instances that wait for a client at the same time: so many may come at once. */
const waitingInstances = 4;

/** `ERROR_SEM_TIMEOUT`: there is such a pipe, and all its instances are taken. */
const timedOut = 121;

/** Clients that wait to be accepted; further ones find the pipe busy. */
const maxQueued = 64;

/** How a {@linkcode PipeListener} is made. */
export interface PipeListenerOptions {
  /** Security descriptor; default {@linkcode administratorsOnly}. */
  readonly sddl?: string;
  /** Told why an instance could not be made. */
  readonly log?: Logger;
}

/**
 * Listens on a named pipe. Each client gets an instance; as long as it listens,
 * there is always one that waits, so that a client never finds the name missing.
 */
export class PipeListener implements DuplexListener {
  readonly #io: WindowsIo;
  readonly #name: string;
  readonly #sddl: string;
  readonly #log: Logger;
  readonly #queue: AcceptQueue;
  /** Instances that wait for a client, and when each has ended. */
  readonly #instances = new Map<bigint, Promise<void>>();
  #closed = false;

  private constructor(
    io: WindowsIo,
    name: string,
    { sddl = administratorsOnly, log = silentLogger }: PipeListenerOptions,
  ) {
    this.#io = io;
    this.#name = name;
    this.#sddl = sddl;
    this.#log = log;
    this.#queue = new AcceptQueue(`pipe "${name}"`);
  }

  /**
   * Begins to listen.
   *
   * @param name Full name, for example `\\.\pipe\x`.
   * @throws {ShimError} AlreadyExists when somebody listens there; InvalidArgument
   *   when it is no pipe of this machine.
   * @throws {HResultError} What the system answered.
   */
  static open(
    io: WindowsIo,
    name: string,
    options: PipeListenerOptions = {},
  ): PipeListener {
    requirePipeName(name);
    const listener = new PipeListener(io, name, options);
    listener.#addFirst();
    // One instance is enough to begin with.
    listener.#refill();
    return listener;
  }

  /** The next client. */
  async accept(signal?: AbortSignal): Promise<Duplex> {
    const stream = await this.#queue.take(signal);
    this.#refill();
    return stream;
  }

  /** Stops listening; those who are connected stay so. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const handle of this.#instances.keys()) this.#io.port.cancel(handle);
    await Promise.all(this.#instances.values());
    await this.#queue.close();
  }

  #addFirst(): void {
    // Wine does not know the flag for the first instance, so it is asked, too.
    if (this.#exists()) throw this.#taken();
    try {
      this.#add(firstInstance);
    } catch (cause) {
      // The same code says "not allowed": then there is no such pipe.
      const taken = isWin32(cause, Win32.AccessDenied) && this.#exists();
      throw taken ? this.#taken(cause) : cause;
    }
  }

  #taken(cause?: unknown): ShimError {
    return new ShimError(
      "AlreadyExists",
      `Cannot listen on pipe "${this.#name}": somebody else does`,
      { cause },
    );
  }

  #exists(): boolean {
    const { kernel32 } = this.#io.libraries;
    const free = kernel32.WaitNamedPipeW(encodeUtf16(this.#name), 1);
    return free !== 0 || kernel32.GetLastError() === timedOut;
  }

  /** Adds an instance that waits for a client. */
  #add(flags: number): void {
    const { libraries, port } = this.#io;
    const { kernel32 } = libraries;
    const what = `pipe "${this.#name}"`;
    const handle = withSecurity(libraries, this.#sddl, (attributes) => {
      const made = kernel32.CreateNamedPipeW(
        encodeUtf16(this.#name),
        openMode | flags,
        pipeMode,
        unlimited,
        quota,
        quota,
        0,
        attributes,
      );
      if (made !== invalidHandle) return made;
      throw win32Error(kernel32.GetLastError(), `Cannot listen on ${what}`);
    });
    try {
      port.attach(handle, what);
    } catch (error) {
      kernel32.CloseHandle(handle);
      throw error;
    }
    this.#instances.set(handle, this.#serve(handle));
  }

  async #serve(handle: bigint): Promise<void> {
    const { kernel32 } = this.#io.libraries;
    const problem = await this.#connected(handle);
    this.#instances.delete(handle);
    if (problem === undefined && !this.#closed) {
      this.#queue.push(pipeStream(this.#io, handle, this.#name));
      this.#refill();
      return;
    }
    kernel32.CloseHandle(handle);
    if (this.#closed || problem === undefined) return;
    this.#log.warn("A pipe cannot wait for a client", {
      pipe: this.#name,
      error: problem.message,
    });
    // The next client brings new instances: to make them now could fail for ever.
    this.#requireWaiting(problem);
  }

  /** Waits for a client of this instance. @returns Why none comes. */
  async #connected(handle: bigint): Promise<Error | undefined> {
    const { port, libraries: { kernel32 } } = this.#io;
    const outcome = (ok: number): number => {
      if (ok !== 0) return 0;
      const code = kernel32.GetLastError();
      return code === Win32.IoPending ? 0 : code;
    };
    const refusal = (code: number): Error =>
      win32Error(code, `Cannot listen on pipe "${this.#name}"`);
    try {
      for (;;) {
        const result = await port.submit(({ overlapped }) =>
          outcome(kernel32.ConnectNamedPipe(handle, overlapped))
        );
        if (result >= 0 || -result === Win32.PipeConnected) return undefined;
        // A client came and left before the wait began: the next one, please.
        if (-result !== Win32.NoData || this.#closed) return refusal(-result);
        const code = outcome(kernel32.DisconnectNamedPipe(handle));
        if (code !== 0) return refusal(code);
      }
    } catch (error) {
      return asError(error);
    }
  }

  /** Fails when no instance is left: while one waits, its client leads here again. */
  #requireWaiting(problem: Error): void {
    if (this.#instances.size > 0) return;
    this.#closed = true;
    void this.#queue.close(problem);
  }

  /** Keeps enough instances waiting, unless clients are not accepted. */
  #refill(): void {
    const queued = this.#queue.size;
    while (
      !this.#closed && queued < maxQueued &&
      this.#instances.size < waitingInstances
    ) {
      try {
        this.#add(0);
      } catch (error) {
        this.#log.warn("A pipe gets no further instance", {
          pipe: this.#name,
          error: messageOf(error),
        });
        this.#requireWaiting(asError(error));
        return;
      }
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
