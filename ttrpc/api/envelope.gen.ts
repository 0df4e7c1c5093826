/**
 * The envelope of every ttrpc call. Generated from
 * `schema/proto/ttrpc/envelope.proto` by `deno task codegen`; do not edit.
 *
 * @module
 */

import { RpcStatus } from "./any.gen.ts";
import { message, type MessageType } from "../message.ts";
import {
  readInt64,
  readMessage,
  skipField,
  writeInt64,
  writeMessage,
} from "../wire.ts";

/** Opens a call. */
export interface Request {
  service: string;
  method: string;
  payload: Uint8Array;
  /** Nanoseconds that are left for the call; 0 is no limit. */
  timeoutNano: bigint;
  metadata: KeyValue[];
}

/** Codec of {@linkcode Request}. */
export const Request: MessageType<Request> = message("ttrpc.Request", {
  write(value, writer) {
    if (value.service) writer.uint32(10).string(value.service);
    if (value.method) writer.uint32(18).string(value.method);
    if (value.payload?.length) writer.uint32(26).bytes(value.payload);
    if (value.timeoutNano) writeInt64(writer.uint32(32), value.timeoutNano);
    for (const item of value.metadata ?? []) {
      writeMessage(writer, 42, KeyValue, item);
    }
  },
  read(reader) {
    const value: Request = {
      service: "",
      method: "",
      payload: new Uint8Array(),
      timeoutNano: 0n,
      metadata: [],
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.service = reader.string();
          break;
        case 18:
          value.method = reader.string();
          break;
        case 26:
          value.payload = reader.bytes();
          break;
        case 32:
          value.timeoutNano = readInt64(reader);
          break;
        case 42:
          value.metadata.push(readMessage(reader, KeyValue));
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** Answers a call. */
export interface Response {
  /** Absent on success. */
  status?: RpcStatus;
  payload: Uint8Array;
}

/** Codec of {@linkcode Response}. */
export const Response: MessageType<Response> = message("ttrpc.Response", {
  write(value, writer) {
    if (value.status) writeMessage(writer, 10, RpcStatus, value.status);
    if (value.payload?.length) writer.uint32(18).bytes(value.payload);
  },
  read(reader) {
    const value: Response = { payload: new Uint8Array() };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.status = readMessage(reader, RpcStatus);
          break;
        case 18:
          value.payload = reader.bytes();
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** One value of one metadata key; a key with several values is repeated. */
export interface KeyValue {
  key: string;
  value: string;
}

/** Codec of {@linkcode KeyValue}. */
export const KeyValue: MessageType<KeyValue> = message("ttrpc.KeyValue", {
  write(value, writer) {
    if (value.key) writer.uint32(10).string(value.key);
    if (value.value) writer.uint32(18).string(value.value);
  },
  read(reader) {
    const value: KeyValue = { key: "", value: "" };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.key = reader.string();
          break;
        case 18:
          value.value = reader.string();
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});
