/**
 * Rows of the table of deviations about the shim's side of traces.
 *
 * @module
 */

import { formatJson, type JsonObject } from "../../base/json.ts";
import { vmAnnotations } from "../../oci/annotations.ts";
import type { Deviation, Judged } from "./deviation.ts";
import { objectOf, objectsOf, textOf, without } from "./json.ts";
import { shimPid } from "./trace_messages.ts";

/** The calls of the clients of a trace, by their numbers. */
export function clientCalls(trace: JsonObject): Map<number, JsonObject> {
  return new Map(
    objectsOf(trace.events).filter(({ log, kind }) =>
      log === "ttrpc" && kind === "call"
    ).map((call) => [Number(call.seq), call]),
  );
}

/** Applies a rule to the calls; undefined where it says nothing of any. */
export function onCalls(
  rule: (call: JsonObject, judged: Judged) => JsonObject | undefined,
): NonNullable<Deviation["expected"]> {
  return (judged) => {
    const { output } = judged;
    const calls = objectsOf(output.calls);
    const changed = calls.map((call) => rule(call, judged));
    if (changed.every((call) => call === undefined)) return undefined;
    return {
      ...output,
      calls: calls.map((call, index) => changed[index] ?? call),
    };
  };
}

/** A call whose successful reply has these members, too. */
function answering(call: JsonObject, more: JsonObject): JsonObject | undefined {
  const reply = objectOf(call.reply);
  if (reply.response === undefined) return undefined;
  const response = { ...more, ...objectOf(reply.response) };
  return { ...call, reply: { ...reply, response } };
}

const tellsPid: ReadonlySet<string> = new Set([
  "StartSandbox",
  "SandboxStatus",
]);

const endTopics: ReadonlySet<string> = new Set([
  "/tasks/exit",
  "/tasks/delete",
]);

/** Options of a sandbox that become annotations of its containers. */
const annotationOf: Readonly<Record<string, string>> = {
  boot_files_root_path: vmAnnotations.bootFilesRootPath,
  vm_processor_count: vmAnnotations.processorCount,
  vm_memory_size_in_mb: vmAnnotations.memorySizeInMb,
};

/** The annotations that the options of a sandbox become. */
function optionAnnotations(trace: JsonObject): JsonObject {
  const created = [...clientCalls(trace).values()].find(({ method }) =>
    method === "CreateSandbox"
  );
  const { decoded } = objectOf(objectOf(created?.request).options);
  return Object.fromEntries(
    Object.entries(objectOf(decoded))
      .filter(([name]) => name in annotationOf)
      .map(([name, value]) => [annotationOf[name]!, String(value)]),
  );
}

function withAnnotations(request: JsonObject, more: JsonObject): JsonObject {
  const document = objectOf(request.ContainerConfig);
  const spec = objectOf(document.OciSpecification);
  const annotations = { ...more, ...objectOf(spec.annotations) };
  const OciSpecification = { ...spec, annotations };
  return { ...request, ContainerConfig: { ...document, OciSpecification } };
}

/** The bundle of the container that a call is about. */
function bundleOf(trace: JsonObject, { seq }: JsonObject): string {
  const calls = clientCalls(trace);
  const { id } = objectOf(calls.get(Number(seq))?.request);
  const created = [...calls.values()].find(({ method, request }) =>
    method === "Create" && objectOf(request).id === id
  );
  return textOf(objectOf(created?.request).bundle);
}

/** True when a call before this one has started the VM. */
function hasStarted({ output }: Judged, { seq }: JsonObject): boolean {
  return objectsOf(output.calls).some(({ method, reply, seq: other }) =>
    method === "StartSandbox" && Number(other) < Number(seq) &&
    objectOf(reply).response !== undefined
  );
}

/** What the peer says of a type that it does not know. */
const unknownType = /^(.*type with url \S+): not found$/;

/** The events of a container; one that never ran has an exit, too. */
function withExit(events: JsonObject[]): JsonObject[] {
  const deleted = events.findIndex(({ topic, id, container_id }) =>
    topic === "/tasks/delete" && (id ?? container_id) === container_id
  );
  const hasExit = events.slice(0, deleted).some(({ topic, id, container_id }) =>
    topic === "/tasks/exit" && (id ?? container_id) === container_id
  );
  if (deleted < 0 || hasExit || events[deleted]!.exit_status === undefined) {
    return events;
  }
  const exit = { ...events[deleted], topic: "/tasks/exit" };
  return events.toSpliced(deleted, 0, exit);
}

/** The events of a container; an exec that never ran ends with it. */
function withExecExits(events: JsonObject[]): JsonObject[] {
  const hasEvent = (name: string, exec: JsonObject): boolean =>
    events.some(({ topic, id, exec_id }) =>
      topic === `/tasks/${name}` && (exec_id ?? id) === exec.exec_id
    );
  const added = events.filter((event) =>
    event.topic === "/tasks/exec-added" && !hasEvent("exec-started", event) &&
    !hasEvent("exit", event) && !hasEvent("delete", event)
  );
  const end = events.findIndex(({ topic, id, container_id }) =>
    topic === "/tasks/exit" && (id ?? container_id) === container_id
  );
  if (end < 0 || added.length === 0) return events;
  const exits = added.map(({ container_id, exec_id }) => ({
    topic: "/tasks/exit",
    container_id: container_id!,
    id: exec_id!,
    exit_status: 1,
    exited_at: events[end]!.exited_at!,
  }));
  return events.toSpliced(end, 0, ...exits);
}

