/**
 * Messages of the services as a trace shows them: members by their protobuf names,
 * unset ones absent, an `Any` as `{type_url, decoded}`.
 *
 * @module
 */

import { formatJson, type Json, type JsonObject } from "../../base/json.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import * as events from "../../ttrpc/api/events.gen.ts";
import * as options from "../../ttrpc/api/runhcs_options.gen.ts";
import * as statistics from "../../ttrpc/api/runhcs_stats.gen.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import type { MessageType } from "../../ttrpc/message.ts";
import { textOf } from "./json.ts";

/** Stands for a time that is set. */
export const someTime = "<time>";

/** Stands for the process id of the shim. */
export const shimPid = "<shim-pid>";

type AnyMessage = MessageType<Record<string, unknown>>;

/** The types that an `Any` of a trace may hold, by name. */
const types: ReadonlyMap<string, AnyMessage> = new Map(
  [events, options, statistics].flatMap((module) =>
    Object.values(module as unknown as Record<string, AnyMessage>)
      .filter(({ typeName }) => typeName !== undefined)
      .map((type) => [type.typeName, type] as const)
  ),
);

/** Maps: an empty one is as good as none. */
const isMap = new Set([
  "annotations",
  "default_container_annotations",
  "labels",
  "info",
]);

/** Maps whose keys stay as they are. */
const isData = new Set(["annotations", "labels"]);

function camel(name: string): string {
  return name.replace(
    /_([a-z])/g,
    (_, letter: string) => letter.toUpperCase(),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** An `Any` as it is sent. */
function packAny(value: JsonObject): Any {
  const typeUrl = textOf(value.type_url);
  const type = types.get(typeUrl);
  if (typeof value.base64 === "string") {
    return { typeUrl, value: Uint8Array.fromBase64(value.base64) };
  }
  const content = value.decoded ?? value.json ?? null;
  const bytes = type === undefined
    ? new TextEncoder().encode(formatJson(content))
    : type.encode(messageOf(content) as Record<string, unknown>);
  return { typeUrl, value: bytes };
}

/** A message for the codecs, from its recorded form. */
export function messageOf(value: Json): unknown {
  if (Array.isArray(value)) return value.map(messageOf);
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  if (object.type_url !== undefined) return packAny(object);
  return Object.fromEntries(
    Object.entries(object).map(([name, member]) => [
      camel(name),
      isData.has(name) ? member : messageOf(member!),
    ]),
  );
}

function isTime(value: object): boolean {
  return Object.keys(value).sort().join() === "nanos,seconds";
}

/** An `Any` as it is recorded. */
function unpackAny({ typeUrl, value }: Any): Json {
  const type = types.get(typeUrl);
  return {
    type_url: typeUrl,
    ...(type === undefined
      ? { base64: value.toBase64() }
      : { decoded: recordedMessage(type.decode(value)) ?? {} }),
  };
}

/** Members whose number has a name, by their own name. */
const named: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  status: TaskStatus,
};

function recordedNumber(name: string, value: number): Json {
  if (value === Deno.pid && /pid$/.test(name)) return shimPid;
  const names = Object.entries(named[name] ?? {});
  return names.find(([, number]) => number === value)?.[0] ?? value;
}

/**
 * A message in the form of the recordings.
 *
 * @param value A message or a part of one.
 * @param name Name of the member that holds it.
 * @returns Undefined for what counts as unset.
 */
export function recordedMessage(value: unknown, name = ""): Json | undefined {
  switch (typeof value) {
    case "number":
      return value === 0 ? undefined : recordedNumber(name, value);
    case "bigint":
      return value === 0n ? undefined : value;
    case "string":
      return value === "" ? undefined : value;
    case "boolean":
      return value || undefined;
    case "object":
      return value === null ? undefined : recordedObject(value, name);
    default:
      return undefined;
  }
}

function recordedObject(value: object, name: string): Json | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return value.map((item) => recordedMessage(item) ?? {});
  }
  if (isTime(value)) return someTime;
  if ("typeUrl" in value) return unpackAny(value as Any);
  const members = Object.entries(value).map(([name, member]) =>
    [snake(name), recordedMessage(member, snake(name))] as const
  ).filter((pair): pair is [string, Json] => pair[1] !== undefined);
  return isMap.has(name) && members.length === 0
    ? undefined
    : Object.fromEntries(members);
}
