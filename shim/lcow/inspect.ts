/**
 * `lcow inspect`: everything about one id, whatever it is the id of.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import { processText, versionText } from "./ps.ts";
import {
  type CallReport,
  nameOf,
  type ProcessReport,
  type SandboxReport,
  type ShimReport,
  type TaskReport,
} from "./report.ts";
import { findShimOf } from "./shims.ts";
import { namespaceOf, type Word } from "./word.ts";

/** A pod. */
interface PodReport {
  /** Its id. */
  readonly id: string;
  /** Id of its sandbox. */
  readonly sandbox: string;
  /** Ids of its containers. */
  readonly containers: readonly string[];
}

/** What an id stands for; a pod's id is often that of all but the exec. */
interface Inspection {
  /** What was asked for. */
  readonly id: string;
  /** The shim that knows it, without what it has. */
  readonly shim: Omit<ShimReport, "sandboxes" | "tasks" | "calls">;
  /** The sandbox of this id. */
  readonly sandbox?: SandboxReport;
  /** The pod of this id. */
  readonly pod?: PodReport;
  /** The container of this id. */
  readonly container?: TaskReport;
  /** The exec of this id, with its container's id in front. */
  readonly exec?: ProcessReport;
  /** Calls under way that name it; all of them for the id of a shim. */
  readonly calls: readonly CallReport[];
}

function podOf(
  id: string,
  { sandboxes = [], tasks = [] }: ShimReport,
): PodReport | undefined {
  const sandbox = sandboxes.find(({ pods }) => pods.includes(id));
  return sandbox && {
    id,
    sandbox: sandbox.id,
    containers: tasks.filter(({ pod }) => pod === id).map(({ id }) => id),
  };
}

/** @throws {ShimError} NotFound, naming the execs that there are. */
function execOf(
  execId: string,
  container: string,
  { tasks = [] }: ShimReport,
): ProcessReport {
  const execs = tasks.find(({ id }) => id === container)?.execs ?? [];
  const found = execs.find(({ id }) => id === execId);
  if (found !== undefined) return found;
  const there = execs.length === 0
    ? "it has none"
    : `there are ${execs.map(({ id }) => id).join(", ")}`;
  throw new ShimError(
    "NotFound",
    `Container "${container}" has no exec ${JSON.stringify(execId)}: ${there}`,
  );
}

/** What is absent stays absent. */
function present<T extends object>(members: T): { [M in keyof T]?: T[M] } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as { [M in keyof T]?: T[M] };
}

/**
 * Finds what an id stands for.
 *
 * @param id Id of a sandbox, pod or container, or `container/exec`.
 * @param report The shim that knows the first part.
 * @throws {ShimError} NotFound when there is no such exec.
 */
function inspection(id: string, report: ShimReport): Inspection {
  const { sandboxes = [], tasks = [], calls = [], ...shim } = report;
  const [owner = "", ...exec] = id.split("/");
  if (exec.length > 0) {
    const execId = exec.join("/");
    return {
      id,
      shim,
      exec: execOf(execId, owner, report),
      calls: calls.filter(({ ids }) =>
        ids.includes(owner) && ids.includes(execId)
      ),
    };
  }
  return {
    id,
    shim,
    ...present({
      sandbox: sandboxes.find((sandbox) => sandbox.id === id),
      pod: podOf(id, report),
      container: tasks.find((task) => task.id === id),
    }) as Pick<Inspection, "sandbox" | "pod" | "container">,
    calls: id === shim.key
      ? calls
      : calls.filter(({ ids }) => ids.includes(id)),
  };
}

/** A name and what stands behind it; undefined ones are left out. */
type Row = readonly [name: string, value: string | undefined];

/** A title with rows below it; a section without rows is left out. */
function section(title: string, rows: readonly Row[]): string {
  const known = rows.filter(([, value]) => value !== undefined && value !== "");
  if (known.length === 0) return "";
  const width = Math.max(...known.map(([name]) => name.length)) + 1;
  const lines = known.map(([name, value]) =>
    `  ${`${name}:`.padEnd(width)} ${value}\n`
  );
  return `${title}\n${lines.join("")}`;
}

function shimSection(report: Inspection["shim"]): string {
  const { address, pid, startedAt, problem } = report;
  return section(`shim ${nameOf(report)}`, [
    ["process", `pid ${pid}${versionText(report)}`],
    ["started", startedAt],
    ["endpoint", address],
    ["problem", problem],
  ]);
}

function sandboxSection(sandbox: SandboxReport): string {
  const { id, vmState, startedAt, endedAt, systemId, runtimeId, bundle } =
    sandbox;
  const isRunning = vmState === "Running";
  const since = isRunning ? startedAt : endedAt;
  return section(`sandbox ${id}`, [
    ["VM", since === undefined ? vmState : `${vmState} since ${since}`],
    ["started", isRunning ? undefined : startedAt],
    ["system", systemId],
    ["runtime id", runtimeId],
    ["bundle", bundle],
    ["made by", sandbox.implicit ? "its first task" : "CreateSandbox"],
    ["pods", sandbox.pods.join(", ")],
    ...sandbox.guestCalls.map(({ rpc, containerId, since }): Row => [
      "waits for",
      `${rpc} of ${containerId === nullGuid ? "the VM" : containerId}` +
      ` since ${since}`,
    ]),
  ]);
}

function containerSection(task: TaskReport): string {
  const { id, kind, state, init, execs, pod, sandbox, bundle } = task;
  return section(`container ${id}`, [
    ["kind", kind],
    ["state", state],
    ["init", init && processText(init)],
    ...execs.map((exec): Row => [`exec ${exec.id}`, processText(exec)]),
    ["pod", pod],
    ["sandbox", sandbox],
    ["bundle", bundle],
  ]);
}

function inspectionText(
  { id, shim, sandbox, pod, container, exec, calls }: Inspection,
): string {
  return [
    shimSection(shim),
    sandbox === undefined ? "" : sandboxSection(sandbox),
    pod === undefined ? "" : section(`pod ${pod.id}`, [
      ["sandbox", pod.sandbox],
      ["containers", pod.containers.join(", ")],
    ]),
    container === undefined ? "" : containerSection(container),
    exec === undefined
      ? ""
      : section(`exec ${id}`, [["state", processText(exec)]]),
    section(
      "calls under way",
      calls.map(({ service, method, ids, since, hasClient }): Row => [
        `${service}/${method}`,
        `${ids.join(" ")} since ${since}${
          hasClient ? "" : ", its client is gone"
        }`,
      ]),
    ),
  ].join("");
}

/** See the module. */
export const inspect: Word = {
  name: "inspect",
  summary: "print all that is known about one id",
  operands: [{
    name: "ID",
    summary: "a sandbox, pod or container, or CONTAINER/EXEC",
  }],
  flags: [],
  async run(invocation, context, signal) {
    const [id = ""] = invocation.operands;
    const [owner = ""] = id.split("/");
    const namespace = namespaceOf(invocation);
    const report = await findShimOf(owner, namespace, context, signal);
    const json = inspection(id, report);
    return { json, text: inspectionText(json) };
  },
};
