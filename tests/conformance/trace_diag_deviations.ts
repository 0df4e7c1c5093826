/**
 * Rows of the table of deviations about the calls of ShimDiag, and the command
 * lines, in traces.
 *
 * @module
 */

import { unknownExit } from "../../controllers/process/mod.ts";
import { onCommands } from "./command_lines.ts";
import type { Deviation } from "./deviation.ts";
import { listOf, objectOf, objectsOf, textOf } from "./json.ts";
import { onCalls } from "./trace_deviations.ts";
import { someTime } from "./trace_messages.ts";
import { onSteps } from "./trace_steps.ts";

/** With this the peer tells the exit code of a process. */
const exitCode = /: process exited with exit code (\d+)$/;

/** See the module. */
export const traceDiagDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours:
      "a process of the VM that ends with another code than 0 has an answer",
    reason:
      "who runs a command asks for its exit code; the peer gives an error",
    expected: onCalls((call) => {
      const [, code] = exitCode.exec(textOf(objectOf(call.reply).error)) ?? [];
      return call.method === "DiagExecInHost" && code !== undefined
        ? { ...call, reply: { response: { exit_code: Number(code) } } }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "each task that exists is listed once",
    reason: "the peer lists those whose create failed, too",
    defect: "failed-create",
    expected: onSteps(({ call, reply, method, present }) => {
      const response = objectOf(reply.response);
      if (method !== "DiagTasks" || response.tasks === undefined) {
        return undefined;
      }
      const listed = objectsOf(response.tasks);
      const tasks = listed.filter(({ id }, index) =>
        present.has(textOf(id)) &&
        index === listed.findIndex((other) => other.id === id)
      );
      return tasks.length === listed.length
        ? undefined
        : { ...call, reply: { response: { ...response, tasks } } };
    }),
  },
  {
    set: "trace",
    ours: "the program's delete answers, whatever it finds",
    reason: "containerd calls it when a shim is lost; the peer's always fails",
    defect: "binary-delete",
    expected: onCommands(({ args, error }) =>
      error !== undefined && listOf(args).at(-1) === "delete" &&
        /bundle path not found/.test(textOf(error))
        ? {
          args: args!,
          answer: { exit_status: unknownExit, exited_at: someTime },
        }
        : undefined
    ),
  },
];
