/**
 * Types that several services share. Generated from
 * `schema/proto/containerd/types/event.proto`,
 * `schema/proto/containerd/types/mount.proto`,
 * `schema/proto/containerd/types/platform.proto`,
 * `schema/proto/containerd/types/metrics.proto` by `deno task codegen`; do not
 * edit.
 *
 * @module
 */

import { Any, Timestamp } from "./any.gen.ts";
import { message, type MessageType } from "../message.ts";
import {
  readMessage,
  readStringEntry,
  skipField,
  writeMessage,
  writeStringMap,
} from "../wire.ts";

/** An event on its way. */
export interface Envelope {
  timestamp?: Timestamp;
  namespace: string;
  /** For example `/tasks/exit`. */
  topic: string;
  /** For example containerd.events.TaskExit. */
  event?: Any;
}

/** Codec of {@linkcode Envelope}. */
export const Envelope: MessageType<Envelope> = message(
  "containerd.types.Envelope",
  {
    write(value, writer) {
      if (value.timestamp) writeMessage(writer, 10, Timestamp, value.timestamp);
      if (value.namespace) writer.uint32(18).string(value.namespace);
      if (value.topic) writer.uint32(26).string(value.topic);
      if (value.event) writeMessage(writer, 34, Any, value.event);
    },
    read(reader) {
      const value: Envelope = { namespace: "", topic: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.timestamp = readMessage(reader, Timestamp);
            break;
          case 18:
            value.namespace = reader.string();
            break;
          case 26:
            value.topic = reader.string();
            break;
          case 34:
            value.event = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A mount of a root file system. */
export interface Mount {
  type: string;
  source: string;
  target: string;
  options: string[];
}

/** Codec of {@linkcode Mount}. */
export const Mount: MessageType<Mount> = message("containerd.types.Mount", {
  write(value, writer) {
    if (value.type) writer.uint32(10).string(value.type);
    if (value.source) writer.uint32(18).string(value.source);
    if (value.target) writer.uint32(26).string(value.target);
    for (const item of value.options ?? []) writer.uint32(34).string(item);
  },
  read(reader) {
    const value: Mount = { type: "", source: "", target: "", options: [] };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.type = reader.string();
          break;
        case 18:
          value.source = reader.string();
          break;
        case 26:
          value.target = reader.string();
          break;
        case 34:
          value.options.push(reader.string());
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/** A mount that is in place. */
export interface ActiveMount {
  mount?: Mount;
  mountedAt?: Timestamp;
  mountPoint: string;
  data: Record<string, string>;
}

/** Codec of {@linkcode ActiveMount}. */
export const ActiveMount: MessageType<ActiveMount> = message(
  "containerd.types.ActiveMount",
  {
    write(value, writer) {
      if (value.mount) writeMessage(writer, 10, Mount, value.mount);
      if (value.mountedAt) writeMessage(writer, 18, Timestamp, value.mountedAt);
      if (value.mountPoint) writer.uint32(26).string(value.mountPoint);
      writeStringMap(writer, 34, value.data);
    },
    read(reader) {
      const value: ActiveMount = { mountPoint: "", data: {} };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.mount = readMessage(reader, Mount);
            break;
          case 18:
            value.mountedAt = readMessage(reader, Timestamp);
            break;
          case 26:
            value.mountPoint = reader.string();
            break;
          case 34:
            readStringEntry(reader, value.data);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Mounts that were put in place together. */
export interface ActivationInfo {
  name: string;
  active: ActiveMount[];
  system: Mount[];
  labels: Record<string, string>;
}

/** Codec of {@linkcode ActivationInfo}. */
export const ActivationInfo: MessageType<ActivationInfo> = message(
  "containerd.types.ActivationInfo",
  {
    write(value, writer) {
      if (value.name) writer.uint32(10).string(value.name);
      for (const item of value.active ?? []) {
        writeMessage(writer, 18, ActiveMount, item);
      }
      for (const item of value.system ?? []) {
        writeMessage(writer, 26, Mount, item);
      }
      writeStringMap(writer, 34, value.labels);
    },
    read(reader) {
      const value: ActivationInfo = {
        name: "",
        active: [],
        system: [],
        labels: {},
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.name = reader.string();
            break;
          case 18:
            value.active.push(readMessage(reader, ActiveMount));
            break;
          case 26:
            value.system.push(readMessage(reader, Mount));
            break;
          case 34:
            readStringEntry(reader, value.labels);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Where a container can run. */
export interface Platform {
  os: string;
  architecture: string;
  variant: string;
  osVersion: string;
  osFeatures: string[];
}

/** Codec of {@linkcode Platform}. */
export const Platform: MessageType<Platform> = message(
  "containerd.types.Platform",
  {
    write(value, writer) {
      if (value.os) writer.uint32(10).string(value.os);
      if (value.architecture) writer.uint32(18).string(value.architecture);
      if (value.variant) writer.uint32(26).string(value.variant);
      if (value.osVersion) writer.uint32(34).string(value.osVersion);
      for (const item of value.osFeatures ?? []) writer.uint32(42).string(item);
    },
    read(reader) {
      const value: Platform = {
        os: "",
        architecture: "",
        variant: "",
        osVersion: "",
        osFeatures: [],
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.os = reader.string();
            break;
          case 18:
            value.architecture = reader.string();
            break;
          case 26:
            value.variant = reader.string();
            break;
          case 34:
            value.osVersion = reader.string();
            break;
          case 42:
            value.osFeatures.push(reader.string());
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Metrics at one moment. */
export interface Metric {
  timestamp?: Timestamp;
  id: string;
  data?: Any;
}

/** Codec of {@linkcode Metric}. */
export const Metric: MessageType<Metric> = message("containerd.types.Metric", {
  write(value, writer) {
    if (value.timestamp) writeMessage(writer, 10, Timestamp, value.timestamp);
    if (value.id) writer.uint32(18).string(value.id);
    if (value.data) writeMessage(writer, 26, Any, value.data);
  },
  read(reader) {
    const value: Metric = { id: "" };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.timestamp = readMessage(reader, Timestamp);
          break;
        case 18:
          value.id = reader.string();
          break;
        case 26:
          value.data = readMessage(reader, Any);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});
