/**
 * What the guest measures of a container.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { hasLeft } from "../../base/hresult.ts";
import type { Logger } from "../../base/log.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { ContainerDependencies } from "./dependencies.ts";

/**
 * The statistics of a container that runs.
 *
 * @param id The container, as the guest calls it.
 * @throws {ShimError} NotFound when it ends meanwhile; else what the guest answered.
 */
export async function statisticsOf(
  { guest }: Pick<ContainerDependencies, "guest">,
  id: string,
  signal?: AbortSignal,
): Promise<LCOWMetrics> {
  try {
    const { LCOWMetrics = {} } = await guest.properties(
      id,
      ["Statistics"],
      signal,
    );
    return LCOWMetrics;
  } catch (error) {
    if (!hasLeft(error)) throw error;
    throw new ShimError("NotFound", messageOf(error), { cause: error });
  }
}

/**
 * How many processes of a container the kernel has killed for want of memory; also
 * after its end. Zero, which is logged, when the guest cannot say it.
 *
 * @param id The container, as the guest calls it.
 */
export async function oomKillsOf(
  { guest, clock, timeouts }: Pick<
    ContainerDependencies,
    "guest" | "clock" | "timeouts"
  >,
  id: string,
  log: Logger,
): Promise<bigint> {
  try {
    const { LCOWMetrics } = await deadline(
      clock,
      timeouts.memoryEvents,
      "The memory statistics",
      (signal) => guest.properties(id, ["Statistics"], signal),
    );
    return LCOWMetrics?.memory_oom_control?.oom_kill ?? 0n;
  } catch (error) {
    log.warn("It is not known whether memory was the reason", {
      error: messageOf(error),
    });
    return 0n;
  }
}
