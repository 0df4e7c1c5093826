/**
 * Waiting for children: known ones by their process id, orphans of containers
 * so that they do not stay as zombies.
 *
 * @module
 */

import type { Logger } from "../../base/log.ts";
import { type ChildExit, reap } from "./process.ts";

/** Exits of unknown processes that are remembered for a late registration. */
const maxEarly = 4096;

/** How a reaper is made. */
export interface ReaperOptions {
  /** Reports orphans. */
  readonly log: Logger;
  /**
   * True when every child of this process is started through the agent, so that
   * an unknown one can only be an orphan. Deno's own children would be stolen.
   */
  readonly orphans: boolean;
  /** waitpid(2); tests replace it. */
  readonly reap?: (pid: number) => ChildExit | "running" | "unknown";
}

/**
 * Tells once how each registered child ended.
 *
 * The callback runs in the turn in which the kernel forgets the process id, so
 * that nobody signals a process that took the id over.
 */
export class Reaper {
  readonly #log: Logger;
  readonly #orphans: boolean;
  readonly #reap: (pid: number) => ChildExit | "running" | "unknown";
  readonly #known = new Map<number, (code: number) => void>();
  /** A process may end before the runtime has told its id. */
  readonly #early = new Map<number, number>();

  /** Call {@linkcode Reaper.start} before the first child is started. */
  constructor(options: ReaperOptions) {
    this.#log = options.log;
    this.#orphans = options.orphans;
    this.#reap = options.reap ?? reap;
  }

  readonly #onChild = (): void => this.collect();

  /** Listens for SIGCHLD. */
  start(): void {
    Deno.addSignalListener("SIGCHLD", this.#onChild);
  }

  /** Stops listening. */
  stop(): void {
    Deno.removeSignalListener("SIGCHLD", this.#onChild);
  }

  /** How many children are waited for. */
  get waiting(): number {
    return this.#known.size;
  }

  /**
   * Registers a child. It may have ended already.
   *
   * @param pid A child, or a descendant that its runtime leaves to us.
   * @param onExit Called once with the exit code (128 + the signal that ended
   * it), or with -1 when there is no such child.
   */
  watch(pid: number, onExit: (code: number) => void): void {
    const result = this.#reap(pid);
    const early = this.#early.get(pid);
    // Whatever was remembered under this id belongs to this process only if the
    // kernel does not know it any more.
    this.#early.delete(pid);
    if (result === "running") this.#known.set(pid, onExit);
    else if (result !== "unknown") onExit(result.code);
    else if (early !== undefined) onExit(early);
    else {
      this.#log.warn("Waited for a process that is no child", { pid });
      onExit(-1);
    }
  }

  /** The exit code of a child, as {@linkcode Reaper.watch} tells it. */
  exit(pid: number): Promise<number> {
    return new Promise((resolve) => this.watch(pid, resolve));
  }

  /** Takes every exit that the kernel has; SIGCHLD may stand for several. */
  collect(): void {
    if (this.#orphans) this.#collectAll();
    else this.#collectKnown();
  }

  #collectKnown(): void {
    for (const pid of [...this.#known.keys()]) {
      const result = this.#reap(pid);
      if (result === "running") continue;
      this.#settle(pid, result === "unknown" ? -1 : result.code);
    }
  }

  #collectAll(): void {
    for (;;) {
      const result = this.#reap(-1);
      if (result === "running" || result === "unknown") return;
      const { pid, code } = result;
      if (this.#known.has(pid)) this.#settle(pid, code);
      else this.#remember(pid, code);
    }
  }

  #settle(pid: number, code: number): void {
    const onExit = this.#known.get(pid);
    this.#known.delete(pid);
    onExit?.(code);
  }

  #remember(pid: number, code: number): void {
    this.#early.delete(pid);
    this.#early.set(pid, code);
    if (this.#early.size <= maxEarly) return;
    const [oldest] = this.#early.keys();
    this.#early.delete(oldest!);
  }
}
