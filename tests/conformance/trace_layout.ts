/**
 * A trace, recorded or ours, laid out for the comparison: what each call of a
 * client answered and asked of host and guest, and the events of each container.
 *
 * @module
 */

import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import { objectOf, objectsOf, textOf, without } from "./json.ts";
import { layOutTogether } from "./trace_together.ts";
import { leftAfterUndo } from "./trace_undo.ts";

/** Requests to the host that count; the others only read or wait. */
const hostRequests: Readonly<Record<string, string>> = {
  HcsCreateComputeSystem: "create",
  HcsModifyComputeSystem: "modify",
  GrantVmAccess: "grant",
};

/** Times that are not set. */
const unset: ReadonlySet<Json> = new Set(["<unset-go-time>", "<zero-time>"]);

function fromText(text: string): Json {
  if (!text.startsWith("{")) return text;
  try {
    return unpacked(parseJson(text));
  } catch {
    return text;
  }
}

/** A value without texts that hold JSON, and without unset times. */
export function unpacked(value: Json): Json {
  if (typeof value === "string") return fromText(value);
  if (Array.isArray(value)) return value.map(unpacked);
  if (!isJsonObject(value)) return value;
  if (value.$json !== undefined) return unpacked(value.$json);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !unset.has(member!))
      .map(([name, member]) => [name, unpacked(member!)]),
  );
}

/** A request to the guest without what identifies the message. */
export function guestRequest({ name, payload }: JsonObject): JsonObject {
  const request = without(objectOf(unpacked(payload!)), "ActivityId", "otsc");
  // The peer writes options that are not there as null.
  const own = request.Options === null ? without(request, "Options") : request;
  const type = textOf(name).replace(/^Request\((.*)\)$/, "$1");
  return { name: type, ...own };
}

function hostRequest({ fn, args }: JsonObject): JsonObject {
  const call = hostRequests[textOf(fn)]!;
  return { call, ...objectOf(unpacked(args!)) };
}

/** Numbers random identifiers anew, by their first appearance. */
function renumbered(value: JsonObject): JsonObject {
  const numbers = new Map<string, string>();
  const text = formatJson(value).replace(/<guid-\d+>/g, (found) => {
    const known = numbers.get(found) ?? `<guid-${numbers.size}>`;
    numbers.set(found, known);
    return known;
  });
  return parseJson(text) as JsonObject;
}

/** Numbers shares anew, by their first appearance: their names are never used again. */
function withShareNumbers(
  value: Json,
  numbers = new Map<string, string>(),
): Json {
  const numberOf = (name: string): string => {
    const known = numbers.get(name) ?? String(numbers.size);
    numbers.set(name, known);
    return known;
  };
  if (typeof value === "string") {
    return value.replace(
      /^(\/run\/mounts\/plan9\/)(\d+)/,
      (_, folder: string, name: string) => folder + numberOf(name),
    );
  }
  if (Array.isArray(value)) {
    return value.map((item) => withShareNumbers(item, numbers));
  }
  if (!isJsonObject(value)) return value;
  const isShare = value.AccessName !== undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isName = name === "ShareName" || name === "AccessName" ||
        (name === "Name" && isShare);
      return [
        name,
        isName ? numberOf(textOf(member)) : withShareNumbers(member!, numbers),
      ];
    }),
  );
}

/** The reply of a call that failed only because of the recorder's machine. */
const artefact = "artefact";

/** What one call did. */
interface Call {
  readonly seq: number;
  readonly method: string;
  reply: Json;
  host: JsonObject[];
  guest: JsonObject[];
  /** How the container was deleted that only we have created. */
  undone?: JsonObject;
}

/** The host's stacks are for people, and the order of tasks is free. */
function ordered(response: JsonObject): JsonObject {
  const { stacks, tasks } = response;
  return {
    ...response,
    ...(stacks === undefined ? {} : { stacks: "<host-stacks>" }),
    ...(tasks === undefined ? {} : {
      tasks: objectsOf(tasks).sort((a, b) =>
        textOf(a.id) < textOf(b.id) ? -1 : 1
      ),
    }),
  };
}

function replyOf(
  { response, error, environmentArtefact }: JsonObject,
): Json {
  if (environmentArtefact === true) return artefact;
  if (error === undefined) {
    return { response: ordered(objectOf(unpacked(response!))) };
  }
  const { code, message } = objectOf(error);
  return { error: { code: code!, message: message! } };
}

/** Collects the parts of a trace. */
class Layout {
  readonly calls: Call[] = [];
  readonly #events = new Map<string, Json[]>();
  readonly #waits = new Set<string>();
  #hasVmEnded = false;
  /** The container that is deleted because only we have created it. */
  #undoing = "";

