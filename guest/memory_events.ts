/**
 * What the log is told of memory that runs short
 * (`spec/guest-runtime.md` 12.4).
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { LogFields, Logger } from "../base/log.ts";
import { agentGroup, podsGroup } from "./boot.ts";
import type { CgroupTree, MemoryWatch } from "./cgroup/tree.ts";

/** What is watched and how. */
export interface MemoryEventOptions {
  /** The tree of control groups. */
  readonly cgroups: Pick<CgroupTree, "stats" | "watchOom" | "watchThreshold">;
  /** Where events and failures are told. */
  readonly log: Logger;
  /** Keeps lines apart. */
  readonly clock: Clock;
  /** Bytes of memory of the agent whose use is told. */
  readonly threshold: bigint;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two lines about one group; what comes between is one line. */
const pause = 1_000;

/** The numbers of a group; why there are none when it is gone. */
async function memoryOf(
  cgroups: Pick<CgroupTree, "stats">,
  group: string,
): Promise<LogFields> {
  try {
    const { memory } = await cgroups.stats(group);
    return {
      memory: memory?.usage,
      swap: memory?.swap,
      kernel: memory?.kernel,
    };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

async function follow(
  options: MemoryEventOptions,
  group: string,
  message: string,
  watch: () => Promise<MemoryWatch>,
): Promise<void> {
  const { cgroups, log, clock, signal } = options;
  try {
    for await (const _ of await watch()) {
      log.warn(message, { group, ...await memoryOf(cgroups, group) });
      await clock.sleep(pause, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    log.warn("Cannot watch memory", { group, error: messageOf(error) });
  }
}

/**
 * Logs a line with the numbers of memory when the agent uses more than it
 * should, and when there is no more memory for pods.
 *
 * @returns Settles when both groups are gone, cannot be watched, or the signal
 * aborts. Never rejects.
 */
export async function logMemoryEvents(
  options: MemoryEventOptions,
): Promise<void> {
  const { cgroups, threshold, signal } = options;
  await Promise.all([
    follow(
      options,
      agentGroup,
      "The agent's memory crossed its threshold",
      () => cgroups.watchThreshold(agentGroup, threshold, signal),
    ),
    follow(
      options,
      podsGroup,
      "The pods are out of memory",
      () => cgroups.watchOom(podsGroup, signal),
    ),
  ]);
}
