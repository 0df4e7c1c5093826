/**
 * What `lcow` asks a running shim. Generated from
 * `schema/proto/lcow/operator/v1/operator.proto` by `deno task codegen`; do
 * not edit.
 *
 * @module
 */

import { Timestamp } from "./any.gen.ts";
import { message, type MessageType, method, service } from "../message.ts";
import { readMessage, skipField, writeMessage } from "../wire.ts";

/** Asks what a shim is and has. */
export type DescribeRequest = Record<never, never>;

/** Codec of {@linkcode DescribeRequest}. */
export const DescribeRequest: MessageType<DescribeRequest> = message(
  "lcow.operator.v1.DescribeRequest",
  {
    write() {
    },
    read(reader) {
      const value: DescribeRequest = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** What a shim is and has. */
export interface DescribeResponse {
  /** Version of the program. */
  version: string;
  /** Grows with every member or method that is added to this file. */
  apiLevel: number;
  pid: number;
  /** containerd's namespace. */
  namespace: string;
  /** Id of the group: of the pod's sandbox, or of the standalone container. */
  key: string;
  startedAt?: Timestamp;
  sandboxes: SandboxDescription[];
  tasks: TaskDescription[];
  calls: CallDescription[];
}

/** Codec of {@linkcode DescribeResponse}. */
export const DescribeResponse: MessageType<DescribeResponse> = message(
  "lcow.operator.v1.DescribeResponse",
  {
    write(value, writer) {
      if (value.version) writer.uint32(10).string(value.version);
      if (value.apiLevel) writer.uint32(16).uint32(value.apiLevel);
      if (value.pid) writer.uint32(24).uint32(value.pid);
      if (value.namespace) writer.uint32(34).string(value.namespace);
      if (value.key) writer.uint32(42).string(value.key);
      if (value.startedAt) writeMessage(writer, 50, Timestamp, value.startedAt);
      for (const item of value.sandboxes ?? []) {
        writeMessage(writer, 58, SandboxDescription, item);
      }
      for (const item of value.tasks ?? []) {
        writeMessage(writer, 66, TaskDescription, item);
      }
      for (const item of value.calls ?? []) {
        writeMessage(writer, 74, CallDescription, item);
      }
    },
    read(reader) {
      const value: DescribeResponse = {
        version: "",
        apiLevel: 0,
        pid: 0,
        namespace: "",
        key: "",
        sandboxes: [],
        tasks: [],
        calls: [],
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.version = reader.string();
            break;
          case 16:
            value.apiLevel = reader.uint32();
            break;
          case 24:
            value.pid = reader.uint32();
            break;
          case 34:
            value.namespace = reader.string();
            break;
          case 42:
            value.key = reader.string();
            break;
          case 50:
            value.startedAt = readMessage(reader, Timestamp);
            break;
          case 58:
            value.sandboxes.push(readMessage(reader, SandboxDescription));
            break;
          case 66:
            value.tasks.push(readMessage(reader, TaskDescription));
            break;
          case 74:
            value.calls.push(readMessage(reader, CallDescription));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A sandbox and its VM. */
export interface SandboxDescription {
  id: string;
  bundle: string;
  vmState: string;
  /** Id of the compute system. */
  systemId: string;
  /** GUID; empty before there is a VM. */
  runtimeId: string;
  /** Absent before the VM runs. */
  startedAt?: Timestamp;
  /** A task needed it; no CreateSandbox made it. */
  implicit: boolean;
  /** Ids. */
  pods: string[];
  guestCalls: GuestCallDescription[];
  /** Absent before the VM has ended. */
  endedAt?: Timestamp;
}

/** Codec of {@linkcode SandboxDescription}. */
export const SandboxDescription: MessageType<SandboxDescription> = message(
  "lcow.operator.v1.SandboxDescription",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.bundle) writer.uint32(18).string(value.bundle);
      if (value.vmState) writer.uint32(26).string(value.vmState);
      if (value.systemId) writer.uint32(34).string(value.systemId);
      if (value.runtimeId) writer.uint32(42).string(value.runtimeId);
      if (value.startedAt) writeMessage(writer, 50, Timestamp, value.startedAt);
      if (value.implicit) writer.uint32(56).bool(value.implicit);
      for (const item of value.pods ?? []) writer.uint32(66).string(item);
      for (const item of value.guestCalls ?? []) {
        writeMessage(writer, 74, GuestCallDescription, item);
      }
      if (value.endedAt) writeMessage(writer, 82, Timestamp, value.endedAt);
    },
    read(reader) {
      const value: SandboxDescription = {
        id: "",
        bundle: "",
        vmState: "",
        systemId: "",
        runtimeId: "",
        implicit: false,
        pods: [],
        guestCalls: [],
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.bundle = reader.string();
            break;
          case 26:
            value.vmState = reader.string();
            break;
          case 34:
            value.systemId = reader.string();
            break;
          case 42:
            value.runtimeId = reader.string();
            break;
          case 50:
            value.startedAt = readMessage(reader, Timestamp);
            break;
          case 56:
            value.implicit = reader.bool();
            break;
          case 66:
            value.pods.push(reader.string());
            break;
          case 74:
            value.guestCalls.push(readMessage(reader, GuestCallDescription));
            break;
          case 82:
            value.endedAt = readMessage(reader, Timestamp);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A request to the guest that is not answered yet. */
export interface GuestCallDescription {
  rpc: string;
  /** GUID of zeros for the VM itself. */
  containerId: string;
  since?: Timestamp;
}

/** Codec of {@linkcode GuestCallDescription}. */
export const GuestCallDescription: MessageType<GuestCallDescription> = message(
  "lcow.operator.v1.GuestCallDescription",
  {
    write(value, writer) {
      if (value.rpc) writer.uint32(10).string(value.rpc);
      if (value.containerId) writer.uint32(18).string(value.containerId);
      if (value.since) writeMessage(writer, 26, Timestamp, value.since);
    },
    read(reader) {
      const value: GuestCallDescription = { rpc: "", containerId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.rpc = reader.string();
            break;
          case 18:
            value.containerId = reader.string();
            break;
          case 26:
            value.since = readMessage(reader, Timestamp);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task of containerd. */
export interface TaskDescription {
  id: string;
  bundle: string;
  /** Empty until it has a place, as is `pod`. */
  sandbox: string;
  pod: string;
  /**
   * Role in the pod: sandbox, workload or standalone; empty until it has a
   * place.
   */
  kind: string;
  /** State of the container; `Creating` or `Gone` when there is none. */
  state: string;
  /** Absent when there is no container. */
  init?: ProcessDescription;
  execs: ProcessDescription[];
}

/** Codec of {@linkcode TaskDescription}. */
export const TaskDescription: MessageType<TaskDescription> = message(
  "lcow.operator.v1.TaskDescription",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.bundle) writer.uint32(18).string(value.bundle);
      if (value.sandbox) writer.uint32(26).string(value.sandbox);
      if (value.pod) writer.uint32(34).string(value.pod);
      if (value.kind) writer.uint32(42).string(value.kind);
      if (value.state) writer.uint32(50).string(value.state);
      if (value.init) writeMessage(writer, 58, ProcessDescription, value.init);
      for (const item of value.execs ?? []) {
        writeMessage(writer, 66, ProcessDescription, item);
      }
    },
    read(reader) {
      const value: TaskDescription = {
        id: "",
        bundle: "",
        sandbox: "",
        pod: "",
        kind: "",
        state: "",
        execs: [],
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.bundle = reader.string();
            break;
          case 26:
            value.sandbox = reader.string();
            break;
          case 34:
            value.pod = reader.string();
            break;
          case 42:
            value.kind = reader.string();
            break;
          case 50:
            value.state = reader.string();
            break;
          case 58:
            value.init = readMessage(reader, ProcessDescription);
            break;
          case 66:
            value.execs.push(readMessage(reader, ProcessDescription));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A process of a container. */
export interface ProcessDescription {
  /** Exec id; empty for init. */
  id: string;
  /** In the guest; 0 before it runs. */
  pid: number;
  /** In containerd's words, for example `RUNNING`. */
  status: string;
  /** Meaningful with `exited_at` only. */
  exitCode: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode ProcessDescription}. */
export const ProcessDescription: MessageType<ProcessDescription> = message(
  "lcow.operator.v1.ProcessDescription",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.pid) writer.uint32(16).uint32(value.pid);
      if (value.status) writer.uint32(26).string(value.status);
      if (value.exitCode) writer.uint32(32).uint32(value.exitCode);
      if (value.exitedAt) writeMessage(writer, 42, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: ProcessDescription = {
        id: "",
        pid: 0,
        status: "",
        exitCode: 0,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 16:
            value.pid = reader.uint32();
            break;
          case 26:
            value.status = reader.string();
            break;
          case 32:
            value.exitCode = reader.uint32();
            break;
          case 42:
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

/** A call of a client that is not answered yet. */
export interface CallDescription {
  service: string;
  method: string;
  /** Ids that the request names. */
  ids: string[];
  since?: Timestamp;
  /** Whether anybody waits for the answer still. */
  hasClient: boolean;
}

/** Codec of {@linkcode CallDescription}. */
export const CallDescription: MessageType<CallDescription> = message(
  "lcow.operator.v1.CallDescription",
  {
    write(value, writer) {
      if (value.service) writer.uint32(10).string(value.service);
      if (value.method) writer.uint32(18).string(value.method);
      for (const item of value.ids ?? []) writer.uint32(26).string(item);
      if (value.since) writeMessage(writer, 34, Timestamp, value.since);
      if (value.hasClient) writer.uint32(40).bool(value.hasClient);
    },
    read(reader) {
      const value: CallDescription = {
        service: "",
        method: "",
        ids: [],
        hasClient: false,
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
            value.ids.push(reader.string());
            break;
          case 34:
            value.since = readMessage(reader, Timestamp);
            break;
          case 40:
            value.hasClient = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Shares a directory or file of the host with the VM until its end. */
export interface ShareHostPathRequest {
  hostPath: string;
  readOnly: boolean;
}

/** Codec of {@linkcode ShareHostPathRequest}. */
export const ShareHostPathRequest: MessageType<ShareHostPathRequest> = message(
  "lcow.operator.v1.ShareHostPathRequest",
  {
    write(value, writer) {
      if (value.hostPath) writer.uint32(10).string(value.hostPath);
      if (value.readOnly) writer.uint32(16).bool(value.readOnly);
    },
    read(reader) {
      const value: ShareHostPathRequest = { hostPath: "", readOnly: false };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.hostPath = reader.string();
            break;
          case 16:
            value.readOnly = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Where it is. */
export interface ShareHostPathResponse {
  /** Path in the guest, which decides it. */
  guestPath: string;
}

/** Codec of {@linkcode ShareHostPathResponse}. */
export const ShareHostPathResponse: MessageType<ShareHostPathResponse> =
  message("lcow.operator.v1.ShareHostPathResponse", {
    write(value, writer) {
      if (value.guestPath) writer.uint32(10).string(value.guestPath);
    },
    read(reader) {
      const value: ShareHostPathResponse = { guestPath: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.guestPath = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Asks what a shim has counted. */
export type MetricsRequest = Record<never, never>;

/** Codec of {@linkcode MetricsRequest}. */
export const MetricsRequest: MessageType<MetricsRequest> = message(
  "lcow.operator.v1.MetricsRequest",
  {
    write() {
    },
    read(reader) {
      const value: MetricsRequest = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** What it has counted. */
export interface MetricsResponse {
  /** Prometheus text, exposition format 0.0.4. */
  text: string;
}

/** Codec of {@linkcode MetricsResponse}. */
export const MetricsResponse: MessageType<MetricsResponse> = message(
  "lcow.operator.v1.MetricsResponse",
  {
    write(value, writer) {
      if (value.text) writer.uint32(10).string(value.text);
    },
    read(reader) {
      const value: MetricsResponse = { text: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.text = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks what a shim and its guest are doing. */
export type ShimStacksRequest = Record<never, never>;

/** Codec of {@linkcode ShimStacksRequest}. */
export const ShimStacksRequest: MessageType<ShimStacksRequest> = message(
  "lcow.operator.v1.ShimStacksRequest",
  {
    write() {
    },
    read(reader) {
      const value: ShimStacksRequest = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** What they are doing. The shim's part is there whatever the guest does. */
export interface ShimStacksResponse {
  /** What the shim is doing, for people. */
  shim: string;
  /** What the guest is doing; empty when it cannot tell. */
  guest: string;
  /** Why the guest did not answer; empty when it did. */
  guestProblem: string;
}

/** Codec of {@linkcode ShimStacksResponse}. */
export const ShimStacksResponse: MessageType<ShimStacksResponse> = message(
  "lcow.operator.v1.ShimStacksResponse",
  {
    write(value, writer) {
      if (value.shim) writer.uint32(10).string(value.shim);
      if (value.guest) writer.uint32(18).string(value.guest);
      if (value.guestProblem) writer.uint32(26).string(value.guestProblem);
    },
    read(reader) {
      const value: ShimStacksResponse = {
        shim: "",
        guest: "",
        guestProblem: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.shim = reader.string();
            break;
          case 18:
            value.guest = reader.string();
            break;
          case 26:
            value.guestProblem = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/**
 * What `lcow` asks a running shim, beside containerd's services. A client must
 * expect servers of other versions: methods are unknown to older ones, members
 * that a newer one sends are ignored. Service `lcow.operator.v1.Operator`.
 */
export const Operator = service("lcow.operator.v1.Operator", {
  Describe: method(DescribeRequest, DescribeResponse),
  Share: method(ShareHostPathRequest, ShareHostPathResponse),
  Metrics: method(MetricsRequest, MetricsResponse),
  Stacks: method(ShimStacksRequest, ShimStacksResponse),
});
