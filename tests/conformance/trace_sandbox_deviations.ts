/**
 * Rows of the table of deviations about traces that call a shim without a sandbox,
 * or one whose VM never ran.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import type { Deviation, Judged } from "./deviation.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import { onCalls } from "./trace_deviations.ts";
import { someTime } from "./trace_messages.ts";

/** Whatever the message: what is asked for is not there. */
const notFound = { code: "NotFound", error: "" };

/** True when a sandbox was created before a call. */
function hasSandbox({ output }: Judged, { seq }: JsonObject): boolean {
  return objectsOf(output.calls).some(({ method, reply, seq: other }) =>
    method === "CreateSandbox" && Number(other) < Number(seq) &&
    objectOf(reply).response !== undefined
  );
}

/** See the module. */
export const traceSandboxDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours: "a sandbox that is not there has no status",
    reason: "the peer answers for one without an id",
    expected: onCalls((call, judged) => {
      const { response } = objectOf(call.reply);
      return call.method === "SandboxStatus" && response !== undefined &&
          !hasSandbox(judged, call)
        ? { ...call, reply: notFound }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a sandbox can be pinged",
    reason: "the peer does not implement it",
    expected: onCalls((call, judged) => {
      const isOpen = call.method === "PingSandbox" &&
        objectOf(call.reply).code === "NotImplemented";
      if (!isOpen) return undefined;
      const reply = hasSandbox(judged, call) ? { response: {} } : notFound;
      return { ...call, reply };
    }),
  },
  {
    set: "trace",
    ours:
      "without a sandbox a task is not found, and a workload has no pod to join",
    reason:
      "processes of every task that exists are told, and a task may bring its sandbox",
    expected: onCalls((call, judged) => {
      const isAbout = call.method === "Pids" || call.method === "Create";
      return isAbout && objectOf(call.reply).code === "FailedPrecondition" &&
          !hasSandbox(judged, call)
        ? { ...call, reply: notFound }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "the wait for a sandbox ends with its stop, also when it never ran",
    reason: "the peer's wait lasts until the shim ends, and then fails",
    defect: "wait-unstarted",
    expected: onCalls((call, judged) => {
      const { error } = objectOf(call.reply);
      return call.method === "WaitSandbox" && hasSandbox(judged, call) &&
          /handle has already been closed/.test(textOf(error))
        ? { ...call, reply: { response: { exited_at: someTime } } }
        : undefined;
    }),
  },
];
