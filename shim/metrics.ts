/**
 * The metrics of a shim: what is counted, by whom, and how it is told.
 *
 * @module
 */

import { classify } from "../base/errors.ts";
import {
  type MetricDefinition,
  Metrics,
  type MetricTable,
  type Sample,
} from "../base/metrics.ts";
import type { FinishedSpan } from "../base/spans.ts";
import type { SpanKind } from "../base/trace.ts";
import { Operator } from "../ttrpc/api/operator.gen.ts";
import type { CallUnderWay } from "./calls.ts";
import type { Shim } from "./shim.ts";
import type { Task } from "./task.ts";
import { taskTopics } from "./task_events.ts";

/** Result of a call in label `code`: `OK`, or the class of its error. */
const codeHelp = "by result: OK or the class of the error";

const topics = Object.values(taskTopics).map((topic) => [topic]);

/** Every metric of a shim; `docs/metrics.md` is made of it. */
export const shimMetrics = {
  rpcDuration: {
    kind: "histogram",
    name: "lcow_rpc_duration_seconds",
    help: `Calls of containerd and of people, ${codeHelp}`,
    labels: ["service", "method", "code"],
  },
  rpcsInFlight: {
    kind: "gauge",
    name: "lcow_rpcs_in_flight",
    help:
      "Calls of clients that are not answered yet, but for the question itself",
    labels: ["service", "method"],
  },
  hcsDuration: {
    kind: "histogram",
    name: "lcow_hcs_call_duration_seconds",
    help: `Calls of the compute service of the host, ${codeHelp}`,
    labels: ["operation", "code"],
  },
  hcnDuration: {
    kind: "histogram",
    name: "lcow_hcn_call_duration_seconds",
    help: `Calls of the network service of the host, ${codeHelp}`,
    labels: ["operation", "code"],
  },
  bridgeDuration: {
    kind: "histogram",
    name: "lcow_bridge_call_duration_seconds",
    help: `Calls of the guest agent, ${codeHelp}`,
    labels: ["rpc", "code"],
  },
  bridgeInFlight: {
    kind: "gauge",
    name: "lcow_bridge_calls_in_flight",
    help: "Calls that the guest agent has not answered yet",
    labels: ["rpc"],
  },
  vmPhase: {
    kind: "histogram",
    name: "lcow_vm_phase_duration_seconds",
    help:
      `Phases of the start of a VM: create (document and compute system), boot (start until the guest dials), handshake (bridge), ${codeHelp}`,
    labels: ["phase", "code"],
  },
  eventsForwarded: {
    kind: "counter",
    name: "lcow_events_forwarded_total",
    help: "Events that containerd took",
    labels: ["topic"],
    known: topics,
  },
  eventsLost: {
    kind: "counter",
    name: "lcow_events_lost_total",
    help: "Events that containerd did not get",
    labels: ["topic"],
    known: topics,
  },
  eventRetries: {
    kind: "counter",
    name: "lcow_event_retries_total",
    help: "Attempts to forward an event beyond the first one",
    labels: [],
  },
  stdioBytes: {
    kind: "counter",
    name: "lcow_stdio_bytes_total",
    help: "Bytes that went between processes and their clients",
    labels: ["stream"],
  },
  logLinesDropped: {
    kind: "counter",
    name: "lcow_log_lines_dropped_total",
    help:
      "Log lines that nobody gets: of the shim, whose reader is slow or gone, and of the guest, beyond its limit per second",
    labels: ["source"],
    known: [["shim"], ["guest"]],
  },
  sandboxes: {
    kind: "gauge",
    name: "lcow_sandboxes",
    help: "Sandboxes by the state of their VM",
    labels: ["state"],
  },
  tasks: {
    kind: "gauge",
    name: "lcow_tasks",
    help: "Tasks by the state of their init process",
    labels: ["state"],
  },
  execs: {
    kind: "gauge",
    name: "lcow_execs",
    help: "Processes beside init by their state",
    labels: ["state"],
  },
  residentMemory: {
    kind: "gauge",
    name: "process_resident_memory_bytes",
    help: "Memory of the shim's process",
    labels: [],
  },
  startTime: {
    kind: "gauge",
    name: "process_start_time_seconds",
    help: "When the shim's process began, in seconds since 1970",
    labels: [],
  },
  uptime: {
    kind: "gauge",
    name: "lcow_uptime_seconds",
    help: "How long the shim's process has been running",
    labels: [],
  },
} as const satisfies MetricTable;

/** The numbers of a shim. */
export type ShimMetrics = Metrics<typeof shimMetrics>;

/** Numbers that begin now. */
export function newShimMetrics(): ShimMetrics {
  return new Metrics(shimMetrics);
}

/** Histograms of the kinds of spans whose name is the operation. */
const operations = {
  hcs: "hcsDuration",
  hcn: "hcnDuration",
  bridge: "bridgeDuration",
  vm: "vmPhase",
} as const satisfies Partial<Record<SpanKind, keyof typeof shimMetrics>>;

/** Counts a span that has ended; its name is `service/method` for an RPC. */
export function countSpan(
  metrics: ShimMetrics,
  { kind, name, duration, error }: FinishedSpan,
): void {
  const code = error === undefined ? "OK" : classify(error.thrown);
  const seconds = duration / 1000;
  if (kind === "rpc") {
    const [service = "", method = ""] = name.split("/");
    metrics.observe("rpcDuration", [service, method, code], seconds);
  } else if (kind !== "guest") {
    metrics.observe(operations[kind], [name, code], seconds);
  }
}

/** How often each set of label values is there. */
function counted<D extends MetricDefinition>(
  all: readonly (Sample<D>[0])[],
): Sample<D>[] {
  const groups = Map.groupBy(all, (labels) => Object.values(labels).join("\0"));
  return [...groups.values()].map((group) => [group[0]!, group.length]);
}

/** What containerd calls it, or what is done while there is no container. */
function stateOf({ container, isCreating }: Task): string {
  return container?.init.status().status ??
    (isCreating ? "CREATING" : "DELETING");
}

/** True for the call that every reader of the metrics makes while it reads them. */
function asksForMetrics({ service, method }: CallUnderWay): boolean {
  return service === Operator.name && method === "Metrics";
}

/**
 * The metrics of a shim as Prometheus text, with what its gauges show now.
 *
 * @param shim The shim.
 */
export function metricsText(shim: Shim): string {
  const tasks = [...shim.tasks.values()];
  const sandboxes = [...shim.sandboxes.values()];
  const execs = tasks.flatMap(({ container }) => [
    ...container?.processes().values() ?? [],
  ]);
  const pending = sandboxes.filter(({ vmState }) => vmState === "Running")
    .flatMap(({ vm }) => vm.guest.pending);
  return shim.metrics.text({
    rpcsInFlight: counted(
      shim.calls.underWay.filter((call) => !asksForMetrics(call))
        .map(({ service, method }) => [service, method]),
    ),
    bridgeInFlight: counted(pending.map(({ rpc }) => [rpc])),
    sandboxes: counted(sandboxes.map(({ vmState }) => [vmState])),
    tasks: counted(tasks.map((task) => [stateOf(task)])),
    execs: counted(execs.map((process) => [process.status().status])),
    residentMemory: [[[], Deno.memoryUsage().rss]],
    startTime: [[[], performance.timeOrigin / 1000]],
    uptime: [[[], performance.now() / 1000]],
  });
}
