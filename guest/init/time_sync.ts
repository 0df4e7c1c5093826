/**
 * Keeping the clock at the host's (`spec/guest-runtime.md` 16.2): chronyd
 * follows the clock device of Hyper-V.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { RunProgram } from "../program.ts";

/** Where the kernel lists clock devices. */
const clocks = "/sys/class/ptp";

/** Name of Hyper-V's clock. */
const hyperV = "hyperv";

/** Where the configuration is written. */
const configuration = "/tmp/chronyd.conf";

/** Milliseconds between the end of chronyd and its next start. */
const backoff = { first: 1_000, longest: 600_000 };

/** What the clock is kept with; tests replace it. */
export interface TimeSyncPorts {
  /** Names in a folder; empty when it does not exist. */
  readonly namesIn: (path: string) => Promise<string[]>;
  /** Text of a file. */
  readonly readText: (path: string) => Promise<string>;
  /** Writes a file. */
  readonly writeText: (path: string, text: string) => Promise<void>;
  /** Runs a program to its end. */
  readonly run: RunProgram;
  /** Time. */
  readonly clock: Clock;
  /** What goes wrong. */
  readonly log: Logger;
}

/**
 * The configuration of chronyd: steps the clock when it is more than 0.1 s off.
 *
 * @param device Name of the clock device.
 */
export function chronyConfiguration(device: string): string {
  return `refclock PHC /dev/${device} poll 3 dpoll -2 offset 0 stratum 2\n` +
    "makestep 0.1 -1\n";
}

/** Name of Hyper-V's clock device, or undefined. */
async function findClock(ports: TimeSyncPorts): Promise<string | undefined> {
  for (const name of await ports.namesIn(clocks)) {
    const text = await ports.readText(`${clocks}/${name}/clock_name`);
    if (text.trim() === hyperV) return name;
  }
  return undefined;
}

/**
 * Keeps the clock until `signal` aborts; starts chronyd again whenever it ends.
 *
 * @throws {ShimError} NotFound when there is no clock of Hyper-V.
 */
export async function keepTime(
  ports: TimeSyncPorts,
  signal: AbortSignal,
): Promise<void> {
  const device = await findClock(ports);
  if (device === undefined) {
    throw new ShimError(
      "NotFound",
      `Cannot keep the clock: no device in ${clocks} is Hyper-V's`,
    );
  }
  await ports.writeText(configuration, chronyConfiguration(device));
  const { clock, log } = ports;
  let pause = backoff.first;
  while (!signal.aborted) {
    try {
      const args = ["-n", "-f", configuration];
      await ports.run("chronyd", args, { signal, timeout: Infinity });
      log.warn("chronyd has ended", { pause });
    } catch (error) {
      if (signal.aborted) return;
      log.warn("The clock is not kept", { error: messageOf(error), pause });
    }
    await clock.sleep(pause, signal).catch(() => {}); // the loop looks at it
    pause = Math.min(pause * 2, backoff.longest);
  }
}
