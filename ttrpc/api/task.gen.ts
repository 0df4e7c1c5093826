/**
 * The task service, versions 2 and 3. Generated from
 * `schema/proto/containerd/task/v3/task.proto`,
 * `schema/proto/containerd/task/v2/task.proto` by `deno task codegen`; do not
 * edit.
 *
 * @module
 */

import { Any, Empty, Timestamp } from "./any.gen.ts";
import { ProcessInfo, type TaskStatus } from "./task_types.gen.ts";
import { Mount } from "./types.gen.ts";
import { message, type MessageType, method, service } from "../message.ts";
import {
  readMessage,
  readStringEntry,
  skipField,
  writeMessage,
  writeStringMap,
} from "../wire.ts";

/**
 * Creates a task: the container of a bundle, with its init process not yet
 * started.
 */
export interface CreateTaskRequest {
  id: string;
  bundle: string;
  rootfs: Mount[];
  terminal: boolean;
  /** FIFO, named pipe or empty. */
  stdin: string;
  /** FIFO, named pipe, `binary://…` or empty. */
  stdout: string;
  /** As stdout; empty with a terminal. */
  stderr: string;
  checkpoint: string;
  parentCheckpoint: string;
  /** Of any type; foreign ones are ignored. */
  options?: Any;
}

/** Codec of {@linkcode CreateTaskRequest}. */
export const CreateTaskRequest: MessageType<CreateTaskRequest> = message(
  "containerd.task.v3.CreateTaskRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.bundle) writer.uint32(18).string(value.bundle);
      for (const item of value.rootfs ?? []) {
        writeMessage(writer, 26, Mount, item);
      }
      if (value.terminal) writer.uint32(32).bool(value.terminal);
      if (value.stdin) writer.uint32(42).string(value.stdin);
      if (value.stdout) writer.uint32(50).string(value.stdout);
      if (value.stderr) writer.uint32(58).string(value.stderr);
      if (value.checkpoint) writer.uint32(66).string(value.checkpoint);
      if (value.parentCheckpoint) {
        writer.uint32(74).string(
          value.parentCheckpoint,
        );
      }
      if (value.options) writeMessage(writer, 82, Any, value.options);
    },
    read(reader) {
      const value: CreateTaskRequest = {
        id: "",
        bundle: "",
        rootfs: [],
        terminal: false,
        stdin: "",
        stdout: "",
        stderr: "",
        checkpoint: "",
        parentCheckpoint: "",
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
            value.rootfs.push(readMessage(reader, Mount));
            break;
          case 32:
            value.terminal = reader.bool();
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
          case 66:
            value.checkpoint = reader.string();
            break;
          case 74:
            value.parentCheckpoint = reader.string();
            break;
          case 82:
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

/** The created task. */
export interface CreateTaskResponse {
  pid: number;
}

/** Codec of {@linkcode CreateTaskResponse}. */
export const CreateTaskResponse: MessageType<CreateTaskResponse> = message(
  "containerd.task.v3.CreateTaskResponse",
  {
    write(value, writer) {
      if (value.pid) writer.uint32(8).uint32(value.pid);
    },
    read(reader) {
      const value: CreateTaskResponse = { pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
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

/** Deletes an ended task, or an ended exec when exec_id is set. */
export interface DeleteRequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
}

/** Codec of {@linkcode DeleteRequest}. */
export const DeleteRequest: MessageType<DeleteRequest> = message(
  "containerd.task.v3.DeleteRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
    },
    read(reader) {
      const value: DeleteRequest = { id: "", execId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
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

/** How it ended. */
export interface DeleteResponse {
  pid: number;
  /** Exit code; 128 + signal when a signal ended it. */
  exitStatus: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode DeleteResponse}. */
export const DeleteResponse: MessageType<DeleteResponse> = message(
  "containerd.task.v3.DeleteResponse",
  {
    write(value, writer) {
      if (value.pid) writer.uint32(8).uint32(value.pid);
      if (value.exitStatus) writer.uint32(16).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 26, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: DeleteResponse = { pid: 0, exitStatus: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.pid = reader.uint32();
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

/** Prepares a further process in a task; Start runs it. */
export interface ExecProcessRequest {
  id: string;
  execId: string;
  terminal: boolean;
  stdin: string;
  stdout: string;
  stderr: string;
  /** OCI process, as JSON. */
  spec?: Any;
}

/** Codec of {@linkcode ExecProcessRequest}. */
export const ExecProcessRequest: MessageType<ExecProcessRequest> = message(
  "containerd.task.v3.ExecProcessRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
      if (value.terminal) writer.uint32(24).bool(value.terminal);
      if (value.stdin) writer.uint32(34).string(value.stdin);
      if (value.stdout) writer.uint32(42).string(value.stdout);
      if (value.stderr) writer.uint32(50).string(value.stderr);
      if (value.spec) writeMessage(writer, 58, Any, value.spec);
    },
    read(reader) {
      const value: ExecProcessRequest = {
        id: "",
        execId: "",
        terminal: false,
        stdin: "",
        stdout: "",
        stderr: "",
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.execId = reader.string();
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
          case 58:
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

/** Not used: Exec answers Empty. */
export type ExecProcessResponse = Record<never, never>;

/** Codec of {@linkcode ExecProcessResponse}. */
export const ExecProcessResponse: MessageType<ExecProcessResponse> = message(
  "containerd.task.v3.ExecProcessResponse",
  {
    write() {
    },
    read(reader) {
      const value: ExecProcessResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        skipField(reader, tag);
      }
      return value;
    },
  },
);

/** Sets the size of a terminal. */
export interface ResizePtyRequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
  width: number;
  height: number;
}

/** Codec of {@linkcode ResizePtyRequest}. */
export const ResizePtyRequest: MessageType<ResizePtyRequest> = message(
  "containerd.task.v3.ResizePtyRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
      if (value.width) writer.uint32(24).uint32(value.width);
      if (value.height) writer.uint32(32).uint32(value.height);
    },
    read(reader) {
      const value: ResizePtyRequest = {
        id: "",
        execId: "",
        width: 0,
        height: 0,
      };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.execId = reader.string();
            break;
          case 24:
            value.width = reader.uint32();
            break;
          case 32:
            value.height = reader.uint32();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks for the state of a task or exec. */
export interface StateRequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
}

/** Codec of {@linkcode StateRequest}. */
export const StateRequest: MessageType<StateRequest> = message(
  "containerd.task.v3.StateRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
    },
    read(reader) {
      const value: StateRequest = { id: "", execId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
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

/** State of a task or exec. */
export interface StateResponse {
  id: string;
  bundle: string;
  pid: number;
  status: TaskStatus;
  stdin: string;
  stdout: string;
  stderr: string;
  terminal: boolean;
  exitStatus: number;
  exitedAt?: Timestamp;
  execId: string;
}

/** Codec of {@linkcode StateResponse}. */
export const StateResponse: MessageType<StateResponse> = message(
  "containerd.task.v3.StateResponse",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.bundle) writer.uint32(18).string(value.bundle);
      if (value.pid) writer.uint32(24).uint32(value.pid);
      if (value.status) writer.uint32(32).int32(value.status);
      if (value.stdin) writer.uint32(42).string(value.stdin);
      if (value.stdout) writer.uint32(50).string(value.stdout);
      if (value.stderr) writer.uint32(58).string(value.stderr);
      if (value.terminal) writer.uint32(64).bool(value.terminal);
      if (value.exitStatus) writer.uint32(72).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 82, Timestamp, value.exitedAt);
      if (value.execId) writer.uint32(90).string(value.execId);
    },
    read(reader) {
      const value: StateResponse = {
        id: "",
        bundle: "",
        pid: 0,
        status: 0,
        stdin: "",
        stdout: "",
        stderr: "",
        terminal: false,
        exitStatus: 0,
        execId: "",
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
          case 90:
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

/** Signals a task or exec. */
export interface KillRequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
  signal: number;
  /** Every process of the task. */
  all: boolean;
}

/** Codec of {@linkcode KillRequest}. */
export const KillRequest: MessageType<KillRequest> = message(
  "containerd.task.v3.KillRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
      if (value.signal) writer.uint32(24).uint32(value.signal);
      if (value.all) writer.uint32(32).bool(value.all);
    },
    read(reader) {
      const value: KillRequest = { id: "", execId: "", signal: 0, all: false };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.execId = reader.string();
            break;
          case 24:
            value.signal = reader.uint32();
            break;
          case 32:
            value.all = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Ends the standard input of a task or exec. */
export interface CloseIORequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
  stdin: boolean;
}

/** Codec of {@linkcode CloseIORequest}. */
export const CloseIORequest: MessageType<CloseIORequest> = message(
  "containerd.task.v3.CloseIORequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
      if (value.stdin) writer.uint32(24).bool(value.stdin);
    },
    read(reader) {
      const value: CloseIORequest = { id: "", execId: "", stdin: false };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.execId = reader.string();
            break;
          case 24:
            value.stdin = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks for the processes of a task. */
export interface PidsRequest {
  id: string;
}

/** Codec of {@linkcode PidsRequest}. */
export const PidsRequest: MessageType<PidsRequest> = message(
  "containerd.task.v3.PidsRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
    },
    read(reader) {
      const value: PidsRequest = { id: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
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

/** The processes of a task. */
export interface PidsResponse {
  processes: ProcessInfo[];
}

/** Codec of {@linkcode PidsResponse}. */
export const PidsResponse: MessageType<PidsResponse> = message(
  "containerd.task.v3.PidsResponse",
  {
    write(value, writer) {
      for (const item of value.processes ?? []) {
        writeMessage(writer, 10, ProcessInfo, item);
      }
    },
    read(reader) {
      const value: PidsResponse = { processes: [] };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.processes.push(readMessage(reader, ProcessInfo));
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Checkpoints a task. */
export interface CheckpointTaskRequest {
  id: string;
  path: string;
  options?: Any;
}

/** Codec of {@linkcode CheckpointTaskRequest}. */
export const CheckpointTaskRequest: MessageType<CheckpointTaskRequest> =
  message("containerd.task.v3.CheckpointTaskRequest", {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.path) writer.uint32(18).string(value.path);
      if (value.options) writeMessage(writer, 26, Any, value.options);
    },
    read(reader) {
      const value: CheckpointTaskRequest = { id: "", path: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 18:
            value.path = reader.string();
            break;
          case 26:
            value.options = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  });

/** Changes the limits of a task. */
export interface UpdateTaskRequest {
  id: string;
  /** OCI resources, as JSON. */
  resources?: Any;
  annotations: Record<string, string>;
}

/** Codec of {@linkcode UpdateTaskRequest}. */
export const UpdateTaskRequest: MessageType<UpdateTaskRequest> = message(
  "containerd.task.v3.UpdateTaskRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.resources) writeMessage(writer, 18, Any, value.resources);
      writeStringMap(writer, 26, value.annotations);
    },
    read(reader) {
      const value: UpdateTaskRequest = { id: "", annotations: {} };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
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

/** Starts a task or exec. */
export interface StartRequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
}

/** Codec of {@linkcode StartRequest}. */
export const StartRequest: MessageType<StartRequest> = message(
  "containerd.task.v3.StartRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
    },
    read(reader) {
      const value: StartRequest = { id: "", execId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
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

/** It runs. */
export interface StartResponse {
  pid: number;
}

/** Codec of {@linkcode StartResponse}. */
export const StartResponse: MessageType<StartResponse> = message(
  "containerd.task.v3.StartResponse",
  {
    write(value, writer) {
      if (value.pid) writer.uint32(8).uint32(value.pid);
    },
    read(reader) {
      const value: StartResponse = { pid: 0 };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
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

/** Waits for the end of a task or exec. */
export interface WaitRequest {
  id: string;
  /** Empty for the task itself. */
  execId: string;
}

/** Codec of {@linkcode WaitRequest}. */
export const WaitRequest: MessageType<WaitRequest> = message(
  "containerd.task.v3.WaitRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.execId) writer.uint32(18).string(value.execId);
    },
    read(reader) {
      const value: WaitRequest = { id: "", execId: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
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

/** How it ended. */
export interface WaitResponse {
  /** Exit code; 128 + signal when a signal ended it. */
  exitStatus: number;
  exitedAt?: Timestamp;
}

/** Codec of {@linkcode WaitResponse}. */
export const WaitResponse: MessageType<WaitResponse> = message(
  "containerd.task.v3.WaitResponse",
  {
    write(value, writer) {
      if (value.exitStatus) writer.uint32(8).uint32(value.exitStatus);
      if (value.exitedAt) writeMessage(writer, 18, Timestamp, value.exitedAt);
    },
    read(reader) {
      const value: WaitResponse = { exitStatus: 0 };
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

/** Asks for the statistics of a task. */
export interface StatsRequest {
  id: string;
}

/** Codec of {@linkcode StatsRequest}. */
export const StatsRequest: MessageType<StatsRequest> = message(
  "containerd.task.v3.StatsRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
    },
    read(reader) {
      const value: StatsRequest = { id: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
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

/** Statistics of a task. */
export interface StatsResponse {
  /** containerd.runhcs.stats.v1.Statistics. */
  stats?: Any;
}

/** Codec of {@linkcode StatsResponse}. */
export const StatsResponse: MessageType<StatsResponse> = message(
  "containerd.task.v3.StatsResponse",
  {
    write(value, writer) {
      if (value.stats) writeMessage(writer, 10, Any, value.stats);
    },
    read(reader) {
      const value: StatsResponse = {};
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.stats = readMessage(reader, Any);
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks which processes serve a task. */
export interface ConnectRequest {
  id: string;
}

/** Codec of {@linkcode ConnectRequest}. */
export const ConnectRequest: MessageType<ConnectRequest> = message(
  "containerd.task.v3.ConnectRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
    },
    read(reader) {
      const value: ConnectRequest = { id: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
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

/** The processes that serve a task. */
export interface ConnectResponse {
  shimPid: number;
  taskPid: number;
  version: string;
}

/** Codec of {@linkcode ConnectResponse}. */
export const ConnectResponse: MessageType<ConnectResponse> = message(
  "containerd.task.v3.ConnectResponse",
  {
    write(value, writer) {
      if (value.shimPid) writer.uint32(8).uint32(value.shimPid);
      if (value.taskPid) writer.uint32(16).uint32(value.taskPid);
      if (value.version) writer.uint32(26).string(value.version);
    },
    read(reader) {
      const value: ConnectResponse = { shimPid: 0, taskPid: 0, version: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 8:
            value.shimPid = reader.uint32();
            break;
          case 16:
            value.taskPid = reader.uint32();
            break;
          case 26:
            value.version = reader.string();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Asks the shim to end when it has nothing left. */
export interface ShutdownRequest {
  id: string;
  now: boolean;
}

/** Codec of {@linkcode ShutdownRequest}. */
export const ShutdownRequest: MessageType<ShutdownRequest> = message(
  "containerd.task.v3.ShutdownRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
      if (value.now) writer.uint32(16).bool(value.now);
    },
    read(reader) {
      const value: ShutdownRequest = { id: "", now: false };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
            value.id = reader.string();
            break;
          case 16:
            value.now = reader.bool();
            break;
          default:
            skipField(reader, tag);
        }
      }
      return value;
    },
  },
);

/** Pauses a task. */
export interface PauseRequest {
  id: string;
}

/** Codec of {@linkcode PauseRequest}. */
export const PauseRequest: MessageType<PauseRequest> = message(
  "containerd.task.v3.PauseRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
    },
    read(reader) {
      const value: PauseRequest = { id: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
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

/** Resumes a task. */
export interface ResumeRequest {
  id: string;
}

/** Codec of {@linkcode ResumeRequest}. */
export const ResumeRequest: MessageType<ResumeRequest> = message(
  "containerd.task.v3.ResumeRequest",
  {
    write(value, writer) {
      if (value.id) writer.uint32(10).string(value.id);
    },
    read(reader) {
      const value: ResumeRequest = { id: "" };
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        switch (tag) {
          case 10:
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

/** Containers and their processes. Service `containerd.task.v3.Task`. */
export const TaskV3 = service("containerd.task.v3.Task", {
  State: method(StateRequest, StateResponse),
  Create: method(CreateTaskRequest, CreateTaskResponse),
  Start: method(StartRequest, StartResponse),
  Delete: method(DeleteRequest, DeleteResponse),
  Pids: method(PidsRequest, PidsResponse),
  Pause: method(PauseRequest, Empty),
  Resume: method(ResumeRequest, Empty),
  Checkpoint: method(CheckpointTaskRequest, Empty),
  Kill: method(KillRequest, Empty),
  Exec: method(ExecProcessRequest, Empty),
  ResizePty: method(ResizePtyRequest, Empty),
  CloseIO: method(CloseIORequest, Empty),
  Update: method(UpdateTaskRequest, Empty),
  Wait: method(WaitRequest, WaitResponse),
  Stats: method(StatsRequest, StatsResponse),
  Connect: method(ConnectRequest, ConnectResponse),
  Shutdown: method(ShutdownRequest, Empty),
});

/**
 * Containers and their processes; the messages are those of version 3. Service
 * `containerd.task.v2.Task`.
 */
export const TaskV2 = service("containerd.task.v2.Task", {
  State: method(StateRequest, StateResponse),
  Create: method(CreateTaskRequest, CreateTaskResponse),
  Start: method(StartRequest, StartResponse),
  Delete: method(DeleteRequest, DeleteResponse),
  Pids: method(PidsRequest, PidsResponse),
  Pause: method(PauseRequest, Empty),
  Resume: method(ResumeRequest, Empty),
  Checkpoint: method(CheckpointTaskRequest, Empty),
  Kill: method(KillRequest, Empty),
  Exec: method(ExecProcessRequest, Empty),
  ResizePty: method(ResizePtyRequest, Empty),
  CloseIO: method(CloseIORequest, Empty),
  Update: method(UpdateTaskRequest, Empty),
  Wait: method(WaitRequest, WaitResponse),
  Stats: method(StatsRequest, StatsResponse),
  Connect: method(ConnectRequest, ConnectResponse),
  Shutdown: method(ShutdownRequest, Empty),
});
