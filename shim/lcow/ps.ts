/**
 * `lcow ps`: the tree of shims, VMs, pods, containers and processes.
 *
 * @module
 */

import { shimVersion } from "../version.ts";
import {
  nameOf,
  type ProcessReport,
  type SandboxReport,
  type ShimReport,
  type TaskReport,
} from "./report.ts";
import { findShims, idsOf, notFound, within } from "./shims.ts";
import { namespaceOf, whereText, type Word } from "./word.ts";

/** Lines of a tree: two more spaces per level. */
function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** State of a process, for people: `RUNNING, pid 101`. */
export function processText(
  { pid, status, exitCode, exitedAt, problem }: ProcessReport,
): string {
  return [
    status ?? `state unknown: ${problem ?? "the shim does not say"}`,
    ...(pid === undefined || pid === 0 ? [] : [`pid ${pid}`]),
    ...(exitedAt === undefined ? [] : [`exit code ${exitCode} at ${exitedAt}`]),
  ].join(", ");
}

function taskLines({ id, kind, state, init, execs }: TaskReport): string[] {
  const about = [
    ...(kind === undefined ? [] : [kind]),
    ...(state === undefined ? [] : [state]),
    ...(init === undefined ? [] : [`init ${processText(init)}`]),
  ];
  return [
    `container ${id}: ${about.join(", ")}`,
    ...indented(
      execs.map((exec) => `exec ${exec.id}: ${processText(exec)}`),
    ),
  ];
}

function sandboxLines(
  { id, vmState, pods }: SandboxReport,
  tasks: readonly TaskReport[],
): string[] {
  const mine = tasks.filter(({ sandbox }) => sandbox === id);
  const podLines = pods.flatMap((pod) => [
    `pod ${pod}`,
    ...indented(mine.filter((task) => task.pod === pod).flatMap(taskLines)),
  ]);
  const loose = mine.filter(({ pod }) =>
    pod === undefined || !pods.includes(pod)
  );
  return [
    `sandbox ${id}: VM ${vmState}`,
    ...indented([...podLines, ...loose.flatMap(taskLines)]),
  ];
}

/** What is said about versions: only what differs is worth a word. */
export function versionText(
  { version }: Pick<ShimReport, "version">,
): string {
  if (version === undefined) return ", an older shim or another program's";
  return version === shimVersion
    ? `, version ${version}`
    : `, version ${version} (lcow has ${shimVersion})`;
}

/** What a shim that does not answer is, in one line. */
function brokenLine(report: ShimReport): string {
  const { address, state, problem } = report;
  const name = report.key === undefined
    ? `endpoint ${address}`
    : `shim ${nameOf(report)}`;
  switch (state) {
    case "dead":
      return `${name}: dead; \`lcow prune\` removes it`;
    case "foreign":
      return `${name}: another program (${problem})`;
    default:
      return `${name}: does not answer (${problem})`;
  }
}

/** The lines of one shim. */
function shimLines(report: ShimReport): string[] {
  const { state, pid, problem, sandboxes = [], tasks = [] } = report;
  if (state !== "serving") return [brokenLine(report)];
  const ids = new Set(sandboxes.map(({ id }) => id));
  const loose = tasks.filter(({ sandbox }) =>
    sandbox === undefined || !ids.has(sandbox)
  );
  return [
    `shim ${nameOf(report)}: pid ${pid}${versionText(report)}`,
    ...indented([
      ...(problem === undefined ? [] : [`cannot list its tasks: ${problem}`]),
      ...sandboxes.flatMap((sandbox) => sandboxLines(sandbox, tasks)),
      ...loose.flatMap(taskLines),
    ]),
  ];
}

/** See the module. */
export const ps: Word = {
  name: "ps",
  summary: "list shims, VMs, pods, containers and processes",
  operands: [{
    name: "ID",
    summary: "only the shim of this sandbox, pod or container",
    optional: true,
  }],
  flags: [],
  async run(invocation, context, signal) {
    const [id] = invocation.operands;
    const namespace = namespaceOf(invocation);
    const ids = invocation.operands;
    const all = await findShims(context, signal, { namespace, ids });
    const shims = within(namespace, all).filter((report) =>
      id === undefined || idsOf(report).has(id)
    );
    if (id !== undefined && shims.length === 0) {
      throw notFound(id, all, namespace);
    }
    return {
      json: { lcowVersion: shimVersion, shims },
      text: shims.length === 0
        ? `No shim runs ${whereText(namespace)}.\n`
        : `${shims.flatMap(shimLines).join("\n")}\n`,
    };
  },
};
