/**
 * How containerd 2.3 and later starts a shim. Generated from
 * `schema/proto/containerd/runtime/bootstrap/v1/bootstrap.proto` by `deno task
 * codegen`; do not edit.
 *
 * @module
 */

import { Any } from "./any.gen.ts";
import { message, type MessageType } from "../message.ts";
import {
  readMessage,
  readPacked,
  readStringEntry,
  skipField,
  writeMessage,
  writePacked,
  writeStringMap,
} from "../wire.ts";

/** What containerd 2.3 and later writes to the standard input of `start`. */
export interface BootstrapParams {
  instanceId: string;
  namespace: string;
  /** Negative for more than INFO. */
  logLevel: LogLevel;
  containerdVersion: string;
  containerdTtrpcAddress: string;
  containerdGrpcAddress: string;
  containerdBinary: string;
  extensions: Extension[];
  socketDir?: string;
}

/** Codec of {@linkcode BootstrapParams}. */
export const BootstrapParams: MessageType<BootstrapParams> = message(
  "containerd.runtime.bootstrap.v1.BootstrapParams",
  {
    write(value, writer) {
      if (value.instanceId) writer.uint32(10).string(value.instanceId);
      if (value.namespace) writer.uint32(18).string(value.namespace);
      if (value.logLevel) writer.uint32(24).int32(value.logLevel);
      if (value.containerdVersion) {
        writer.uint32(34).string(
          value.containerdVersion,
        );
      }
      if (value.containerdTtrpcAddress) {
        writer.uint32(42).string(
          value.containerdTtrpcAddress,
        );
      }
      if (value.containerdGrpcAddress) {
        writer.uint32(50).string(
          value.containerdGrpcAddress,
        );
      }
      if (value.containerdBinary) {
        writer.uint32(58).string(
          value.containerdBinary,
        );
      }
      for (const item of value.extensions ?? []) {
        writeMessage(writer, 66, Extension, item);
      }
      if (value.socketDir !== undefined) {
        writer.uint32(74).string(
          value.socketDir,
        );
      }
    },
    read(reader) {
      const value: BootstrapParams = {
        instanceId: "",
        namespace: "",
        logLevel: 0,
        containerdVersion: "",
        containerdTtrpcAddress: "",
        containerdGrpcAddress: "",
        containerdBinary: "",
        extensions: [],
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.instanceId = reader.string();
            break;
          case 18:
            value.namespace = reader.string();
            break;
          case 24:
            value.logLevel = reader.int32();
            break;
          case 34:
            value.containerdVersion = reader.string();
            break;
          case 42:
            value.containerdTtrpcAddress = reader.string();
            break;
          case 50:
            value.containerdGrpcAddress = reader.string();
            break;
          case 58:
            value.containerdBinary = reader.string();
            break;
          case 66:
            value.extensions.push(readMessage(reader, Extension));
            break;
          case 74:
            value.socketDir = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** An option of the bootstrap. */
export interface Extension {
  value?: Any;
}

/** Codec of {@linkcode Extension}. */
export const Extension: MessageType<Extension> = message(
  "containerd.runtime.bootstrap.v1.Extension",
  {
    write(value, writer) {
      if (value.value) writeMessage(writer, 10, Any, value.value);
    },
    read(reader) {
      const value: Extension = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.value = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** What `start` prints. */
export interface BootstrapResult {
  version: number;
  address: string;
  /** `ttrpc` here. */
  protocol: string;
  capabilities: Capability[];
  metadata: Record<string, string>;
}

/** Codec of {@linkcode BootstrapResult}. */
export const BootstrapResult: MessageType<BootstrapResult> = message(
  "containerd.runtime.bootstrap.v1.BootstrapResult",
  {
    write(value, writer) {
      if (value.version) writer.uint32(8).int32(value.version);
      if (value.address) writer.uint32(18).string(value.address);
      if (value.protocol) writer.uint32(26).string(value.protocol);
      writePacked(writer, 34, value.capabilities, (writer, item) => {
        writer.int32(item);
      });
      writeStringMap(writer, 42, value.metadata);
    },
    read(reader) {
      const value: BootstrapResult = {
        version: 0,
        address: "",
        protocol: "",
        capabilities: [],
        metadata: {},
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.version = reader.int32();
            break;
          case 18:
            value.address = reader.string();
            break;
          case 26:
            value.protocol = reader.string();
            break;
          case 34:
            readPacked(reader, value.capabilities, (reader) => reader.int32());
            break;
          case 32:
            value.capabilities.push(reader.int32());
            break;
          case 42:
            readStringEntry(reader, value.metadata);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** How much to log. */
export const LogLevel = {
  LOG_LEVEL_INFO: 0,
  LOG_LEVEL_TRACE: -8,
  LOG_LEVEL_DEBUG: -4,
  LOG_LEVEL_WARN: 4,
  LOG_LEVEL_ERROR: 8,
  LOG_LEVEL_FATAL: 10,
  LOG_LEVEL_PANIC: 12,
} as const;

/** How much to log. Unknown numbers are kept. */
export type LogLevel = number;

/** What a shim can do beyond the protocol. */
export const Capability = {
  CAPABILITY_UNSPECIFIED: 0,
} as const;

/** What a shim can do beyond the protocol. Unknown numbers are kept. */
export type Capability = number;
