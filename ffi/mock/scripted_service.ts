/**
 * A compute service over a scripted DLL, with a clock that stands still: what a
 * test of anything above `VmCompute` starts from.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { jsonLogger } from "../../base/log.ts";
import type { VmComputeSystem } from "../windows/compute/compute_system.ts";
import { blockingSlots } from "../windows/library/native_calls.ts";
import { VmCompute } from "../windows/compute/vmcompute.ts";
import { ScriptedVmCompute } from "./scripted.ts";

/** The service and everything that a test wants to hold of it. */
export class ScriptedService implements Disposable {
  /** The DLL. */
  readonly library: ScriptedVmCompute = new ScriptedVmCompute();
  /** Its time. */
  readonly clock: FakeClock = new FakeClock();
  /** Lines of its log. */
  readonly lines: string[] = [];
  /** The service, with 4 slots. */
  readonly compute: VmCompute = new VmCompute(this.library, {
    clock: this.clock,
    slots: blockingSlots(4),
    log: jsonLogger((line) => this.lines.push(line)),
  });

  /** Creates a system and forgets the calls that it took. */
  async created(id = "pod1@vm"): Promise<VmComputeSystem> {
    const system = await this.compute.create(id, {});
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
