/**
 * The diagnosis service. Generated from
 * `schema/proto/containerd/runhcs/v1/diag/shimdiag.proto` by `deno task
 * codegen`; do not edit.
 *
 * @module
 */

import { message, type MessageType, method, service } from "../message.ts";
import { readMessage, skipField, writeMessage } from "../wire.ts";

/** Runs a process in the VM itself. */
export interface ExecProcessRequest {
  args: string[];
  workdir: string;
  terminal: boolean;
  stdin: string;
  stdout: string;
  stderr: string;
}

/** Codec of {@linkcode ExecProcessRequest}. */
export const ExecProcessRequest: MessageType<ExecProcessRequest> = message(
  "containerd.runhcs.v1.diag.ExecProcessRequest",
  {
    write(value, writer) {
      for (const item of value.args ?? []) writer.uint32(10).string(item);
      if (value.workdir) writer.uint32(18).string(value.workdir);
      if (value.terminal) writer.uint32(24).bool(value.terminal);
      if (value.stdin) writer.uint32(34).string(value.stdin);
      if (value.stdout) writer.uint32(42).string(value.stdout);
      if (value.stderr) writer.uint32(50).string(value.stderr);
    },
    read(reader) {
      const value: ExecProcessRequest = {
        args: [],
        workdir: "",
        terminal: false,
        stdin: "",
        stdout: "",
        stderr: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.args.push(reader.string());
            break;
          case 18:
            value.workdir = reader.string();
            break;
          case 24:
            value.terminal = reader.bool();
            break;
          case 34:
            value.stdin = reader.string();
            break;
          case 42:
            value.stdout = reader.string();
            break;
          case 50:
            value.stderr = reader.string();
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
export interface ExecProcessResponse {
  exitCode: number;
}

/** Codec of {@linkcode ExecProcessResponse}. */
export const ExecProcessResponse: MessageType<ExecProcessResponse> = message(
  "containerd.runhcs.v1.diag.ExecProcessResponse",
  {
    write(value, writer) {
      if (value.exitCode) writer.uint32(8).int32(value.exitCode);
    },
    read(reader) {
      const value: ExecProcessResponse = { exitCode: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.exitCode = reader.int32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks what shim and guest are doing. */
export type StacksRequest = Record<never, never>;

/** Codec of {@linkcode StacksRequest}. */
export const StacksRequest: MessageType<StacksRequest> = message(
  "containerd.runhcs.v1.diag.StacksRequest",
  {
    write() {
    },
    read(reader) {
      const value: StacksRequest = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** What shim and guest are doing. */
export interface StacksResponse {
  stacks: string;
  guestStacks: string;
}

/** Codec of {@linkcode StacksResponse}. */
export const StacksResponse: MessageType<StacksResponse> = message(
  "containerd.runhcs.v1.diag.StacksResponse",
  {
    write(value, writer) {
      if (value.stacks) writer.uint32(10).string(value.stacks);
      if (value.guestStacks) writer.uint32(18).string(value.guestStacks);
    },
    read(reader) {
      const value: StacksResponse = { stacks: "", guestStacks: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.stacks = reader.string();
            break;
          case 18:
            value.guestStacks = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Shares a directory of the host with the VM. */
export interface ShareRequest {
  hostPath: string;
  uvmPath: string;
  readOnly: boolean;
}

/** Codec of {@linkcode ShareRequest}. */
export const ShareRequest: MessageType<ShareRequest> = message(
  "containerd.runhcs.v1.diag.ShareRequest",
  {
    write(value, writer) {
      if (value.hostPath) writer.uint32(10).string(value.hostPath);
      if (value.uvmPath) writer.uint32(18).string(value.uvmPath);
      if (value.readOnly) writer.uint32(24).bool(value.readOnly);
    },
    read(reader) {
      const value: ShareRequest = {
        hostPath: "",
        uvmPath: "",
        readOnly: false,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.hostPath = reader.string();
            break;
          case 18:
            value.uvmPath = reader.string();
            break;
          case 24:
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

/** Shared. */
export type ShareResponse = Record<never, never>;

/** Codec of {@linkcode ShareResponse}. */
export const ShareResponse: MessageType<ShareResponse> = message(
  "containerd.runhcs.v1.diag.ShareResponse",
  {
    write() {
    },
    read(reader) {
      const value: ShareResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** Asks for the pid of the shim. */
export type PidRequest = Record<never, never>;

/** Codec of {@linkcode PidRequest}. */
export const PidRequest: MessageType<PidRequest> = message(
  "containerd.runhcs.v1.diag.PidRequest",
  {
    write() {
    },
    read(reader) {
      const value: PidRequest = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** The pid of the shim. */
export interface PidResponse {
  pid: number;
}

/** Codec of {@linkcode PidResponse}. */
export const PidResponse: MessageType<PidResponse> = message(
  "containerd.runhcs.v1.diag.PidResponse",
  {
    write(value, writer) {
      if (value.pid) writer.uint32(8).int32(value.pid);
    },
    read(reader) {
      const value: PidResponse = { pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.pid = reader.int32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks for the tasks of the shim. */
export interface TasksRequest {
  execs: boolean;
}

/** Codec of {@linkcode TasksRequest}. */
export const TasksRequest: MessageType<TasksRequest> = message(
  "containerd.runhcs.v1.diag.TasksRequest",
  {
    write(value, writer) {
      if (value.execs) writer.uint32(8).bool(value.execs);
    },
    read(reader) {
      const value: TasksRequest = { execs: false };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.execs = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task. */
export interface Task {
  id: string;
  execs: Exec[];
}

/** Codec of {@linkcode Task}. */
export const Task: MessageType<Task> = message(
  "containerd.runhcs.v1.diag.Task",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      for (const item of value.execs ?? []) {
        writeMessage(writer, 18, Exec, item);
      }
    },
    read(reader) {
      const value: Task = { id: "", execs: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.execs.push(readMessage(reader, Exec));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** An exec of a task. */
export interface Exec {
  id: string;
  state: string;
}

/** Codec of {@linkcode Exec}. */
export const Exec: MessageType<Exec> = message(
  "containerd.runhcs.v1.diag.Exec",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.state) writer.uint32(18).string(value.state);
    },
    read(reader) {
      const value: Exec = { id: "", state: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.state = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** The tasks of the shim. */
export interface TasksResponse {
  tasks: Task[];
}

/** Codec of {@linkcode TasksResponse}. */
export const TasksResponse: MessageType<TasksResponse> = message(
  "containerd.runhcs.v1.diag.TasksResponse",
  {
    write(value, writer) {
      for (const item of value.tasks ?? []) {
        writeMessage(writer, 10, Task, item);
      }
    },
    read(reader) {
      const value: TasksResponse = { tasks: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.tasks.push(readMessage(reader, Task));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Diagnosis of a running shim. Service `containerd.runhcs.v1.diag.ShimDiag`. */
export const ShimDiag = service("containerd.runhcs.v1.diag.ShimDiag", {
  DiagExecInHost: method(ExecProcessRequest, ExecProcessResponse),
  DiagStacks: method(StacksRequest, StacksResponse),
  DiagTasks: method(TasksRequest, TasksResponse),
  DiagShare: method(ShareRequest, ShareResponse),
  DiagPid: method(PidRequest, PidResponse),
});
