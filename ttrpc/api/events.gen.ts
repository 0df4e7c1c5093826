/**
 * What a shim reports to containerd. Generated from
 * `schema/proto/containerd/services/events/ttrpc/v1/events.proto`,
 * `schema/proto/containerd/events/task.proto`,
 * `schema/proto/containerd/events/sandbox.proto` by `deno task codegen`; do
 * not edit.
 *
 * @module
 */

import { Empty, Timestamp } from "./any.gen.ts";
import { Envelope, Mount } from "./types.gen.ts";
import { message, type MessageType, method, service } from "../message.ts";
import { readMessage, skipField, writeMessage } from "../wire.ts";

/** Publishes an event. */
export interface ForwardRequest {
  envelope?: Envelope;
}

/** Codec of {@linkcode ForwardRequest}. */
export const ForwardRequest: MessageType<ForwardRequest> = message(
  "containerd.services.events.ttrpc.v1.ForwardRequest",
  {
    write(value, writer) {
      if (value.envelope) writeMessage(writer, 10, Envelope, value.envelope);
    },
    read(reader) {
      const value: ForwardRequest = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.envelope = readMessage(reader, Envelope);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task was created. */
export interface TaskCreate {
  containerId: string;
  bundle: string;
  rootfs: Mount[];
  io?: TaskIO;
  checkpoint: string;
  pid: number;
}

/** Codec of {@linkcode TaskCreate}. */
export const TaskCreate: MessageType<TaskCreate> = message(
  "containerd.events.TaskCreate",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.bundle) writer.uint32(18).string(value.bundle);
      for (const item of value.rootfs ?? []) {
        writeMessage(writer, 26, Mount, item);
      }
      if (value.io) writeMessage(writer, 34, TaskIO, value.io);
      if (value.checkpoint) writer.uint32(42).string(value.checkpoint);
      if (value.pid) writer.uint32(48).uint32(value.pid);
    },
    read(reader) {
      const value: TaskCreate = {
        containerId: "",
        bundle: "",
        rootfs: [],
        checkpoint: "",
        pid: 0,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 18:
            value.bundle = reader.string();
            break;
          case 26:
            value.rootfs.push(readMessage(reader, Mount));
            break;
          case 34:
            value.io = readMessage(reader, TaskIO);
            break;
          case 42:
            value.checkpoint = reader.string();
            break;
          case 48:
            value.pid = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** The init process of a task was started. */
export interface TaskStart {
  containerId: string;
  pid: number;
}

/** Codec of {@linkcode TaskStart}. */
export const TaskStart: MessageType<TaskStart> = message(
  "containerd.events.TaskStart",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.pid) writer.uint32(16).uint32(value.pid);
    },
    read(reader) {
      const value: TaskStart = { containerId: "", pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 16:
            value.pid = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task or exec was deleted. */
export interface TaskDelete {
  containerId: string;
  pid: number;
  exitStatus: number;
  exitedAt?: Timestamp;
  id: string;
}

/** Codec of {@linkcode TaskDelete}. */
export const TaskDelete: MessageType<TaskDelete> = message(
  "containerd.events.TaskDelete",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.pid) writer.uint32(16).uint32(value.pid);
      if (value.exitStatus) writer.uint32(24).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 34, Timestamp, value.exitedAt);
      if (value.id) writer.uint32(42).string(value.id);
    },
    read(reader) {
      const value: TaskDelete = {
        containerId: "",
        pid: 0,
        exitStatus: 0,
        id: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 16:
            value.pid = reader.uint32();
            break;
          case 24:
            value.exitStatus = reader.uint32();
            break;
          case 34:
            value.exitedAt = readMessage(reader, Timestamp);
            break;
          case 42:
            value.id = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Streams of a task. */
export interface TaskIO {
  stdin: string;
  stdout: string;
  stderr: string;
  terminal: boolean;
}

/** Codec of {@linkcode TaskIO}. */
export const TaskIO: MessageType<TaskIO> = message("containerd.events.TaskIO", {
  write(value, writer) {
    if (value.stdin) writer.uint32(10).string(value.stdin);
    if (value.stdout) writer.uint32(18).string(value.stdout);
    if (value.stderr) writer.uint32(26).string(value.stderr);
    if (value.terminal) writer.uint32(32).bool(value.terminal);
  },
  read(reader) {
    const value: TaskIO = {
      stdin: "",
      stdout: "",
      stderr: "",
      terminal: false,
    };
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case 10:
          value.stdin = reader.string();
          break;
        case 18:
          value.stdout = reader.string();
          break;
        case 26:
          value.stderr = reader.string();
          break;
        case 32:
          value.terminal = reader.bool();
          break;
        default:
          skipField(reader, tag);
      }
    }
    return value;
  },
});

/**
 * A process of a task has ended; for the init process `id` is the container
 * id.
 */
export interface TaskExit {
  containerId: string;
  id: string;
  pid: number;
  exitStatus: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode TaskExit}. */
export const TaskExit: MessageType<TaskExit> = message(
  "containerd.events.TaskExit",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.id) writer.uint32(18).string(value.id);
      if (value.pid) writer.uint32(24).uint32(value.pid);
      if (value.exitStatus) writer.uint32(32).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 42, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: TaskExit = {
        containerId: "",
        id: "",
        pid: 0,
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
            value.exitStatus = reader.uint32();
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

/** A task ran out of memory. */
export interface TaskOOM {
  containerId: string;
}

/** Codec of {@linkcode TaskOOM}. */
export const TaskOOM: MessageType<TaskOOM> = message(
  "containerd.events.TaskOOM",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
    },
    read(reader) {
      const value: TaskOOM = { containerId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** An exec was prepared. */
export interface TaskExecAdded {
  containerId: string;
  execId: string;
}

/** Codec of {@linkcode TaskExecAdded}. */
export const TaskExecAdded: MessageType<TaskExecAdded> = message(
  "containerd.events.TaskExecAdded",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.execId) writer.uint32(18).string(value.execId);
    },
    read(reader) {
      const value: TaskExecAdded = { containerId: "", execId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 18:
            value.execId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** An exec was started. */
export interface TaskExecStarted {
  containerId: string;
  execId: string;
  pid: number;
}

/** Codec of {@linkcode TaskExecStarted}. */
export const TaskExecStarted: MessageType<TaskExecStarted> = message(
  "containerd.events.TaskExecStarted",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.execId) writer.uint32(18).string(value.execId);
      if (value.pid) writer.uint32(24).uint32(value.pid);
    },
    read(reader) {
      const value: TaskExecStarted = { containerId: "", execId: "", pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 18:
            value.execId = reader.string();
            break;
          case 24:
            value.pid = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task was paused. */
export interface TaskPaused {
  containerId: string;
}

/** Codec of {@linkcode TaskPaused}. */
export const TaskPaused: MessageType<TaskPaused> = message(
  "containerd.events.TaskPaused",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
    },
    read(reader) {
      const value: TaskPaused = { containerId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task was resumed. */
export interface TaskResumed {
  containerId: string;
}

/** Codec of {@linkcode TaskResumed}. */
export const TaskResumed: MessageType<TaskResumed> = message(
  "containerd.events.TaskResumed",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
    },
    read(reader) {
      const value: TaskResumed = { containerId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A task was checkpointed. */
export interface TaskCheckpointed {
  containerId: string;
  checkpoint: string;
}

/** Codec of {@linkcode TaskCheckpointed}. */
export const TaskCheckpointed: MessageType<TaskCheckpointed> = message(
  "containerd.events.TaskCheckpointed",
  {
    write(value, writer) {
      if (value.containerId) writer.uint32(10).string(value.containerId);
      if (value.checkpoint) writer.uint32(18).string(value.checkpoint);
    },
    read(reader) {
      const value: TaskCheckpointed = { containerId: "", checkpoint: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.containerId = reader.string();
            break;
          case 18:
            value.checkpoint = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** A sandbox was created. */
export interface SandboxCreate {
  sandboxId: string;
}

/** Codec of {@linkcode SandboxCreate}. */
export const SandboxCreate: MessageType<SandboxCreate> = message(
  "containerd.events.SandboxCreate",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: SandboxCreate = { sandboxId: "" };
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

/** A sandbox was started. */
export interface SandboxStart {
  sandboxId: string;
}

/** Codec of {@linkcode SandboxStart}. */
export const SandboxStart: MessageType<SandboxStart> = message(
  "containerd.events.SandboxStart",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
    },
    read(reader) {
      const value: SandboxStart = { sandboxId: "" };
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

/** A sandbox has ended. */
export interface SandboxExit {
  sandboxId: string;
  exitStatus: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode SandboxExit}. */
export const SandboxExit: MessageType<SandboxExit> = message(
  "containerd.events.SandboxExit",
  {
    write(value, writer) {
      if (value.sandboxId) writer.uint32(10).string(value.sandboxId);
      if (value.exitStatus) writer.uint32(16).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 26, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: SandboxExit = { sandboxId: "", exitStatus: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.sandboxId = reader.string();
            break;
          case 16:
            value.exitStatus = reader.uint32();
            break;
          case 26:
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

/**
 * Where a shim publishes its events: a service of containerd. Service
 * `containerd.services.events.ttrpc.v1.Events`.
 */
export const Events = service("containerd.services.events.ttrpc.v1.Events", {
  Forward: method(ForwardRequest, Empty),
});
