/**
 * The sandbox service. Generated from
 * `schema/proto/containerd/runtime/sandbox/v1/sandbox.proto` by `deno task
 * codegen`; do not edit.
 *
 * @module
 */

import { Any, Timestamp } from "./any.gen.ts";
import { Metric, Mount, Platform } from "./types.gen.ts";
import { message, type MessageType, method, service } from "../message.ts";
import {
  readMessage,
  readStringEntry,
  skipField,
  writeMessage,
  writeStringMap,
} from "../wire.ts";

/** Creates a sandbox: its VM, not yet started. */
export interface CreateSandboxRequest {
  sandboxId: string;
  bundlePath: string;
  rootfs: Mount[];
  /**
   * containerd.runhcs.v1.Options, runtime.v1.PodSandboxConfig, or anything else,
   * which is ignored.
   */
  options?: Any;
  netnsPath: string;
  annotations: Record<string, string>;
}

/** Codec of {@linkcode CreateSandboxRequest}. */
export const CreateSandboxRequest: MessageType<CreateSandboxRequest> = message(
  "containerd.runtime.sandbox.v1.CreateSandboxRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
      if (value.bundlePath) writer.uint32(18).string(value.bundlePath);
      for (const item of value.rootfs ?? []) {
        writeMessage(writer, 26, Mount, item);
      }
      if (value.options) writeMessage(writer, 34, Any, value.options);
      if (value.netnsPath) writer.uint32(42).string(value.netnsPath);
      writeStringMap(writer, 50, value.annotations);
    },
    read(reader) {
      const value: CreateSandboxRequest = {
        sandboxId: "",
        bundlePath: "",
        rootfs: [],
        netnsPath: "",
        annotations: {},
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          case 18:
            value.bundlePath = reader.string();
            break;
          case 26:
            value.rootfs.push(readMessage(reader, Mount));
            break;
          case 34:
            value.options = readMessage(reader, Any);
            break;
          case 42:
            value.netnsPath = reader.string();
            break;
          case 50:
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

/** Created. */
export type CreateSandboxResponse = Record<never, never>;

/** Codec of {@linkcode CreateSandboxResponse}. */
export const CreateSandboxResponse: MessageType<CreateSandboxResponse> =
  message("containerd.runtime.sandbox.v1.CreateSandboxResponse", {
    write() {
    },
    read(reader) {
      const value: CreateSandboxResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  });

/** Starts a sandbox. */
export interface StartSandboxRequest {
  sandboxId: string;
}

/** Codec of {@linkcode StartSandboxRequest}. */
export const StartSandboxRequest: MessageType<StartSandboxRequest> = message(
  "containerd.runtime.sandbox.v1.StartSandboxRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: StartSandboxRequest = { sandboxId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** It runs. */
export interface StartSandboxResponse {
  pid: number;
  createdAt?: Timestamp;
  spec?: Any;
}

/** Codec of {@linkcode StartSandboxResponse}. */
export const StartSandboxResponse: MessageType<StartSandboxResponse> = message(
  "containerd.runtime.sandbox.v1.StartSandboxResponse",
  {
    write(value, writer) {
      if (value.pid) writer.uint32(8).uint32(value.pid);
      if (value.createdAt) writeMessage(writer, 18, Timestamp, value.createdAt);
      if (value.spec) writeMessage(writer, 26, Any, value.spec);
    },
    read(reader) {
      const value: StartSandboxResponse = { pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.pid = reader.uint32();
            break;
          case 18:
            value.createdAt = readMessage(reader, Timestamp);
            break;
          case 26:
            value.spec = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks for the platform of the containers of a sandbox. */
export interface PlatformRequest {
  sandboxId: string;
}

/** Codec of {@linkcode PlatformRequest}. */
export const PlatformRequest: MessageType<PlatformRequest> = message(
  "containerd.runtime.sandbox.v1.PlatformRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: PlatformRequest = { sandboxId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Platform of the containers of a sandbox. */
export interface PlatformResponse {
  platform?: Platform;
}

/** Codec of {@linkcode PlatformResponse}. */
export const PlatformResponse: MessageType<PlatformResponse> = message(
  "containerd.runtime.sandbox.v1.PlatformResponse",
  {
    write(value, writer) {
      if (value.platform) writeMessage(writer, 10, Platform, value.platform);
    },
    read(reader) {
      const value: PlatformResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.platform = readMessage(reader, Platform);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Stops a sandbox; idempotent. */
export interface StopSandboxRequest {
  sandboxId: string;
  /** Seconds; 0 is the default of the shim. */
  timeoutSecs: number;
}

/** Codec of {@linkcode StopSandboxRequest}. */
export const StopSandboxRequest: MessageType<StopSandboxRequest> = message(
  "containerd.runtime.sandbox.v1.StopSandboxRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
      if (value.timeoutSecs) writer.uint32(16).uint32(value.timeoutSecs);
    },
    read(reader) {
      const value: StopSandboxRequest = { sandboxId: "", timeoutSecs: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          case 16:
            value.timeoutSecs = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Stopped. */
export type StopSandboxResponse = Record<never, never>;

/** Codec of {@linkcode StopSandboxResponse}. */
export const StopSandboxResponse: MessageType<StopSandboxResponse> = message(
  "containerd.runtime.sandbox.v1.StopSandboxResponse",
  {
    write() {
    },
    read(reader) {
      const value: StopSandboxResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** Changes a sandbox. */
export interface UpdateSandboxRequest {
  sandboxId: string;
  resources?: Any;
  annotations: Record<string, string>;
}

/** Codec of {@linkcode UpdateSandboxRequest}. */
export const UpdateSandboxRequest: MessageType<UpdateSandboxRequest> = message(
  "containerd.runtime.sandbox.v1.UpdateSandboxRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
      if (value.resources) writeMessage(writer, 18, Any, value.resources);
      writeStringMap(writer, 26, value.annotations);
    },
    read(reader) {
      const value: UpdateSandboxRequest = { sandboxId: "", annotations: {} };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          case 18:
            value.resources = readMessage(reader, Any);
            break;
          case 26:
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

/** Waits for the end of a sandbox. */
export interface WaitSandboxRequest {
  sandboxId: string;
}

/** Codec of {@linkcode WaitSandboxRequest}. */
export const WaitSandboxRequest: MessageType<WaitSandboxRequest> = message(
  "containerd.runtime.sandbox.v1.WaitSandboxRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: WaitSandboxRequest = { sandboxId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** How it ended. */
export interface WaitSandboxResponse {
  exitStatus: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode WaitSandboxResponse}. */
export const WaitSandboxResponse: MessageType<WaitSandboxResponse> = message(
  "containerd.runtime.sandbox.v1.WaitSandboxResponse",
  {
    write(value, writer) {
      if (value.exitStatus) writer.uint32(8).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 18, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: WaitSandboxResponse = { exitStatus: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.exitStatus = reader.uint32();
            break;
          case 18:
            value.exitedAt = readMessage(reader, Timestamp);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Changed. */
export type UpdateSandboxResponse = Record<never, never>;

/** Codec of {@linkcode UpdateSandboxResponse}. */
export const UpdateSandboxResponse: MessageType<UpdateSandboxResponse> =
  message("containerd.runtime.sandbox.v1.UpdateSandboxResponse", {
    write() {
    },
    read(reader) {
      const value: UpdateSandboxResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  });

/** Asks for the status of a sandbox. */
export interface SandboxStatusRequest {
  sandboxId: string;
  verbose: boolean;
}

/** Codec of {@linkcode SandboxStatusRequest}. */
export const SandboxStatusRequest: MessageType<SandboxStatusRequest> = message(
  "containerd.runtime.sandbox.v1.SandboxStatusRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
      if (value.verbose) writer.uint32(16).bool(value.verbose);
    },
    read(reader) {
      const value: SandboxStatusRequest = { sandboxId: "", verbose: false };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          case 16:
            value.verbose = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Status of a sandbox. */
export interface SandboxStatusResponse {
  sandboxId: string;
  pid: number;
  /** `SANDBOX_READY` or `SANDBOX_NOTREADY`. */
  state: string;
  /** Filled when the request was verbose. */
  info: Record<string, string>;
  createdAt?: Timestamp;
  exitedAt?: Timestamp;
  extra?: Any;
}

/** Codec of {@linkcode SandboxStatusResponse}. */
export const SandboxStatusResponse: MessageType<SandboxStatusResponse> =
  message("containerd.runtime.sandbox.v1.SandboxStatusResponse", {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
      if (value.pid) writer.uint32(16).uint32(value.pid);
      if (value.state) writer.uint32(26).string(value.state);
      writeStringMap(writer, 34, value.info);
      if (value.createdAt) writeMessage(writer, 42, Timestamp, value.createdAt);
      if (value.exitedAt) writeMessage(writer, 50, Timestamp, value.exitedAt);
      if (value.extra) writeMessage(writer, 58, Any, value.extra);
    },
    read(reader) {
      const value: SandboxStatusResponse = {
        sandboxId: "",
        pid: 0,
        state: "",
        info: {},
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          case 16:
            value.pid = reader.uint32();
            break;
          case 26:
            value.state = reader.string();
            break;
          case 34:
            readStringEntry(reader, value.info);
            break;
          case 42:
            value.createdAt = readMessage(reader, Timestamp);
            break;
          case 50:
            value.exitedAt = readMessage(reader, Timestamp);
            break;
          case 58:
            value.extra = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Asks for a sign of life. */
export interface PingRequest {
  sandboxId: string;
}

/** Codec of {@linkcode PingRequest}. */
export const PingRequest: MessageType<PingRequest> = message(
  "containerd.runtime.sandbox.v1.PingRequest",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: PingRequest = { sandboxId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Alive. */
export type PingResponse = Record<never, never>;

/** Codec of {@linkcode PingResponse}. */
export const PingResponse: MessageType<PingResponse> = message(
  "containerd.runtime.sandbox.v1.PingResponse",
  {
    write() {
    },
    read(reader) {
      const value: PingResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** Ends the shim of a stopped sandbox. */
export interface ShutdownSandboxRequest {
  sandboxId: string;
}

/** Codec of {@linkcode ShutdownSandboxRequest}. */
export const ShutdownSandboxRequest: MessageType<ShutdownSandboxRequest> =
  message("containerd.runtime.sandbox.v1.ShutdownSandboxRequest", {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: ShutdownSandboxRequest = { sandboxId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** It will end. */
export type ShutdownSandboxResponse = Record<never, never>;

/** Codec of {@linkcode ShutdownSandboxResponse}. */
export const ShutdownSandboxResponse: MessageType<ShutdownSandboxResponse> =
  message("containerd.runtime.sandbox.v1.ShutdownSandboxResponse", {
    write() {
    },
    read(reader) {
      const value: ShutdownSandboxResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  });

/** Asks for the metrics of a sandbox. */
export interface SandboxMetricsRequest {
  sandboxId: string;
}

/** Codec of {@linkcode SandboxMetricsRequest}. */
export const SandboxMetricsRequest: MessageType<SandboxMetricsRequest> =
  message("containerd.runtime.sandbox.v1.SandboxMetricsRequest", {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: SandboxMetricsRequest = { sandboxId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Metrics of a sandbox. */
export interface SandboxMetricsResponse {
  metrics?: Metric;
}

/** Codec of {@linkcode SandboxMetricsResponse}. */
export const SandboxMetricsResponse: MessageType<SandboxMetricsResponse> =
  message("containerd.runtime.sandbox.v1.SandboxMetricsResponse", {
    write(value, writer) {
      if (value.metrics) writeMessage(writer, 10, Metric, value.metrics);
    },
    read(reader) {
      const value: SandboxMetricsResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.metrics = readMessage(reader, Metric);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/**
 * Sandboxes: here utility VMs. Service
 * `containerd.runtime.sandbox.v1.Sandbox`.
 */
export const Sandbox = service("containerd.runtime.sandbox.v1.Sandbox", {
  CreateSandbox: method(CreateSandboxRequest, CreateSandboxResponse),
  StartSandbox: method(StartSandboxRequest, StartSandboxResponse),
  Platform: method(PlatformRequest, PlatformResponse),
  StopSandbox: method(StopSandboxRequest, StopSandboxResponse),
  WaitSandbox: method(WaitSandboxRequest, WaitSandboxResponse),
  SandboxStatus: method(SandboxStatusRequest, SandboxStatusResponse),
  PingSandbox: method(PingRequest, PingResponse),
  ShutdownSandbox: method(ShutdownSandboxRequest, ShutdownSandboxResponse),
  SandboxMetrics: method(SandboxMetricsRequest, SandboxMetricsResponse),
});
