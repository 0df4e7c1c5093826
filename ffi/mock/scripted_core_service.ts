/**
 * A compute service over a scripted `computecore.dll`, with a clock that stands
 * still.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { jsonLogger } from "../../base/log.ts";
import { ComputeCore } from "../windows/compute/computecore.ts";
import type { CoreSystem } from "../windows/compute/core_system.ts";
import { blockingSlots } from "../windows/library/native_calls.ts";
import { ScriptedComputeCore } from "./scripted_core.ts";

/** The service and everything that a test wants to hold of it. */
export class ScriptedCoreService implements Disposable {
  /** The DLL. */
  readonly library: ScriptedComputeCore = new ScriptedComputeCore();
  /** Its time. */
  readonly clock: FakeClock = new FakeClock();
  /** Lines of its log. */
  readonly lines: string[] = [];
  /** The service, with 4 slots. */
  readonly compute: ComputeCore = new ComputeCore(this.library, {
    clock: this.clock,
    slots: blockingSlots(4),
    log: jsonLogger((line) => this.lines.push(line)),
  });

  /** Opens a system and forgets the calls that it took. */
  async opened(id = "pod1@vm"): Promise<CoreSystem> {
    const system = await this.compute.open(id);
    this.library.calls.length = 0;
    return system;
  }

  /** What was taken and not given back, and what the real DLL would punish. */
  leftovers(): readonly string[] {
    const { sleepers } = this.clock;
    const timers = sleepers === 0 ? [] : [`${sleepers} timers`];
    return [...timers, ...this.library.leftovers()];
  }

  /** Closes the native functions. */
  [Symbol.dispose](): void {
    this.library[Symbol.dispose]();
  }
}
