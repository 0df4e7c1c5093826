/**
 * Rows of the table of deviations about traces in which the peer loses count of
 * the containers of a pod, or answers by the state of the VM.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import type { Deviation } from "./deviation.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import { someTime } from "./trace_messages.ts";
import {
  networkTeardown,
  onSteps,
  othersInPod,
  type Step,
  stepsOf,
} from "./trace_steps.ts";

/** With this the peer refuses to delete the first container of a pod. */
const refusal = /workload container\(s\) still exist in the pod/;

/** What a delete answers, by its event. */
function deleteReply(output: JsonObject, id: string): JsonObject {
  const { pid, exit_status, exited_at } = objectsOf(
    objectOf(output.events)[id],
  ).find(({ topic }) => topic === "/tasks/delete") ?? {};
  return {
    response: { pid: pid!, exit_status: exit_status!, exited_at: exited_at! },
  };
}

function isRefused({ method, reply }: Step): boolean {
  return method === "Delete" && refusal.test(textOf(reply.error));
}

/** A delete that the peer should have answered with success. */
function deleted(
  { call, id }: Step,
  steps: readonly Step[],
  output: JsonObject,
  released: JsonObject,
): JsonObject {
  const created = steps.find((step) =>
    step.id === id && step.method === "Create" &&
    step.reply.response !== undefined
  );
  const { host, guest } = networkTeardown(created?.call ?? {});
  return {
    ...call,
    reply: deleteReply(output, id),
    host: [...objectsOf(released.host), ...host],
    guest: [...objectsOf(released.guest), ...guest],
  };
}

/** True for a delete of a container whose pod the peer has forgotten. */
function isLost({ call }: Pick<Step, "call">): boolean {
  const { code, error } = objectOf(call.reply);
  return call.method === "Delete" && code === "NotFound" &&
    /pod controller for pod \S+ not found/.test(textOf(error));
}

/** True for a start of a container that the guest refused. */
function isFailedStart({ call, method, request, reply }: Step): boolean {
  const asked = objectsOf(call.guest).some(({ name }) => name === "Start");
  return method === "Start" && request.exec_id === undefined && asked &&
    reply.error !== undefined;
}

/** The containers that could not be started. */
function failedStarts(input: JsonObject, output: JsonObject): Set<string> {
  const failed = stepsOf(input, output).filter(isFailedStart);
  return new Set(failed.map(({ id }) => id));
}

/** How a container ends that could not be started. */
const failedEnd = { exit_status: 1, exited_at: someTime };

/** See the module. */
export const tracePodDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours: "a refused delete of a pod's first container does nothing",
    reason: "the peer releases it nevertheless, and never the network",
    defect: "refused-delete",
    expected: onSteps((step, steps, output) => {
      const others = othersInPod(step);
      if (isRefused(step) && others.length > 0) {
        return { ...step.call, host: [], guest: [] };
      }
      const before = steps.slice(0, steps.indexOf(step)).find((other) =>
        isRefused(other) && other.id === step.id
      );
      return step.method === "Delete" && step.reply.code === "NotFound" &&
          before !== undefined
        ? deleted(step, steps, output, before.call)
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a container whose create failed does not keep its pod",
    reason: "the peer counts it, so that the pod cannot be deleted",
    defect: "failed-create",
    expected: onSteps((step, steps, output) => {
      const others = othersInPod(step);
      return isRefused(step) && others.length === 0
        ? deleted(step, steps, output, step.call)
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "the processes of every task that exists are told",
    reason: "a containerd that was restarted deletes tasks without processes",
    expected: onSteps(({ call, method, id, reply, present }, steps) => {
      if (
        method !== "Pids" || reply.code !== "FailedPrecondition" ||
        !present.has(id)
      ) return undefined;
      const started = steps.find((step) =>
        step.method === "Start" && step.id === id &&
        step.request.exec_id === undefined
      );
      const { pid } = objectOf(started?.reply.response);
      const info = {
        type_url: "containerd.runhcs.v1.ProcessDetails",
        decoded: { process_id: pid! },
      };
      return {
        ...call,
        reply: { response: { processes: [{ pid: pid!, info }] } },
      };
    }),
  },
  {
    set: "trace",
    ours: "a container that could not be started has ended with status 1",
    reason: "the peer goes on to call it created, with no status",
    expected: (judged) => {
      const { input, output } = judged;
      const failed = failedStarts(input, output);
      if (failed.size === 0) return undefined;
      const changed = onSteps(({ call, method, id, reply }) => {
        const response = objectOf(reply.response);
        const isTold = method === "State" || method === "Delete";
        if (!failed.has(id) || !isTold || reply.response === undefined) {
          return undefined;
        }
        const status = method === "State" ? { status: "STOPPED" } : {};
        return {
          ...call,
          reply: { response: { ...response, ...failedEnd, ...status } },
        };
      })(judged) ?? output;
      const events = Object.entries(objectOf(changed.events)).map((
        [id, list],
      ) =>
        [
          id,
          objectsOf(list).map((event) =>
            failed.has(id) && event.topic === "/tasks/delete"
              ? { ...event, ...failedEnd }
              : event
          ),
        ] as const
      );
      return { ...changed, events: Object.fromEntries(events) };
    },
  },
  {
    set: "trace",
    ours: "a container is deleted also when its pod's first one is gone",
    reason: "the peer finds it no more once the VM has ended",
    defect: "sandbox-first",
    expected: (judged) => {
      const { input, output } = judged;
      const lost = stepsOf(input, output).filter((step) =>
        isLost(step) && step.present.has(step.id)
      ).map(({ id }) => id);
      if (lost.length === 0) return undefined;
      const events: JsonObject = { ...objectOf(output.events) };
      for (const id of lost) {
        const list = objectsOf(events[id]);
        const exit = list.find((event) =>
          event.topic === "/tasks/exit" && event.id === id
        );
        events[id] = [...list, { ...exit, topic: "/tasks/delete" }];
      }
      const told = { ...output, events };
      return onSteps(({ call, id }, _steps, output) =>
        lost.includes(id) && isLost({ call })
          ? { ...call, reply: deleteReply(output, id) }
          : undefined
      )({ ...judged, output: told });
    },
  },
];
