/**
 * `lcow stacks`: what a shim and its guest are doing.
 *
 * @module
 */

import { classify, messageOf } from "../../base/errors.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import type { CallOptions, TtrpcClient } from "../../ttrpc/client.ts";
import { brokenText, known, nameOf, type ShimReport } from "./report.ts";
import { findShimOf, findShims, within, withShim } from "./shims.ts";
import { type LcowContext, namespaceOf, whereText, type Word } from "./word.ts";

/** What one shim answered. */
export interface StacksReport {
  /** Address of its endpoint. */
  readonly address: string;
  /** containerd's namespace, when it is known. */
  readonly namespace?: string;
  /** Id of its group, when it is known. */
  readonly key?: string;
  /** What the shim is doing. */
  readonly host?: string;
  /** What the guest is doing; absent when it cannot tell. */
  readonly guest?: string;
  /** Why the guest did not answer; a shim that is too old does not tell without it. */
  readonly guestProblem?: string;
  /** Why nothing is known. */
  readonly problem?: string;
}

/** @throws {ShimError} From an older shim also why its guest has not answered. */
async function request(
  client: TtrpcClient,
  options: CallOptions,
): Promise<Pick<StacksReport, "host" | "guest" | "guestProblem">> {
  try {
    const { shim, guest, guestProblem } = await client.call(
      Operator,
      "Stacks",
      {},
      options,
    );
    return {
      host: shim,
      ...known("guest", guest),
      ...known("guestProblem", guestProblem),
    };
  } catch (error) {
    if (classify(error) !== "NotImplemented") throw error;
    const { stacks, guestStacks } = await client.call(
      ShimDiag,
      "DiagStacks",
      {},
      options,
    );
    return { host: stacks, ...known("guest", guestStacks) };
  }
}

/** Which shim it is. */
function aboutOf(
  { address, namespace, key }: ShimReport,
): Pick<StacksReport, "address" | "namespace" | "key"> {
  return { address, ...known("namespace", namespace), ...known("key", key) };
}

/**
 * Asks one shim.
 *
 * @throws {ShimError} Why it has not answered.
 */
export async function stacksOf(
  report: ShimReport,
  context: LcowContext,
  signal: AbortSignal,
): Promise<StacksReport> {
  const told = await withShim(report.address, context, signal, request);
  return { ...aboutOf(report), ...told };
}

/** As above, but a shim that does not answer spoils nothing. */
async function tryStacksOf(
  report: ShimReport,
  context: LcowContext,
  signal: AbortSignal,
): Promise<StacksReport> {
  if (report.state !== "serving") {
    return { ...aboutOf(report), problem: brokenText(report) };
  }
  try {
    return await stacksOf(report, context, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { ...aboutOf(report), problem: messageOf(error) };
  }
}

/** The answer for people. */
export function stacksText(
  { host, guest, guestProblem, problem }: StacksReport,
): string {
  if (host === undefined) return `Cannot ask it: ${problem}\n`;
  const guestText = guest ??
    (guestProblem === undefined
      ? "The guest cannot tell what it is doing.\n"
      : `The guest does not tell what it is doing: ${guestProblem}\n`);
  return `Host:\n${host}\nGuest:\n${guestText}`;
}

/** See the module. */
export const stacks: Word = {
  name: "stacks",
  summary: "print what shims and their guests are doing",
  operands: [{
    name: "ID",
    summary: "a sandbox, pod or container; all shims without it",
    optional: true,
  }],
  flags: [],
  async run(invocation, context, signal) {
    const [id] = invocation.operands;
    const namespace = namespaceOf(invocation);
    if (id !== undefined) {
      const shim = await findShimOf(id, namespace, context, signal);
      const report = await stacksOf(shim, context, signal);
      return { json: { shims: [report] }, text: stacksText(report) };
    }
    const all = await findShims(context, signal, { namespace });
    const shims = within(namespace, all);
    const reports = await Promise.all(
      shims.map((shim) => tryStacksOf(shim, context, signal)),
    );
    const texts = shims.map((shim, index) =>
      `Shim ${nameOf(shim)}\n${stacksText(reports[index]!)}`
    );
    return {
      json: { shims: reports },
      text: texts.length === 0
        ? `No shim runs ${whereText(namespace)}.\n`
        : texts.join("\n"),
    };
  },
};
