/**
 * Memory of the host that a VM uses, for its statistics.
 *
 * @module
 */

import { classify, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Platform, VmMemoryCounter } from "../../hcs/ports.ts";

/** Finds the counter of a VM when it is first asked for, and keeps it. */
export class HostMemory {
  readonly #platform: Pick<Platform, "vmMemory">;
  readonly #log: Logger;
  #counter: Promise<VmMemoryCounter | undefined> | undefined;
  #closed = false;

  /**
   * @param platform Has the counters.
   * @param log Told why there is none.
   */
  constructor(platform: Pick<Platform, "vmMemory">, log: Logger) {
    this.#platform = platform;
    this.#log = log;
  }

  /**
   * Bytes of the host's memory that the VM uses.
   *
   * @returns Undefined when the host cannot tell. Never rejects: statistics
   * without one number are better than none.
   */
  async workingSet(runtimeId: string): Promise<bigint | undefined> {
    if (this.#closed) return undefined;
    this.#counter ??= this.#find(runtimeId);
    try {
      return (await this.#counter)?.workingSet();
    } catch (error) {
      this.#log.debug("The memory of the VM cannot be read", {
        error: messageOf(error),
      });
      return undefined;
    }
  }

  /** Lets the counter go. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    (await this.#counter)?.close();
  }

  async #find(runtimeId: string): Promise<VmMemoryCounter | undefined> {
    try {
      return await this.#platform.vmMemory(runtimeId);
    } catch (error) {
      // A VM that has just been started may not have its process yet.
      if (classify(error) === "NotFound") this.#counter = undefined;
      this.#log.debug("The host does not tell the memory of the VM", {
        error: messageOf(error),
      });
      return undefined;
    }
  }
}
