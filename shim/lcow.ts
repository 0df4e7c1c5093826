/**
 * `lcow`: asks a running shim what it is doing, for people.
 *
 * @module
 */

import { type Clock, deadline, systemClock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import { defaultTimeouts, type Timeouts } from "../base/timeouts.ts";
import type { Platform } from "../hcs/ports.ts";
import { ShimDiag } from "../ttrpc/api/shimdiag.gen.ts";
import { type StateResponse, TaskV3 } from "../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../ttrpc/api/task_types.gen.ts";
import { type CallOptions, TtrpcClient } from "../ttrpc/client.ts";
import type { Arguments } from "./args.ts";
import { loadMachine } from "./host.ts";
import { formatTable } from "./table.ts";

/** What `lcow` needs of the world. */
export interface LcowContext {
  /** Endpoints. */
  readonly platform: Pick<Platform, "endpoint" | "connect">;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<Timeouts, "endpointDial" | "diagCall">;
}

/** Asks a shim. @returns What is printed. */
type Question = (client: TtrpcClient, options: CallOptions) => Promise<string>;

/** The state of a process, or why it is not known: it may end meanwhile. */
async function stateOf(
  client: TtrpcClient,
  id: string,
  execId: string,
  options: CallOptions,
): Promise<[pid: string, state: string]> {
  let state: StateResponse;
  try {
    state = await client.call(TaskV3, "State", { id, execId }, options);
  } catch (error) {
    return ["", messageOf(error)];
  }
  const names = Object.entries(TaskStatus);
  const name = names.find(([, value]) => value === state.status)?.[0] ?? "";
  return [String(state.pid), name];
}

/** The tasks and their processes, with their ids in the VM. */
async function ps(client: TtrpcClient, options: CallOptions): Promise<string> {
  const { tasks } = await client.call(
    ShimDiag,
    "DiagTasks",
    { execs: true },
    options,
  );
  const rows = [["TASK", "EXEC", "PID", "STATE"]];
  for (const { id, execs } of tasks) {
    for (const execId of ["", ...execs.map((exec) => exec.id)]) {
      rows.push([id, execId, ...await stateOf(client, id, execId, options)]);
    }
  }
  return formatTable(rows);
}

/** What shim and guest are doing. */
async function stacks(
  client: TtrpcClient,
  options: CallOptions,
): Promise<string> {
  const dump = await client.call(ShimDiag, "DiagStacks", {}, options);
  const guest = dump.guestStacks === ""
    ? "The guest cannot tell what it is doing.\n"
    : dump.guestStacks;
  return `Host:\n${dump.stacks}\nGuest:\n${guest}`;
}

/** The questions by the word that asks them. */
const questions: ReadonlyMap<string, Question> = new Map([
  ["ps", ps],
  ["stacks", stacks],
]);

function questionOf([word = "", ...more]: readonly string[]): Question {
  const question = questions.get(word);
  const expected = `lcow expects ${[...questions.keys()].join(" or ")}`;
  if (question !== undefined && more.length === 0) return question;
  throw new ShimError(
    "InvalidArgument",
    question === undefined
      ? `Unknown command "${word}": ${expected}`
      : `Unexpected argument "${more[0]}" after ${word}`,
  );
}

/** @throws {ShimError} Unavailable when no shim serves the id. */
async function connect(
  namespace: string,
  id: string,
  { platform, clock, timeouts }: LcowContext,
): Promise<Duplex> {
  const address = await platform.endpoint(namespace, id);
  try {
    return await deadline(
      clock,
      timeouts.endpointDial,
      "The connection to the shim",
      (signal) => platform.connect(address, signal),
    );
  } catch (cause) {
    throw new ShimError(
      "Unavailable",
      `No shim serves sandbox or standalone container "${id}" of namespace "${namespace}": ${
        messageOf(cause)
      }`,
      { cause },
    );
  }
}

/**
 * Asks the shim of a pod or of a standalone container.
 *
 * @param args The command line: namespace, id of the sandbox or of the standalone
 * container, and the question.
 * @returns What is printed.
 * @throws {ShimError} InvalidArgument for an unknown question, Unavailable when no
 * shim serves the id, else what it answered.
 */
export async function lcow(
  { namespace, id, command }: Arguments,
  context: LcowContext,
): Promise<string> {
  const { clock, timeouts } = context;
  const question = questionOf(command);
  const stream = await connect(namespace, id, context);
  const client = new TtrpcClient(stream, { clock });
  try {
    return await question(client, { timeoutMs: timeouts.diagCall });
  } finally {
    await client.close();
  }
}

/** Runs `lcow` on this machine. @returns What is printed. */
export async function runLcow(args: Arguments): Promise<string> {
  const { platform } = await loadMachine();
  const clock = systemClock;
  return await lcow(args, { platform, clock, timeouts: defaultTimeouts });
}
