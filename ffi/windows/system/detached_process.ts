/**
 * Starts this program anew as a process that outlives its parent.
 *
 * @module
 */

import type { Duplex } from "../../../base/duplex.ts";
import { messageOf, ShimError } from "../../../base/errors.ts";
import type { Semaphore } from "../../../base/queue.ts";
import { joinWindowsPath } from "../../../base/windows_path.ts";
import type { DetachedProcess, Platform } from "../../../hcs/ports.ts";
import type { WindowsIo } from "../io/windows_io.ts";
import { createProcess, type StartedProcess } from "./create_process.ts";
import { childFile, childPipe } from "./inheritable.ts";

/** Folder, input and further environment of the process. */
export type SpawnOptions = Parameters<Platform["spawnDetached"]>[1];

/** File in the working directory that gets the process' standard error. */
const panicLog = "panic.log";

/** How much of the last words is repeated in an error. */
const lastWords = 4096;

/** Milliseconds in which a process that has let its output go is over. */
const exitLimit = 5_000;

/** `WAIT_OBJECT_0`. */
const signalled = 0;

/** What starting a process needs. */
export interface SpawnParts {
  /** Pipes to the process. */
  readonly io: WindowsIo;
  /** Slots for blocking waits. */
  readonly slots: Semaphore;
  /** Reads a file; default `Deno.readTextFile`. */
  readonly readText?: (path: string) => Promise<string>;
}

/** A process of ours, and both pipes to it. */
class WindowsProcess implements DetachedProcess {
  readonly pid: number;
  readonly ready: Promise<void>;
  readonly #parts: SpawnParts;
  readonly #handle: bigint;
  readonly #stdout: Duplex;
  readonly #panicLog: string;
  /** Waits for its end that are under way: they have the handle. */
  readonly #waits = new Set<Promise<unknown>>();
  #text = "";
  #released = false;

  constructor(
    parts: SpawnParts,
    { handle, pid }: StartedProcess,
    streams: { readonly stdin: Duplex; readonly stdout: Duplex },
    input: Uint8Array,
    panicLog: string,
  ) {
    this.pid = pid;
    this.#parts = parts;
    this.#handle = handle;
    this.#stdout = streams.stdout;
    this.#panicLog = panicLog;
    const fed = feed(streams.stdin, input);
    this.ready = this.#becomeReady(fed);
    // Who kills or releases it need not wait for it.
    this.ready.catch(() => {});
  }

  async kill(): Promise<void> {
    // The number of a handle that was let go may be another process'.
    if (this.#released) return;
    // One that has ended refuses, which is a success.
    this.#parts.io.libraries.kernel32.TerminateProcess(this.#handle, 1);
    await this.#exited();
    await this.#letGo();
  }

  release(): void {
    void this.#letGo();
  }

  async #letGo(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#stdout.close();
    await Promise.all(this.#waits);
    this.#parts.io.libraries.kernel32.CloseHandle(this.#handle);
  }

  async #becomeReady(fed: Promise<void>): Promise<void> {
    const ready = await this.#readUntilReady();
    await fed;
    if (ready) return;
    const code = this.#released ? undefined : await this.#exited();
    const said = [this.#text, await this.#panicText()]
      .map((text) => text.trim()).filter((text) => text !== "").join("\n");
    throw new ShimError(
      "Unavailable",
      `The process ended with exit code ${code ?? "unknown"} before it was ` +
        `ready: ${said || "it printed nothing"}`,
    );
  }

  /** @returns False when the output ended, which is the process' end. */
  async #readUntilReady(): Promise<boolean> {
    const buffer = new Uint8Array(lastWords);
    const decoder = new TextDecoder();
    for (;;) {
      const n = await this.#stdout.read(buffer);
      if (n === null) return false;
      this.#text += decoder.decode(buffer.subarray(0, n), { stream: true });
      if (/^ready\r?$/m.test(this.#text)) return true;
      this.#text = this.#text.slice(-lastWords);
    }
  }

  /** @returns The exit code; undefined when it does not end. */
  #exited(): Promise<number | undefined> {
    const wait = this.#parts.slots.run(() => this.#waitForExit())
      .finally(() => this.#waits.delete(wait));
    this.#waits.add(wait);
    return wait;
  }

  async #waitForExit(): Promise<number | undefined> {
    const { kernel32 } = this.#parts.io.libraries;
    const state = await kernel32.WaitForObject(this.#handle, exitLimit);
    const code = new Uint32Array(1);
    return state === signalled &&
        kernel32.GetExitCodeProcess(this.#handle, code) !== 0
      ? code[0]
      : undefined;
  }

  async #panicText(): Promise<string> {
    const { readText = Deno.readTextFile } = this.#parts;
    try {
      return (await readText(this.#panicLog)).slice(-lastWords);
    } catch (error) {
      return `${panicLog} cannot be read: ${messageOf(error)}`;
    }
  }
}

async function feed(stdin: Duplex, bytes: Uint8Array): Promise<void> {
  try {
    await stdin.write(bytes);
  } catch {
    // It ended without reading its input, which its readiness reports.
  } finally {
    await stdin.close();
  }
}

/**
 * Starts a command, as {@linkcode Platform.spawnDetached} says.
 *
 * @param command Path of the program, then its arguments.
 * @throws {HResultError} What the system answered; nothing is left then.
 */
export function spawnProcess(
  parts: SpawnParts,
  command: readonly [string, ...string[]],
  options: SpawnOptions,
): DetachedProcess {
  const { kernel32 } = parts.io.libraries;
  const path = joinWindowsPath(options.cwd, panicLog);
  using theirs = new DisposableStack();
  using mine = new DisposableStack();
  const pipe = (): ReturnType<typeof childPipe> => {
    const made = childPipe(parts.io);
    theirs.defer(() => void kernel32.CloseHandle(made.child));
    mine.defer(() => void made.stream.close());
    return made;
  };
  const stdin = pipe();
  const stdout = pipe();
  const stderr = childFile(parts.io, path);
  theirs.defer(() => void kernel32.CloseHandle(stderr));
  const started = createProcess(kernel32, {
    command,
    cwd: options.cwd,
    env: { ...Deno.env.toObject(), ...options.env },
    handles: [stdin.child, stdout.child, stderr],
  });
  mine.move();
  const streams = { stdin: stdin.stream, stdout: stdout.stream };
  return new WindowsProcess(parts, started, streams, options.stdin, path);
}
