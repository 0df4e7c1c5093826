/**
 * Tells the system's own event tracing that a process of the shim runs. Every
 * `start` loads this file.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Platform } from "../hcs/ports.ts";
import { shimVersion } from "./version.ts";

/** What {@linkcode traceLaunch} is told. */
export interface Launch {
  /** The command line. */
  readonly args: readonly string[];
  /** Where it is told that the system does not trace. */
  readonly log?: Logger;
  /** Answers who asks for the state of everything. */
  readonly onCaptureState?: () => void;
}

/** Writes the event `ShimLaunched`. Never rejects: nobody may listen. */
export async function traceLaunch(
  platform: Pick<Platform, "systemEvents">,
  { args, log, onCaptureState }: Launch,
): Promise<void> {
  try {
    const events = await platform.systemEvents(onCaptureState);
    events.write("ShimLaunched", { Args: args, Version: shimVersion });
  } catch (error) {
    log?.warn("The system does not trace the shim", {
      error: messageOf(error),
    });
  }
}
