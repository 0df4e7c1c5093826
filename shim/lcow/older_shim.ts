/**
 * Shims without the Operator service: older ones of this program, and those of
 * hcsshim. They tell their tasks by ShimDiag and Task, and nothing of their
 * namespace, VM and calls.
 *
 * @module
 */

import { classify, messageOf } from "../../base/errors.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import {
  type StateResponse,
  TaskV2,
  TaskV3,
} from "../../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import type { CallOptions, TtrpcClient } from "../../ttrpc/client.ts";
import {
  type ProcessReport,
  type ShimReport,
  type TaskReport,
  time,
} from "./report.ts";

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(TaskStatus).map(([name, value]) => [value, name]),
);

/** One process, and its bundle. */
interface OlderProcess {
  readonly process: ProcessReport;
  readonly bundle?: string;
}

/** Task.State, in the version that the shim has: the messages are the same. */
async function stateOf(
  client: TtrpcClient,
  request: { readonly id: string; readonly execId: string },
  options: CallOptions,
): Promise<StateResponse> {
  try {
    return await client.call(TaskV3, "State", request, options);
  } catch (error) {
    if (classify(error) !== "NotImplemented") throw error;
    return await client.call(TaskV2, "State", request, options);
  }
}

/** It may end meanwhile: then the report says why its state is not known. */
async function processOf(
  client: TtrpcClient,
  id: string,
  execId: string,
  options: CallOptions,
): Promise<OlderProcess> {
  let state: StateResponse;
  try {
    state = await stateOf(client, { id, execId }, options);
  } catch (error) {
    return { process: { id: execId, problem: messageOf(error) } };
  }
  const { pid, status, exitStatus, exitedAt, bundle } = state;
  return {
    bundle,
    process: {
      id: execId,
      pid,
      status: names.get(status) ?? String(status),
      ...(exitedAt === undefined
        ? {}
        : { exitCode: exitStatus, ...time("exitedAt", exitedAt) }),
    },
  };
}

async function taskOf(
  client: TtrpcClient,
  id: string,
  execs: readonly string[],
  options: CallOptions,
): Promise<TaskReport> {
  const [init, ...others] = await Promise.all(
    ["", ...execs].map((execId) => processOf(client, id, execId, options)),
  );
  return {
    id,
    ...(init?.bundle === undefined ? {} : { bundle: init.bundle }),
    ...(init === undefined ? {} : { init: init.process }),
    execs: others.map(({ process }) => process),
  };
}

/** What a call answers, or why it does not. */
async function attempt<T>(call: Promise<T>): Promise<T | Error> {
  try {
    return await call;
  } catch (error) {
    // The shim's own refusals; what ends the connection is everybody's error.
    const code = classify(error);
    const isOurs = code === "Unavailable" || code === "DeadlineExceeded" ||
      code === "Canceled";
    if (isOurs || !(error instanceof Error)) throw error;
    return error;
  }
}

/**
 * Describes a shim that has no Operator service.
 *
 * @returns A report without what cannot be known; `foreign` when it has no
 * ShimDiag service either.
 * @throws {ShimError} Unavailable when the connection is lost.
 */
export async function describeOlder(
  client: TtrpcClient,
  address: string,
  options: CallOptions,
): Promise<ShimReport> {
  const process = await attempt(client.call(ShimDiag, "DiagPid", {}, options));
  if (process instanceof Error) {
    return { address, state: "foreign", problem: messageOf(process) };
  }
  const about = { address, apiLevel: 0, pid: process.pid } as const;
  const listed = await attempt(
    client.call(ShimDiag, "DiagTasks", { execs: true }, options),
  );
  if (listed instanceof Error) {
    return { ...about, state: "serving", problem: messageOf(listed) };
  }
  const tasks = await Promise.all(
    listed.tasks.map(({ id, execs }) =>
      taskOf(client, id, execs.map((exec) => exec.id), options)
    ),
  );
  return { ...about, state: "serving", tasks };
}
