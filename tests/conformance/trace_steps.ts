/**
 * The calls of a trace one after another, with the containers that there are: what
 * rules of the table of deviations about containers go by.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { cri } from "../../oci/annotations.ts";
import type { Deviation } from "./deviation.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";

/** A call that is laid out, with what its client sent. */
export interface Step {
  /** What it did. */
  readonly call: JsonObject;
  /** Its method. */
  readonly method: string;
  /** What its client sent. */
  readonly request: JsonObject;
  /** The task that it is about. */
  readonly id: string;
  /** What it answered. */
  readonly reply: JsonObject;
  /** The specification in the bundle of the task at that time. */
  readonly spec: JsonObject;
  /** Containers that exist before it, with their pods. */
  readonly present: ReadonlyMap<string, string>;
  /** Containers whose create has failed before it. */
  readonly refused: ReadonlySet<string>;
  /** The guest is lost. */
  readonly isGuestLost: boolean;
}

/** What a client sent, and what was so at that time. */
interface Sent {
  readonly request: JsonObject;
  readonly spec: JsonObject;
  readonly isGuestLost: boolean;
}

function sentCalls(trace: JsonObject): Map<number, Sent> {
  const specs = new Map<string, JsonObject>();
  const sent = new Map<number, Sent>();
  let isGuestLost = false;
  for (const event of objectsOf(trace.events)) {
    const [, folder] = /^config\.json of (.*)$/.exec(textOf(event.name)) ?? [];
    if (folder !== undefined) specs.set(folder, objectOf(event.value));
    isGuestLost ||= event.event === "guest-dies";
    if (event.log !== "ttrpc" || event.kind !== "call") continue;
    const request = objectOf(event.request);
    const bundle = textOf(request.bundle).split("\\").at(-1)!;
    const spec = specs.get(bundle) ?? {};
    sent.set(Number(event.seq), { request, spec, isGuestLost });
  }
  return sent;
}

/** The pod that a specification names; else the container is one. */
function podOf(spec: JsonObject, id: string): string {
  const annotations = objectOf(spec.annotations);
  return textOf(annotations[cri.sandboxId]) || id;
}

/** The calls of a trace with the containers that there are. */
export function stepsOf(input: JsonObject, output: JsonObject): Step[] {
  const sent = sentCalls(input);
  let present: ReadonlyMap<string, string> = new Map();
  let refused: ReadonlySet<string> = new Set();
  return objectsOf(output.calls).map((call) => {
    const { request, spec, isGuestLost } = sent.get(Number(call.seq)) ??
      { request: {}, spec: {}, isGuestLost: false };
    const method = textOf(call.method);
    const id = textOf(request.id);
    const reply = objectOf(call.reply);
    const step = {
      call,
      method,
      request,
      id,
      reply,
      spec,
      present,
      refused,
      isGuestLost,
    };
    const isDone = reply.response !== undefined && call.undone === undefined;
    if (method === "Create" && isDone) {
      present = new Map([...present, [id, podOf(spec, id)]]);
    } else if (method === "Create") refused = new Set([...refused, id]);
    if (method === "Delete" && isDone && request.exec_id === undefined) {
      present = new Map([...present].filter(([other]) => other !== id));
    }
    return step;
  });
}

/** The other containers in the pod of one. */
export function othersInPod({ present, id }: Step): string[] {
  return [...present].filter(([other, pod]) =>
    other !== id && pod === present.get(id)
  ).map(([other]) => other);
}

/** Applies a rule to the calls; undefined where it says nothing of any. */
export function onSteps(
  rule: (
    step: Step,
    steps: readonly Step[],
    output: JsonObject,
  ) => JsonObject | undefined,
): NonNullable<Deviation["expected"]> {
  return ({ input, output }) => {
    const steps = stepsOf(input, output);
    const changed = steps.map((step) => rule(step, steps, output));
    if (changed.every((call) => call === undefined)) return undefined;
    const calls = steps.map(({ call }, index) => changed[index] ?? call);
    return { ...output, calls };
  };
}

/** The requests that take a pod's network down: those of its creation reversed. */
export function networkTeardown(
  created: JsonObject,
): { host: JsonObject[]; guest: JsonObject[] } {
  const host = objectsOf(created.host).filter(({ configuration }) =>
    textOf(objectOf(configuration).ResourcePath).includes("/NetworkAdapters/")
  ).map((request) => {
    const configuration = objectOf(request.configuration);
    return {
      ...request,
      configuration: { ...configuration, RequestType: "Remove" },
    };
  });
  const guest = objectsOf(created.guest).filter(({ Request }) =>
    objectOf(Request).ResourceType === "Network"
  ).map((request) => {
    const { NamespaceID, ID } = objectOf(objectOf(request.Request).Settings);
    const Request = {
      RequestType: "Remove",
      ResourceType: "Network",
      Settings: { NamespaceID: NamespaceID!, ID: ID! },
    };
    return { ...request, Request };
  });
  return { host, guest };
}
