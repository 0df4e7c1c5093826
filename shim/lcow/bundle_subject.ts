/**
 * What a support bundle is about: the shim that knows an id, its log, and the
 * folders that containerd made for its tasks, as far as they can be found.
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { groupOf } from "../grouping.ts";
import { findLog } from "../log/find.ts";
import { parseLine } from "../log/line.ts";
import type { LogName, StoredLog } from "../log/names.ts";
import { shimServes } from "../log/open.ts";
import { readLog } from "../log/reader.ts";
import type { ShimReport } from "./report.ts";
import { findShims, notFound, shimKnowing, within } from "./shims.ts";
import { logsOf, type StoredLogs } from "./stored_logs.ts";
import type { LcowContext } from "./word.ts";

/** A log and the folder that it is in. */
export interface SubjectLog {
  /** The folder. */
  readonly folder: string;
  /** The log. */
  readonly log: StoredLog;
}

/** See the module. */
export interface Subject {
  /** The shim; absent when it is gone. */
  readonly shim?: ShimReport;
  /** Its log, or why there is none. */
  readonly log: SubjectLog | string;
  /** Bundles of its tasks. */
  readonly bundles: readonly string[];
}

/** The bundle of the shim that wrote a log last. */
async function bundleOfLog(
  { folder, log }: SubjectLog,
): Promise<string | undefined> {
  let bundle: string | undefined;
  for await (const lines of readLog(folder, log)) {
    for (const text of lines) {
      if (!text.includes(shimServes)) continue;
      const { msg, fields } = parseLine(text);
      // A guest may write the same, and must not choose what is read here.
      const isOwn = msg === shimServes && fields["source"] !== "guest";
      const said = isOwn ? fields["bundle"] : undefined;
      if (typeof said === "string") bundle = said;
    }
  }
  return bundle;
}

/** The bundles beside this one whose tasks are of the same group. */
async function groupBundles(bundle: string, key: string): Promise<string[]> {
  const [, parent = ""] = /^(.*[\\/])[^\\/]+$/.exec(bundle) ?? [];
  const bundles: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(parent)) {
      if (!isDirectory) continue;
      const path = `${parent}${name}`;
      const group = await groupOf(path, name).catch(() => undefined);
      if (group?.key === key) bundles.push(path);
    }
  } catch (error) {
    // The namespace has no task any more.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bundles;
}

async function bundlesOf(
  shim: ShimReport | undefined,
  log: Subject["log"],
  name: LogName | undefined,
): Promise<string[]> {
  const { sandboxes = [], tasks = [] } = shim ?? {};
  const told = [...sandboxes, ...tasks].flatMap(({ bundle = "" }) =>
    bundle === "" ? [] : [bundle]
  );
  if (told.length > 0) return [...new Set(told)].sort();
  // The shim cannot be asked: its log says where it began.
  const own = typeof log === "string" ? undefined : await bundleOfLog(log);
  if (own === undefined || name === undefined) return [];
  const beside = await groupBundles(own, name.id);
  return [...new Set([own, ...beside])].sort();
}

/**
 * Finds what there is about an id; its shim may be gone or hang.
 *
 * @throws {ShimError} NotFound when neither a shim nor a log knows the id,
 * FailedPrecondition when several do.
 */
export async function findSubject(
  id: string,
  namespace: string | undefined,
  context: LcowContext,
  signal: AbortSignal,
): Promise<Subject> {
  const reports = await findShims(context, signal, { namespace, ids: [id] });
  const known = shimKnowing(id, within(namespace, reports));
  const stored = await logsOf(context).catch(messageOf);
  const name = known?.key === undefined || known.namespace === undefined
    ? typeof stored === "string" ? undefined : (await findLog(
      stored.folder,
      within(namespace, stored.logs),
      id,
      signal,
    ))?.name
    : { namespace: known.namespace, id: known.key };
  if (known === undefined && name === undefined) {
    throw notFound(id, reports, namespace);
  }
  const address = name &&
    await context.platform.endpoint(name.namespace, name.id);
  const shim = known ?? reports.find((report) => report.address === address);
  const log = logOf(stored, name);
  const bundles = await bundlesOf(shim, log, name);
  return { ...(shim === undefined ? {} : { shim }), log, bundles };
}

function logOf(
  stored: StoredLogs | string,
  name: LogName | undefined,
): Subject["log"] {
  if (typeof stored === "string") return stored;
  const log = stored.logs.find((log) =>
    log.id === name?.id && log.namespace === name.namespace
  );
  return log === undefined
    ? `There is no log of it in ${stored.folder}`
    : { folder: stored.folder, log };
}
