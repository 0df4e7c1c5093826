/**
 * Rows of the table of deviations about traces in which a container, or the whole
 * guest, is lost.
 *
 * @module
 */

import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
} from "../../base/json.ts";
import type { Deviation, Judged } from "./deviation.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import { releaseOf } from "./trace_ledger.ts";
import { someTime } from "./trace_messages.ts";
import { onSteps, type Step, stepsOf } from "./trace_steps.ts";

const sigkill = 9;

/** How a process ends that was killed. */
const killedEnd = { exit_status: 137, exited_at: someTime };

/** The status of a process that runs, or whose end nobody has seen. */
const unknownStatus = 255;

/** A create that the peer refuses after it has touched a container of that id. */
function takesId({ call, method, id, reply, present }: Step): boolean {
  return method === "Create" && reply.error !== undefined && present.has(id) &&
    objectsOf(call.guest).length > 0;
}

/** What was so of a container before its id was taken. */
interface Taken {
  readonly bundle: string;
  readonly pid: JsonObject;
}

function takenOf(steps: readonly Step[]): Map<string, Taken> {
  const ids = steps.filter(takesId).map(({ id }) => id);
  return new Map(ids.map((id) => {
    const own = steps.filter((step) =>
      step.id === id && step.reply.response !== undefined &&
      step.request.exec_id === undefined
    );
    const created = own.find(({ method }) => method === "Create");
    const started = own.find(({ method }) => method === "Start");
    const { pid } = objectOf(started?.reply.response);
    return [id, {
      bundle: textOf(created?.request.bundle),
      pid: pid === undefined ? {} : { pid },
    }];
  }));
}

/** A call about a container whose id was taken: as if it had not been. */
function asBefore(
  step: Step,
  steps: readonly Step[],
  { bundle, pid }: Taken,
): JsonObject | undefined {
  const { call, id, method, request } = step;
  const before = steps.slice(0, steps.indexOf(step));
  const isKilled = before.some((other) =>
    other.method === "Kill" && other.id === id
  );
  const status = isKilled
    ? { status: "STOPPED", ...killedEnd }
    : { status: "RUNNING", exit_status: unknownStatus };
  switch (method) {
    case "State":
      return {
        ...call,
        reply: { response: { id, bundle, ...pid, ...status } },
      };
    case "Wait":
      return { ...call, reply: { response: killedEnd } };
    case "Kill":
      return {
        ...call,
        guest: [{
          name: "SignalProcess",
          ContainerId: id,
          ProcessId: pid.pid!,
          Options: { Signal: request.signal! },
        }],
      };
    case "Delete": {
      const { host, guest } = releaseOf(steps, step);
      const response = { ...pid, ...killedEnd };
      return {
        ...call,
        reply: { response },
        host: [...host],
        guest: [...guest],
      };
    }
  }
  return undefined;
}

/** The events of a container whose id was taken: it is killed, and deleted. */
function eventsAsBefore(events: readonly JsonObject[]): JsonObject[] {
  const ended = events.map((event) =>
    event.topic === "/tasks/exit" ? { ...event, ...killedEnd } : event
  );
  const exit = ended.find(({ topic }) => topic === "/tasks/exit");
  return exit === undefined
    ? ended
    : [...ended, { ...exit, topic: "/tasks/delete" }];
}

/** Containers whose id was taken, and which were killed and deleted later. */
function keepContainers({ input, output }: Judged): JsonObject | undefined {
  const steps = stepsOf(input, output);
  const taken = takenOf(steps);
  const isEnded = (id: string): boolean =>
    steps.some(({ method, request, ...step }) =>
      step.id === id && method === "Kill" && request.signal === sigkill
    );
  const ids = [...taken.keys()].filter(isEnded);
  if (ids.length === 0) return undefined;
  const calls = steps.map((step) => {
    const start = steps.findIndex((other) =>
      takesId(other) && other.id === step.id
    );
    const isLater = start >= 0 && steps.indexOf(step) > start;
    return isLater && ids.includes(step.id)
      ? asBefore(step, steps, taken.get(step.id)!) ?? step.call
      : step.call;
  });
  const events = Object.entries(objectOf(output.events)).map(([id, list]) =>
    [id, ids.includes(id) ? eventsAsBefore(objectsOf(list)) : list!] as const
  );
  return { ...output, calls, events: Object.fromEntries(events) };
}

/** The requests that take back what a failed create has given to the VM. */
function takenBack({ call }: Step): JsonObject[] {
  const host = objectsOf(call.host).filter(({ configuration }) =>
    configuration !== undefined
  );
  const isEnded = ({ configuration }: JsonObject): boolean =>
    host.some((other) => {
      const { ResourcePath, RequestType } = objectOf(other.configuration);
      return RequestType === "Remove" &&
        ResourcePath === objectOf(configuration).ResourcePath;
    });
  return host.filter((request) => !isEnded(request)).map((request) => {
    const { ResourcePath } = objectOf(request.configuration);
    return {
      ...request,
      configuration: { ResourcePath: ResourcePath!, RequestType: "Remove" },
    };
  });
}

/** Rows that see what the peer asked for, so that they stand first. */
export const traceTakenDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours:
      "a container stays what it was when another pod's create repeats its id",
    reason:
      "the peer loses it: it can be neither reached nor deleted, and never ends",
    defect: "repeated-id",
    expected: keepContainers,
  },
];

/** With this the peer tells that nobody has seen the end of a process. */
const lostStatus = 0xffff_ffff;

/** A value in which such a process has containerd's status for it. */
function withKnownStatus(value: Json): Json {
  if (Array.isArray(value)) return value.map(withKnownStatus);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) =>
      name === "exit_status" && member === lostStatus
        ? [name, unknownStatus]
        : [name, withKnownStatus(member!)]
    ),
  );
}

/** See the module; they stand behind the rows about pods. */
export const traceLostDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours: "a process whose end nobody has seen has exit status 255",
    reason: "containerd's constant for it; the peer's -1 is no exit status",
    defect: "lost-status",
    expected: ({ output }) => {
      const told = {
        events: output.events ?? null,
        calls: objectsOf(output.calls).map(({ reply }) => reply ?? null),
      };
      if (!formatJson(told).includes(`"exit_status":${lostStatus}`)) {
        return undefined;
      }
      const calls = objectsOf(output.calls).map((call) => ({
        ...call,
        reply: withKnownStatus(call.reply!),
      }));
      return { ...output, calls, events: withKnownStatus(output.events!) };
    },
  },
  {
    set: "trace",
    ours: "devices of a VM whose guest is lost are taken from it",
    reason: "their files stay locked otherwise; the guest is asked no more",
    expected: onSteps((step, steps) => {
      const { call, method, request, reply, isGuestLost } = step;
      if (!isGuestLost || request.exec_id !== undefined) return undefined;
      const own = objectsOf(call.host);
      if (method === "Create" && reply.error !== undefined) {
        return { ...call, host: [...own, ...takenBack(step)] };
      }
      if (method !== "Delete" || reply.response === undefined) return undefined;
      const { host } = releaseOf(steps, step);
      return { ...call, host: [...host, ...own], guest: [] };
    }),
  },
];
