/**
 * Messages that all other packages share. Generated from
 * `schema/proto/google/protobuf/any.proto`,
 * `schema/proto/google/protobuf/timestamp.proto`,
 * `schema/proto/google/protobuf/duration.proto`,
 * `schema/proto/google/protobuf/empty.proto`,
 * `schema/proto/google/rpc/status.proto` by `deno task codegen`; do not edit.
 *
 * @module
 */

import { message, type MessageType } from "../message.ts";
import {
  readInt64,
  readMessage,
  skipField,
  writeInt64,
  writeMessage,
} from "../wire.ts";

/** A message of any type. */
export interface Any {
  /** Full name, sometimes with a prefix that ends in a slash. */
  typeUrl: string;
  /**
   * Encoded as the type says; JSON for types under
   * types.containerd.io/opencontainers.
   */
  value: Uint8Array;
}

/** Codec of {@linkcode Any}. */
export const Any: MessageType<Any> = message("google.protobuf.Any", {
  write(value, writer) {
    if (value.typeUrl) writer.uint32(10).string(value.typeUrl);
    if (value.value?.length) writer.uint32(18).bytes(value.value);
  },
  read(reader) {
    const value: Any = { typeUrl: "", value: new Uint8Array() };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.typeUrl = reader.string();
          break;
        case 18:
          value.value = reader.bytes();
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** A point in time. */
export interface Timestamp {
  /** Seconds since 1970. */
  seconds: bigint;
  /** Nanoseconds, not negative. */
  nanos: number;
}

/** Codec of {@linkcode Timestamp}. */
export const Timestamp: MessageType<Timestamp> = message(
  "google.protobuf.Timestamp",
  {
    write(value, writer) {
      if (value.seconds) writeInt64(writer.uint32(8), value.seconds);
      if (value.nanos) writer.uint32(16).int32(value.nanos);
    },
    read(reader) {
      const value: Timestamp = { seconds: 0n, nanos: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.seconds = readInt64(reader);
            break;
          case 16:
            value.nanos = reader.int32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A length of time. */
export interface Duration {
  seconds: bigint;
  /** Nanoseconds, of the same sign as the seconds. */
  nanos: number;
}

/** Codec of {@linkcode Duration}. */
export const Duration: MessageType<Duration> = message(
  "google.protobuf.Duration",
  {
    write(value, writer) {
      if (value.seconds) writeInt64(writer.uint32(8), value.seconds);
      if (value.nanos) writer.uint32(16).int32(value.nanos);
    },
    read(reader) {
      const value: Duration = { seconds: 0n, nanos: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.seconds = readInt64(reader);
            break;
          case 16:
            value.nanos = reader.int32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Nothing. */
export type Empty = Record<never, never>;

/** Codec of {@linkcode Empty}. */
export const Empty: MessageType<Empty> = message("google.protobuf.Empty", {
  write() {
  },
  read(reader) {
    const value: Empty = {};
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      skipField(reader, tag);
    }
    return value;
  },
});

/** Outcome of a call. */
export interface RpcStatus {
  /** gRPC status code; 0 is success. */
  code: number;
  /** Text of the error, for people. */
  message: string;
  /** Further facts; neither side adds or reads any. */
  details: Any[];
}

/** Codec of {@linkcode RpcStatus}. */
export const RpcStatus: MessageType<RpcStatus> = message("google.rpc.Status", {
  write(value, writer) {
    if (value.code) writer.uint32(8).int32(value.code);
    if (value.message) writer.uint32(18).string(value.message);
    for (const item of value.details ?? []) {
      writeMessage(writer, 26, Any, item);
    }
  },
  read(reader) {
    const value: RpcStatus = { code: 0, message: "", details: [] };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 8:
          value.code = reader.int32();
          break;
        case 18:
          value.message = reader.string();
          break;
        case 26:
          value.details.push(readMessage(reader, Any));
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});
