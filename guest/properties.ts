/**
 * What the host may ask about a container (`spec/guest-protocol.md` 5.10).
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import {
  type ContainerProcess,
  ContainerProperties,
  PropertyQuery,
} from "../bridge/messages.gen.ts";
import type { Container } from "./container.ts";
import type { GuestPorts } from "./ports.ts";

/**
 * The names of a query; an empty one asks for nothing.
 *
 * @throws {HResultError} InvalidJson.
 */
export function parseQuery(query: string): readonly string[] {
  if (query === "") return [];
  try {
    return PropertyQuery.parse(query).PropertyTypes ?? [];
  } catch (cause) {
    throw new HResultError(
      HResult.InvalidJson,
      `Cannot read the query: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Processes of a container, those of its control group first. */
async function processList(
  ports: Pick<GuestPorts, "cgroups">,
  container: Container,
): Promise<ContainerProcess[]> {
  const path = container.options.spec.linux?.cgroupsPath;
  const pids = new Set(path ? await ports.cgroups.processes(path) : []);
  // Without control groups, those that the agent started are all it knows.
  const started = [container.init, ...container.execs.values()];
  for (const process of started) {
    if (process !== undefined && !process.hasExited) pids.add(process.pid);
  }
  return [...pids].map((ProcessId) => ({ ProcessId }));
}

/**
 * Answers a query; unknown names are skipped.
 *
 * @returns The text of the answer.
 */
export async function properties(
  ports: Pick<GuestPorts, "cgroups" | "log">,
  container: Container,
  names: readonly string[],
): Promise<string> {
  const answer: ContainerProperties = {};
  for (const name of names) {
    if (name === "ProcessList") {
      answer.ProcessList = await processList(ports, container);
    } else if (name === "Statistics") {
      const path = container.options.spec.linux?.cgroupsPath;
      if (path === undefined) {
        throw new ShimError(
          "FailedPrecondition",
          `Container "${container.id}" has no control group`,
        );
      }
      answer.LCOWMetrics = await ports.cgroups.stats(path);
    } else {
      ports.log.warn("Unknown property skipped", { property: name });
    }
  }
  return ContainerProperties.format(answer);
}
