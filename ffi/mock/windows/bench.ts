/**
 * A completion port with its buffers over a pretended Windows, and a clock that
 * stands still: what a test of anything in `ffi/windows/io` starts from.
 *
 * @module
 */

import { FakeClock } from "../../../base/clock.ts";
import { jsonLogger, type Logger } from "../../../base/log.ts";
import { WindowsIo } from "../../windows/io/windows_io.ts";
import { FakeWindows } from "./machine.ts";
import { type FakePort, turn } from "./port.ts";

/** The I/O of a process, and everything that a test wants to hold of it. */
export class FakeIo {
  /** The machine. */
  readonly windows: FakeWindows = new FakeWindows();
  /** Its time. */
  readonly clock: FakeClock = new FakeClock();
  /** Lines of its log. */
  readonly lines: string[] = [];
  /** Its log. */
  readonly log: Logger = jsonLogger((line) => this.lines.push(line));
  /** The I/O. */
  readonly io: WindowsIo = new WindowsIo(this.windows.libraries);

  /** The completion port. */
  get port(): FakePort {
    return this.windows.kernel.ports[0]!;
  }

  /** Lets everything that is ready run, until nothing completes any more. */
  async idle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await turn();
      if (this.port.queued > 0 && this.io.port.pending > 0) quiet = -1;
    }
  }

  /**
   * Ends the I/O.
   *
   * @returns What was taken and not given back, and what the real Windows would punish.
   */
  async end(): Promise<string[]> {
    await this.idle();
    const { io, clock, windows } = this;
    const counts: [number, string][] = [
      [io.port.pending, "promises of operations"],
      [io.buffers.lent, "lent buffers"],
      [clock.sleepers, "timers"],
    ];
    const left = counts.filter(([count]) => count !== 0)
      .map(([count, what]) => `${count} ${what}`);
    io.close();
    windows[Symbol.dispose]();
    return [...left, ...windows.leftovers()];
  }
}