  add(event: JsonObject): void {
    const { log, kind, dir } = event;
    if (log === "ttrpc") this.#addMessage(textOf(kind), event);
    if (log === "host" && event.event === "SystemExited") {
      this.#hasVmEnded = true;
    }
    // A VM that has ended is asked for nothing more.
    if (
      log === "host" && textOf(event.fn) in hostRequests && !this.#hasVmEnded
    ) {
      this.calls.at(-1)?.host.push(hostRequest(event));
    }
    if (log === "bridge" && dir === "host->guest") this.#addRequest(event);
    if (log === "undo") this.#undoing = textOf(event.id);
    if (log === "undone") this.#addUndone(event);
  }

  /** The create and its undo become one step, which has left nothing. */
  #addUndone(event: JsonObject): void {
    const call = this.calls.find(({ seq }) => seq === Number(event.seq))!;
    const { host, guest } = call;
    const all = this.#events.get(this.#undoing) ?? [];
    const start = all.findLastIndex((event) =>
      objectOf(event).topic === "/tasks/create"
    );
    const events = start < 0 ? [] : all.splice(start);
    if (all.length === 0) this.#events.delete(this.#undoing);
    call.undone = {
      reply: replyOf(event),
      wasCreated: guest.some(({ name }) => name === "Create"),
      left: leftAfterUndo(host, guest),
      events: events.map((event) => objectOf(event).topic!),
    };
    [call.host, call.guest] = [[], []];
  }

  #addMessage(kind: string, event: JsonObject): void {
    const { seq, method } = event;
    if (kind === "call") {
      this.calls.push({
        seq: Number(seq),
        method: textOf(method),
        reply: "none",
        host: [],
        guest: [],
      });
    } else if (kind === "reply") {
      const call = this.calls.find((call) => call.seq === Number(seq));
      if (call !== undefined) call.reply = replyOf(event);
    } else this.#addEvent(event);
  }

  #addEvent({ topic, event }: JsonObject): void {
    const decoded = objectOf(unpacked(objectOf(event).decoded!));
    const id = textOf(decoded.container_id);
    const events = this.#events.get(id) ?? [];
    this.#events.set(id, events);
    events.push({ topic: topic!, ...decoded });
  }

  /** When a process is waited for is free. */
  #addRequest(frame: JsonObject): void {
    const request = guestRequest(frame);
    if (request.name === "NegotiateProtocol") return;
    if (request.name === "WaitForProcess") {
      this.#waits.add(formatJson(without(request, "name")));
    } else this.calls.at(-1)?.guest.push(request);
  }

  get result(): JsonObject {
    return withShareNumbers(renumbered({
      calls: this.calls.map((call) => ({ ...call })),
      events: Object.fromEntries(this.#events),
      waits: [...this.#waits].sort().map((text) => parseJson(text)),
    })) as JsonObject;
  }
}

/** Lays a list of events out. */
export function layOutTrace(events: Json | undefined): JsonObject {
  const layout = new Layout();
  for (const event of objectsOf(events)) layout.add(event);
  return layout.result;
}

/** Names of classes that differ. */
const classNames: Readonly<Record<string, string>> = {
  Unimplemented: "NotImplemented",
};

/**
 * The recorded reply as ours is compared: an error is its class, when the peer
 * gave one, and its text.
 */
function expectedReply(reply: JsonObject, ours: JsonObject): JsonObject {
  if (reply.error === undefined) return reply;
  const { code, message } = objectOf(reply.error);
  const own = objectOf(ours.error).code;
  const name = textOf(code);
  const isOpen = name === "Unknown" || name === "transport";
  return {
    code: isOpen && own !== undefined ? own : classNames[name] ?? name,
    error: message!,
  };
}

/** A guest that says only "it failed" leaves the class open. */
const unclassified = /\bE_FAIL \(0x80004005\)/;

/** Our reply with its class beside the error. */
function ownReply(reply: Json): Json {
  const error = objectOf(objectOf(reply).error);
  if (error.code === undefined) return reply;
  const isOpen = unclassified.test(textOf(error.message));
  const code = isOpen ? "Unclassified" : error.code;
  return { code, error: { ...error, code } };
}

/**
 * Ours, for the comparison with what was recorded.
 *
 * @param events What happened.
 * @param groups Numbers of the calls that overlap.
 */
export function layOutOwn(
  events: Json,
  groups: readonly (readonly number[])[] = [],
): JsonObject {
  const layout = layOutTrace(events);
  const calls = objectsOf(layout.calls).map((call) => ({
    ...call,
    reply: ownReply(call.reply!),
  }));
  return layOutTogether({ ...layout, calls }, groups);
}

/** The recorded trace, for the comparison with ours. */
export function layOutShim(
  events: Json | undefined,
  ours: JsonObject,
): JsonObject {
  const layout = layOutTrace(events);
  const own = objectsOf(ours.calls);
  const calls = objectsOf(layout.calls).map((call, index) => ({
    ...call,
    reply: call.reply === artefact
      ? own[index]?.reply ?? artefact
      : isJsonObject(call.reply)
      ? expectedReply(call.reply, objectOf(own[index]?.reply))
      : call.reply!,
  }));
  return { ...layout, calls };
}
