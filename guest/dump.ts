/**
 * A text about everything that is under way, for people who look for a fault.
 *
 * @module
 */

import type { Containers } from "./containers.ts";
import type { ExternalProcesses } from "./external.ts";
import type { NetworkNamespaces } from "./network/namespaces.ts";
import type { Pods } from "./pods.ts";
import type { GuestProcess } from "./process/process.ts";
import type { Reaper } from "../ffi/linux/reaper.ts";

/** Calls of the host that have not been answered. */
export interface CallList {
  /** Name, container and start of each call, in milliseconds since 1970. */
  readonly calls: readonly {
    readonly name: string;
    readonly containerId: string;
    readonly since: number;
  }[];
}

/** What a dump tells of. */
export interface DumpSources {
  /** Calls under way. */
  readonly calls: CallList;
  /** The pods. */
  readonly pods: Pods;
  /** The containers. */
  readonly containers: Containers;
  /** Processes of the VM. */
  readonly external: ExternalProcesses;
  /** Network namespaces. */
  readonly networks: NetworkNamespaces;
  /** Children that are waited for. */
  readonly reaper: Pick<Reaper, "waiting">;
  /** Milliseconds since 1970. */
  readonly now: number;
}

function processLine(name: string, process: GuestProcess): string {
  const state = process.hasExited ? "ended" : "running";
  return `  ${name} pid ${process.pid}: ${state}, ${process.waiters} waiting`;
}

/** Writes the dump. */
export function dump(sources: DumpSources): string {
  const { calls, pods, containers, external, networks, reaper, now } = sources;
  const memory = Deno.memoryUsage();
  const lines = [
    `guest agent ${Deno.pid}: ${memory.rss} bytes resident, ` +
    `${memory.heapUsed} in the heap, ${reaper.waiting} children`,
    "calls:",
  ];
  for (const { name, containerId, since } of calls.calls) {
    lines.push(`  ${name} "${containerId}" for ${now - since} ms`);
  }
  lines.push("pods:");
  for (const [id, members] of pods.entries) {
    lines.push(`  ${id}: ${members.join(", ")}`);
  }
  lines.push("containers:");
  for (const { id, state, options, init, execs } of containers.all) {
    lines.push(`  ${id} (${options.identity.role}): ${state.current}`);
    if (init !== undefined) lines.push(processLine("  init", init));
    for (const exec of execs.values()) {
      lines.push(processLine("  exec", exec));
    }
  }
  lines.push("network namespaces:");
  for (const { id, size, owner = "nobody" } of networks.all) {
    lines.push(`  '${id}': ${size} adapters, used by ${owner}`);
  }
  lines.push("processes of the VM:");
  for (const process of external.all) lines.push(processLine("", process));
  return lines.join("\n") + "\n";
}
