/**
 * The layout of recorded exchanges with a guest agent: JSON texts are objects,
 * process ids have names, errors are compared as errors are.
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
import { citedValues } from "./errors.ts";
import { objectOf, objectsOf, textOf, without } from "./json.ts";

const pidName = /^<pid-\d+>$/;

/** Applies a function to every member of a value. */
function mapMembers(
  value: Json,
  change: (value: Json, name: string) => Json,
): Json {
  if (Array.isArray(value)) {
    return value.map((member) => change(member, ""));
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map((
      [name, member],
    ) => [name, change(member!, name)]),
  );
}

/** The processes of one agent by the names that the recording gives them. */
export class ProcessNames {
  readonly #pids = new Map<string, number>();

  /** A payload as it is sent: names become ids, objects JSON texts. */
  toAgent(value: Json): Json {
    if (typeof value === "string") return this.#pids.get(value) ?? value;
    if (isJsonObject(value) && value.$json !== undefined) {
      return formatJson(this.toAgent(value.$json));
    }
    return mapMembers(value, (member) => this.toAgent(member));
  }

  /**
   * A payload in the layout of a recorded one. A process that the recording names
   * for the first time gets this name.
   */
  fromAgent(value: Json, recorded: Json | undefined): Json {
    if (typeof recorded === "string" && pidName.test(recorded)) {
      if (typeof value !== "number") return value;
      const known = this.#pids.get(recorded);
      if (known === undefined) this.#pids.set(recorded, value);
      return known === undefined || known === value ? recorded : value;
    }
    if (isJsonObject(recorded) && recorded.$json !== undefined) {
      if (typeof value !== "string") return value;
      return { $json: this.fromAgent(parseJson(value), recorded.$json) };
    }
    const template = Array.isArray(value)
      ? (index: string) => (recorded as Json[] | undefined)?.[Number(index)]
      : (name: string) => objectOf(recorded)[name];
    if (Array.isArray(value)) {
      return value.map((member, index) =>
        this.fromAgent(member, template(String(index)))
      );
    }
    return mapMembers(
      value,
      (member, name) => this.fromAgent(member, template(name)),
    );
  }
}

/** What a record tells beside the message: its place in the source is ours. */
function recordOf(record: JsonObject, message: string): JsonObject {
  const { Result, ModuleName, Message, FileName, Line } = record;
  return {
    Result: Result!,
    ModuleName: ModuleName!,
    hasOwnMessage: Message !== message,
    isPlaced: FileName !== undefined && Line !== undefined,
  };
}

/** The peer repeats a whole message that it cannot read; what counts follows. */
const repeatedMessage = /^failed to unmarshal JSON in message ".*": /s;

/** The values that a message of the peer is about. */
function valuesOf(payload: JsonObject): string[] {
  return citedValues(textOf(payload.ErrorMessage).replace(repeatedMessage, ""));
}

/**
 * An answer ready for a comparison: an error is its code and the values that its
 * message repeats, stacks only are there.
 */
function judged(payload: JsonObject, values: readonly string[]): JsonObject {
  const { ErrorMessage, ErrorRecords, GuestStacks } = payload;
  const rest = without(payload, "ErrorMessage", "ErrorRecords", "GuestStacks");
  if (GuestStacks !== undefined) rest.hasStacks = GuestStacks !== "";
  if (ErrorMessage === undefined) return rest;
  const message = textOf(ErrorMessage);
  return {
    ...rest,
    values: values.filter((value) => message.includes(value)),
    records: objectsOf(ErrorRecords).map((record) => recordOf(record, message)),
  };
}

/** A recorded answer, ready for a comparison. */
export function recordedAnswer(payload: JsonObject): JsonObject {
  return judged(payload, valuesOf(payload));
}

/** An answer of our agent, ready for a comparison with the recorded one. */
export function ourAnswer(
  payload: JsonObject,
  recorded: Json | undefined,
): JsonObject {
  return judged(payload, valuesOf(objectOf(recorded)));
}
