/**
 * What `-info` reads and prints. Generated from
 * `schema/proto/containerd/types/introspection.proto` by `deno task codegen`;
 * do not edit.
 *
 * @module
 */

import { Any } from "./any.gen.ts";
import { message, type MessageType } from "../message.ts";
import {
  readMessage,
  readStringEntry,
  skipField,
  writeMessage,
  writeStringMap,
} from "../wire.ts";

/** Standard input of `-info`. */
export interface RuntimeRequest {
  runtimePath: string;
  options?: Any;
}

/** Codec of {@linkcode RuntimeRequest}. */
export const RuntimeRequest: MessageType<RuntimeRequest> = message(
  "containerd.types.RuntimeRequest",
  {
    write(value, writer) {
      if (value.runtimePath) writer.uint32(10).string(value.runtimePath);
      if (value.options) writeMessage(writer, 18, Any, value.options);
    },
    read(reader) {
      const value: RuntimeRequest = { runtimePath: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.runtimePath = reader.string();
            break;
          case 18:
            value.options = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Version of a runtime. */
export interface RuntimeVersion {
  version: string;
  revision: string;
}

/** Codec of {@linkcode RuntimeVersion}. */
export const RuntimeVersion: MessageType<RuntimeVersion> = message(
  "containerd.types.RuntimeVersion",
  {
    write(value, writer) {
      if (value.version) writer.uint32(10).string(value.version);
      if (value.revision) writer.uint32(18).string(value.revision);
    },
    read(reader) {
      const value: RuntimeVersion = { version: "", revision: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.version = reader.string();
            break;
          case 18:
            value.revision = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** What `-info` prints. */
export interface RuntimeInfo {
  name: string;
  version?: RuntimeVersion;
  options?: Any;
  features?: Any;
  annotations: Record<string, string>;
}

/** Codec of {@linkcode RuntimeInfo}. */
export const RuntimeInfo: MessageType<RuntimeInfo> = message(
  "containerd.types.RuntimeInfo",
  {
    write(value, writer) {
      if (value.name) writer.uint32(10).string(value.name);
      if (value.version) {
        writeMessage(writer, 18, RuntimeVersion, value.version);
      }
      if (value.options) writeMessage(writer, 26, Any, value.options);
      if (value.features) writeMessage(writer, 34, Any, value.features);
      writeStringMap(writer, 42, value.annotations);
    },
    read(reader) {
      const value: RuntimeInfo = { name: "", annotations: {} };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.name = reader.string();
            break;
          case 18:
            value.version = readMessage(reader, RuntimeVersion);
            break;
          case 26:
            value.options = readMessage(reader, Any);
            break;
          case 34:
            value.features = readMessage(reader, Any);
            break;
          case 42:
            readStringEntry(reader, value.annotations);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
