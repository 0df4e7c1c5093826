/**
 * Types of the task service. Generated from
 * `schema/proto/containerd/v1/types/task.proto` by `deno task codegen`; do not
 * edit.
 *
 * @module
 */

import { Any, Timestamp } from "./any.gen.ts";
import { message, type MessageType } from "../message.ts";
import { readMessage, skipField, writeMessage } from "../wire.ts";

/** State of a process. */
export const TaskStatus = {
  UNKNOWN: 0,
  CREATED: 1,
  RUNNING: 2,
  STOPPED: 3,
  PAUSED: 4,
  PAUSING: 5,
} as const;

/** State of a process. Unknown numbers are kept. */
export type TaskStatus = number;

/** A process of a task. */
export interface Process {
  containerId: string;
  id: string;
  pid: number;
  status: TaskStatus;
  stdin: string;
  stdout: string;
  stderr: string;
  terminal: boolean;
  exitStatus: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode Process}. */
export const Process: MessageType<Process> = message(
  "containerd.v1.types.Process",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.id) writer.uint32(18).string(value.id);
      if (value.pid) writer.uint32(24).uint32(value.pid);
      if (value.status) writer.uint32(32).int32(value.status);
      if (value.stdin) writer.uint32(42).string(value.stdin);
      if (value.stdout) writer.uint32(50).string(value.stdout);
      if (value.stderr) writer.uint32(58).string(value.stderr);
      if (value.terminal) writer.uint32(64).bool(value.terminal);
      if (value.exitStatus) writer.uint32(72).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 82, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: Process = {
        containerId: "",
        id: "",
        pid: 0,
        status: 0,
        stdin: "",
        stdout: "",
        stderr: "",
        terminal: false,
        exitStatus: 0,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 18:
            value.id = reader.string();
            break;
          case 24:
            value.pid = reader.uint32();
            break;
          case 32:
            value.status = reader.int32();
            break;
          case 42:
            value.stdin = reader.string();
            break;
          case 50:
            value.stdout = reader.string();
            break;
          case 58:
            value.stderr = reader.string();
            break;
          case 64:
            value.terminal = reader.bool();
            break;
          case 72:
            value.exitStatus = reader.uint32();
            break;
          case 82:
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

/** A process of a task, by its pid. */
export interface ProcessInfo {
  pid: number;
  /** containerd.runhcs.v1.ProcessDetails. */
  info?: Any;
}

/** Codec of {@linkcode ProcessInfo}. */
export const ProcessInfo: MessageType<ProcessInfo> = message(
  "containerd.v1.types.ProcessInfo",
  {
    write(value, writer) {
      if (value.pid) writer.uint32(8).uint32(value.pid);
      if (value.info) writeMessage(writer, 18, Any, value.info);
    },
    read(reader) {
      const value: ProcessInfo = { pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.pid = reader.uint32();
            break;
          case 18:
            value.info = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);