/** Applies a rule to the events of all containers. */
function onEvents(
  rule: (events: JsonObject[]) => JsonObject[],
): NonNullable<Deviation["expected"]> {
  return ({ output }) => {
    const lists = Object.entries(objectOf(output.events));
    const changed = lists.map(([id, events]) =>
      [id, rule(objectsOf(events))] as const
    );
    const before = formatJson(output.events ?? null);
    const events: JsonObject = Object.fromEntries(changed);
    return output.events === undefined || formatJson(events) === before
      ? undefined
      : { ...output, events };
  };
}

/** See the module. */
export const traceDeviations: readonly Deviation[] = [
  {
    set: "trace",
    ours: "a sandbox tells the process id of its shim",
    reason: "containerd keeps it; the peer leaves the member out",
    expected: onCalls((call) =>
      tellsPid.has(textOf(call.method))
        ? answering(call, { pid: shimPid })
        : undefined
    ),
  },
  {
    set: "trace",
    ours: "the state of an exec names the bundle of its container",
    reason: "containerd asks for it; the peer leaves the member out",
    expected: onCalls((call, { input }) => {
      const { exec_id } = objectOf(objectOf(call.reply).response);
      return call.method === "State" && exec_id !== undefined
        ? answering(call, { bundle: bundleOf(input, call) })
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a container is created with the options of its sandbox",
    reason:
      "containerd sends them with every create of a task; the recorder's client only with the sandbox",
    expected: onCalls((call, { input }) => {
      const annotations = optionAnnotations(input);
      const requests = objectsOf(call.guest);
      if (!requests.some(({ name }) => name === "Create")) return undefined;
      const guest = requests.map((request) =>
        request.name === "Create"
          ? withAnnotations(request, annotations)
          : request
      );
      return { ...call, guest };
    }),
  },
  {
    set: "trace",
    ours: "the end of a process is told with its id, which init has, too",
    reason: "containerd finds the process by it; the peer leaves init's out",
    expected: onEvents((events) =>
      events.map((event) =>
        endTopics.has(textOf(event.topic)) && event.id === undefined
          ? { ...event, id: event.container_id! }
          : event
      )
    ),
  },
  {
    set: "trace",
    ours: "the end of a container that was killed before it ran is told",
    reason: "who knows of its creation waits for its exit",
    expected: onEvents(withExit),
  },
  {
    set: "trace",
    ours: "an exec that has not run ends with its container, which is told",
    reason: "who knows of it waits for its exit; the peer says nothing",
    expected: onEvents(withExecExits),
  },
  {
    set: "trace",
    ours: "a container that has ended is not started in the guest",
    reason: "the peer asks the guest before it looks at its own state",
    expected: onCalls((call) => {
      const { code } = objectOf(call.reply);
      const names = objectsOf(call.guest).map(({ name }) => name).join();
      return call.method === "Start" && code === "FailedPrecondition" &&
          names === "Start"
        ? { ...call, guest: [] }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a VM whose start failed has no time of its start",
    reason: "it never ran",
    expected: onCalls((call, judged) => {
      const reply = objectOf(call.reply);
      const response = objectOf(reply.response);
      if (
        call.method !== "SandboxStatus" || response.created_at === undefined ||
        hasStarted(judged, call)
      ) return undefined;
      return {
        ...call,
        reply: { ...reply, response: without(response, "created_at") },
      };
    }),
  },
  {
    set: "trace",
    ours: "a verbose status names process and state",
    reason: "the peer answers every status alike",
    expected: onCalls((call, { input }) => {
      const { request } = objectOf(clientCalls(input).get(Number(call.seq)));
      const { state } = objectOf(objectOf(call.reply).response);
      return objectOf(request).verbose === true && state === "SANDBOX_READY"
        ? answering(call, { info: { pid: String(Deno.pid), state: "Running" } })
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a container that the guest never heard of is not deleted there",
    reason: "the peer asks for it whenever a create fails",
    expected: onCalls((call) => {
      const requests = objectsOf(call.guest);
      const names = requests.map(({ name }) => name);
      const isNews = call.method === "Create" && !names.includes("Create") &&
        names.includes("DeleteContainerState");
      return isNews
        ? {
          ...call,
          guest: requests.filter(({ name }) => name !== "DeleteContainerState"),
        }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "resources of an unknown type are an invalid argument",
    reason: "nothing that has an id was not found",
    expected: onCalls((call) => {
      const reply = objectOf(call.reply);
      const [, text] = unknownType.exec(textOf(reply.error)) ?? [];
      return call.method === "Update" && text !== undefined
        ? { ...call, reply: { ...reply, error: text } }
        : undefined;
    }),
  },
  {
    set: "trace",
    ours: "a stream is a named pipe, and nothing else",
    reason: "the peer starts programs for streams, and names their scheme",
    expected: onCalls((call) => {
      const reply = objectOf(call.reply);
      const error = textOf(reply.error);
      const own = error.replace("scheme must be 'binary', got", "scheme");
      return own === error
        ? undefined
        : { ...call, reply: { ...reply, error: own } };
    }),
  },
];
