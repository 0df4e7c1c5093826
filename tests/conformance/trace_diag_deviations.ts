/**
 * Rows of the table of deviations about the calls of ShimDiag in traces.
 *
 * @module
 */

import type { Deviation } from "./deviation.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import { onCalls } from "./trace_deviations.ts";
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
];
