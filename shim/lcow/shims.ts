/**
 * Finds the shims of this host and asks them, all at once and each within a
 * bound: a hung one hides nobody. A shim of another version answers what it can.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import { type CallOptions, TtrpcClient } from "../../ttrpc/client.ts";
import type { LogName } from "../log/names.ts";
import { describeOlder } from "./older_shim.ts";
import { describedReport, nameOf, type ShimReport, sorted } from "./report.ts";
import { logsOf } from "./stored_logs.ts";
import { type LcowContext, whereText } from "./word.ts";

/**
 * Connects to a shim, does something, and lets the connection go.
 *
 * @param task Gets a client and the options of its calls.
 * @throws {ShimError} Unavailable when nobody serves the address; else what the
 * task throws.
 */
export async function withShim<T>(
  address: string,
  { platform, clock, timeouts }: LcowContext,
  signal: AbortSignal,
  task: (client: TtrpcClient, options: CallOptions) => Promise<T>,
): Promise<T> {
  const stream: Duplex = await deadline(
    clock,
    timeouts.endpointDial,
    "The connection to the shim",
    (bounded) => platform.connect(address, bounded),
    signal,
  );
  const client = new TtrpcClient(stream, { clock });
  try {
    return await task(client, { timeoutMs: timeouts.diagCall, signal });
  } finally {
    await client.close();
  }
}

async function describe(
  client: TtrpcClient,
  address: string,
  options: CallOptions,
): Promise<ShimReport> {
  try {
    const description = await client.call(Operator, "Describe", {}, options);
    return describedReport(address, description);
  } catch (error) {
    if (classify(error) !== "NotImplemented") throw error;
    return await describeOlder(client, address, options);
  }
}

/** What stands behind an address. Rejects only when the signal aborts. */
async function ask(
  address: string,
  context: LcowContext,
  signal: AbortSignal,
): Promise<ShimReport> {
  const { clock, timeouts } = context;
  let connected = false;
  try {
    return await withShim(address, context, signal, (client) => {
      connected = true;
      return deadline(
        clock,
        timeouts.diagCall,
        "The answer of the shim",
        (bounded) => describe(client, address, { signal: bounded }),
        signal,
      );
    });
  } catch (error) {
    signal.throwIfAborted();
    const isDead = !connected && classify(error) === "Unavailable";
    const state = isDead ? "dead" : "silent";
    return { address, state, problem: messageOf(error) };
  }
}

/** Namespaces in which containers usually are: of CRI, of `ctr`, of Docker. */
const usualNamespaces = ["k8s.io", "default", "moby"];

/** The groups that have logs; none where the logs cannot be read. */
async function loggedGroups(
  context: LcowContext,
): Promise<readonly LogName[]> {
  try {
    return (await logsOf(context)).logs;
  } catch {
    // They only help to name shims; `lcow logs` tells what is wrong with them.
    return [];
  }
}

/**
 * Adds namespace and key to reports that lack them, when their address is the one
 * of a group that may be meant: the address proves it.
 *
 * @param ids Ids that may be keys, in any of the namespaces.
 */
async function named(
  reports: readonly ShimReport[],
  namespaces: readonly string[],
  ids: readonly string[],
  context: LcowContext,
): Promise<ShimReport[]> {
  const nameless = reports.filter(({ key }) => key === undefined);
  if (nameless.length === 0) return [...reports];
  const tasks = nameless.flatMap(({ tasks = [] }) => tasks.map(({ id }) => id));
  const groups = [
    ...namespaces.flatMap((namespace) =>
      [...ids, ...tasks].map((id) => ({ namespace, id }))
    ),
    ...await loggedGroups(context),
  ];
  const byAddress = new Map<string, Pick<ShimReport, "namespace" | "key">>();
  for (const { namespace, id: key } of groups) {
    const address = await context.platform.endpoint(namespace, key);
    byAddress.set(address, { namespace, key });
  }
  return reports.map((report) =>
    report.key === undefined
      ? { ...report, ...byAddress.get(report.address) }
      : report
  );
}

/** What somebody may be looking for: it helps to name shims. */
export interface Sought {
  /** A namespace. */
  readonly namespace?: string | undefined;
  /** Ids. */
  readonly ids?: readonly string[];
}

