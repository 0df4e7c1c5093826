/**
 * `lcow stacks`: what a shim and its guest are doing.
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { nameOf, type ShimReport } from "./report.ts";
import { findShimOf, findShims, withShim } from "./shims.ts";
import { type LcowContext, namespaceOf, type Word } from "./word.ts";

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
  /** Why there is neither. */
  readonly problem?: string;
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
  const { address, namespace, key } = report;
  const about = {
    address,
    ...(namespace === undefined ? {} : { namespace }),
    ...(key === undefined ? {} : { key }),
  };
  const { stacks, guestStacks } = await withShim(
    address,
    context,
    signal,
    (client, options) => client.call(ShimDiag, "DiagStacks", {}, options),
  );
  return {
    ...about,
    host: stacks,
    ...(guestStacks === "" ? {} : { guest: guestStacks }),
  };
}

/** The answer for people. */
export function stacksText({ host, guest, problem }: StacksReport): string {
  if (host === undefined) return `Cannot ask it: ${problem}\n`;
  const guestText = guest ?? "The guest cannot tell what it is doing.\n";
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
    const found = await findShims(context, signal, { namespace });
    const shims = found.filter(({ state }) => state === "serving");
    const reports = await Promise.all(
      shims.map((shim) =>
        stacksOf(shim, context, signal).catch((error): StacksReport => {
          signal.throwIfAborted();
          return { address: shim.address, problem: messageOf(error) };
        })
      ),
    );
    const texts = shims.map((shim, index) =>
      `Shim ${nameOf(shim)}\n${stacksText(reports[index]!)}`
    );
    return {
      json: { shims: reports },
      text: texts.length === 0
        ? "No shim answers on this host.\n"
        : texts.join("\n"),
    };
  },
};
