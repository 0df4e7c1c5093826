/**
 * What a shim is doing, as text for people. JavaScript has no stacks of what
 * waits, so this is told from the registries.
 *
 * @module
 */

import { nullGuid } from "../base/guid.ts";
import { limits } from "../base/timeouts.ts";
import type { OpenSpan, SpanKind } from "../base/trace.ts";
import { guestCalls } from "./guest_calls.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Shim } from "./shim.ts";
import type { Task } from "./task.ts";
import type { Process } from "./runtime.ts";

/** An age in seconds, for example `12.345 s`. */
function age(since: number, now: number): string {
  return `${((now - since) / 1000).toFixed(3)} s`;
}

function vmLine(sandbox: Sandbox, now: number): string {
  const state = sandbox.vmState;
  if (state === "NotCreated") return `VM ${state}`;
  const { startedAt, stoppedAt } = sandbox.vm;
  const since = { Running: startedAt, Terminated: stoppedAt }[state];
  return `VM ${state}${since === undefined ? "" : ` for ${age(since, now)}`}`;
}

/** What the guest has not answered. */
function guestLines(shim: Shim, sandbox: Sandbox, now: number): string[] {
  return guestCalls(shim, sandbox).map(({ rpc, containerId, since }) => {
    const target = containerId === nullGuid ? "the VM" : `"${containerId}"`;
    return `  guest call ${rpc} of ${target}: for ${age(since, now)}`;
  });
}

/** What is told of by spans alone: phases of a VM, and calls of the host's services. */
const hostKinds: readonly SpanKind[] = ["vm", "hcs", "hcn"];

function spanLine(
  { kind, name, attributes, startedAt }: OpenSpan,
  now: number,
): string {
  const about = Object.entries(attributes)
    .map(([key, value]) => ` ${key}=${JSON.stringify(value)}`).join("");
  return `${kind} ${name}${about}: for ${age(startedAt, now)}`;
}

function processLine(process: Process, now: number): string {
  const { pid, status, exitCode, exitedAt } = process.status();
  const end = exitedAt === undefined
    ? ""
    : `, exit code ${exitCode} since ${age(exitedAt, now)}`;
  return `pid ${pid} ${status}${end}`;
}

function taskLines(
  { id, place, container, isCreating }: Task,
  now: number,
): string[] {
  const pod = place === undefined ? "" : ` of pod "${place.pod.id}"`;
  const task = `task "${id}"${pod}`;
  if (container === undefined) {
    return [`${task}: ${isCreating ? "being created" : "being removed"}`];
  }
  return [
    `${task}: ${container.state}, init ${processLine(container.init, now)}`,
    ...[...container.processes()].map(([execId, process]) =>
      `  exec "${execId}": ${processLine(process, now)}`
    ),
  ];
}

function cut(text: string): string {
  return text.length <= limits.stacks
    ? text
    : `${text.slice(0, limits.stacks)}\n(cut off: ${text.length} characters)\n`;
}

/**
 * The state of everything in a shim: sandboxes, tasks with their processes, the
 * phases of VMs, and the calls of clients, to the guest and to the host's services
 * that are not answered yet, with their ages.
 *
 * @returns Lines, cut off behind `limits.stacks` characters.
 */
export function hostStacks(shim: Shim): string {
  const now = shim.clock.now();
  const lines = [
    `shim: pid ${Deno.pid}`,
    ...[...shim.sandboxes.values()].flatMap((sandbox) => [
      `sandbox "${sandbox.id}": ${
        vmLine(sandbox, now)
      }, pods ${sandbox.pods.size}`,
      ...guestLines(shim, sandbox, now),
    ]),
    ...shim.tracer.open().filter(({ kind }) => hostKinds.includes(kind))
      .map((span) => spanLine(span, now)),
    ...[...shim.tasks.values()].flatMap((task) => taskLines(task, now)),
    ...shim.calls.underWay.map(({ service, method, ids, since, hasClient }) => {
      const about = ids.map((id) => ` "${id}"`).join("");
      const gone = hasClient ? "" : ", its client is gone";
      return `call ${service}/${method}${about}: for ${age(since, now)}${gone}`;
    }),
  ];
  return cut(`${lines.join("\n")}\n`);
}