/** Asks all shims of this host. @returns Reports, sorted. */
export async function findShims(
  context: LcowContext,
  signal: AbortSignal,
  { namespace, ids = [] }: Sought = {},
): Promise<ShimReport[]> {
  const namespaces = new Set(usualNamespaces);
  if (namespace !== undefined) namespaces.add(namespace);
  const addresses = await context.platform.endpoints();
  const reports = await Promise.all(
    addresses.map((address) => ask(address, context, signal)),
  );
  return sorted(await named(reports, [...namespaces], ids, context));
}

/**
 * Shims or logs of a namespace, and those whose namespace nobody knows.
 *
 * @param namespace All of them when it is undefined.
 */
export function within<T extends { readonly namespace?: string }>(
  namespace: string | undefined,
  all: readonly T[],
): readonly T[] {
  return all.filter((one) =>
    namespace === undefined || one.namespace === undefined ||
    one.namespace === namespace
  );
}

/** The ids that a shim knows: of its group, sandboxes, pods and tasks. */
export function idsOf(report: ShimReport): ReadonlySet<string> {
  const { key, sandboxes = [], tasks = [] } = report;
  return new Set([
    ...(key === undefined ? [] : [key]),
    ...sandboxes.flatMap(({ id, pods }) => [id, ...pods]),
    ...tasks.map(({ id }) => id),
  ]);
}

/** Names that an error lists at most. */
const maxNames = 20;

function listed(names: readonly string[]): string {
  const more = names.length - maxNames;
  const shown = names.slice(0, maxNames).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** What was looked at in vain, for an error. */
function others(
  reports: readonly ShimReport[],
  namespace: string | undefined,
): string {
  const names = reports.filter(({ state }) => state === "serving")
    .flatMap((report) => {
      const { namespace = "(unknown namespace)" } = report;
      return [...idsOf(report)].map((id) => `${namespace}/${id}`);
    });
  const silent = reports.filter(({ state }) => state === "silent");
  const there = names.length === 0
    ? `no shim serves anything${
      namespace === undefined ? "" : ` ${whereText(namespace)}`
    }`
    : `there are ${listed(names)}`;
  return silent.length === 0
    ? there
    : `${there}; no answer came from ${listed(silent.map(nameOf))}`;
}

/**
 * The error for an id that no shim knows: it names the namespaces that have it, or
 * else the ids that there are.
 *
 * @param reports Of all namespaces.
 * @param namespace Where it was looked for; undefined for everywhere.
 */
export function notFound(
  id: string,
  reports: readonly ShimReport[],
  namespace: string | undefined,
): ShimError {
  const what = `sandbox, pod or container ${JSON.stringify(id)}`;
  const elsewhere = reports.flatMap((report) =>
    report.namespace !== undefined && idsOf(report).has(id)
      ? [report.namespace]
      : []
  );
  const message = elsewhere.length === 0
    ? `No ${what}: ${others(within(namespace, reports), namespace)}`
    : `No ${what} ${whereText(namespace)}: ${inNamespaces(elsewhere)}`;
  return new ShimError("NotFound", message);
}

/** Where something is instead. */
export function inNamespaces(namespaces: readonly string[]): string {
  return `it is in namespace ${listed([...new Set(namespaces)].sort())}`;
}

/**
 * The one shim that knows an id; undefined when none does.
 *
 * @throws {ShimError} FailedPrecondition when several do.
 */
export function shimKnowing(
  id: string,
  reports: readonly ShimReport[],
): ShimReport | undefined {
  const found = reports.filter((report) => idsOf(report).has(id));
  if (found.length < 2) return found[0];
  throw new ShimError(
    "FailedPrecondition",
    `Several shims know ${JSON.stringify(id)}: ${
      listed(found.map(nameOf))
    }; say which with --namespace`,
  );
}

/**
 * The shim that knows an id.
 *
 * @throws {ShimError} NotFound, naming what there is; FailedPrecondition when
 * several do; Unavailable when it is known not to answer.
 */
export async function findShimOf(
  id: string,
  namespace: string | undefined,
  context: LcowContext,
  signal: AbortSignal,
): Promise<ShimReport> {
  const reports = await findShims(context, signal, { namespace, ids: [id] });
  const report = shimKnowing(id, within(namespace, reports));
  if (report === undefined) throw notFound(id, reports, namespace);
  if (report.state === "serving") return report;
  const advice = report.state === "dead"
    ? "its shim is gone: `lcow prune` removes what it left"
    : `its shim does not answer: ${report.problem}`;
  throw new ShimError("Unavailable", `Cannot ask ${nameOf(report)}: ${advice}`);
}
