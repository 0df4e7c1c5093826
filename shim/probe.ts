/**
 * Finds out whether somebody serves an endpoint.
 *
 * @module
 */

import { type Clock, deadline } from "../base/clock.ts";
import type { Timeouts } from "../base/timeouts.ts";
import type { Platform } from "../hcs/ports.ts";

/** What a probe needs. */
export interface ProbeContext {
  /** Where endpoints are. */
  readonly platform: Pick<Platform, "connect">;
  /** Source of time. */
  readonly clock: Clock;
  /** `endpointDial`. */
  readonly timeouts: Pick<Timeouts, "endpointDial">;
}

/**
 * Connects to an endpoint and lets the connection go.
 *
 * @throws {ShimError} Unavailable when nobody serves it.
 * @throws {DOMException} `TimeoutError` when the connection is not accepted in time.
 */
export async function probeEndpoint(
  address: string,
  { platform, clock, timeouts }: ProbeContext,
): Promise<void> {
  const connection = await deadline(
    clock,
    timeouts.endpointDial,
    "the connection to the endpoint",
    (signal) => platform.connect(address, signal),
  );
  await connection.close();
}

/** True when somebody accepts connections at an address, whoever it is. */
export async function isServed(
  address: string,
  context: ProbeContext,
): Promise<boolean> {
  try {
    await probeEndpoint(address, context);
    return true;
  } catch {
    // Nobody there, or what a dead shim left.
    return false;
  }
}
