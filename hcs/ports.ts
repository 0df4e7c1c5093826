/**
 * The ports to the Windows host: what the product asks of the compute service,
 * of Hyper-V sockets, of the host's files and of the platform. `ffi/windows`
 * implements them on Windows, `sim` on Linux.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "../base/duplex.ts";
import type { LogSink } from "../base/log.ts";
import type { Json } from "../base/json.ts";
import type { HostNetwork } from "./network.ts";
import type {
  LoggedProcess,
  LoggingProgram,
  ServedStdio,
  StdioName,
  StdioOptions,
} from "./stdio.ts";

export type * from "./network.ts";
export type * from "./stdio.ts";

/** How a compute system ended. */
export interface ExitInfo {
  /** HRESULT of the exit, unsigned; 0 for a clean one. */
  readonly status: number;
  /** What the compute service calls the exit. */
  readonly exitType: "GracefulExit" | "ForcedExit" | "UnexpectedExit";
}

/** An open compute system (here always a utility VM). */
export interface ComputeSystem {
  /** The id it was created with, for example `pod1@vm`. */
  readonly id: string;
  /** GUID by which Hyper-V sockets and access grants name the VM. */
  readonly runtimeId: string;
  /**
   * Starts it; resolves when the service reports the start complete.
   *
   * @throws {HResultError} what the service answered.
   */
  start(signal?: AbortSignal): Promise<void>;
  /**
   * Sends one modify request `{ResourcePath, RequestType, Settings}`.
   *
   * @throws {HResultError} what the service answered.
   */
  modify(request: Json): Promise<void>;
  /** Answers a property query document, for example `{"PropertyTypes":["Memory"]}`. */
  properties(query: Json): Promise<Json>;
  /** Stops it at once. Resolves when the request is accepted; a stopped one is a success. */
  terminate(): Promise<void>;
  /** Settles once, when the system has ended; rejects when the service is lost. */
  readonly exited: Promise<ExitInfo>;
  /** Lets the handle go (the last one ends the VM). Idempotent. */
  close(): Promise<void>;
}

/** One row of an enumeration. Names as the service writes them. */
export interface ComputeSystemSummary {
  /** The id it was created with. */
  readonly Id: string;
  /** The creator's name. */
  readonly Owner: string;
  /** GUID of the VM. */
  readonly RuntimeId: string;
  /** For example `Running`. */
  readonly State: string;
}

/** The compute service of the host. */
export interface ComputeHost {
  /**
   * Creates a compute system and waits for its completion.
   *
   * @throws {HResultError} what the service answered; nothing is left behind.
   */
  create(
    id: string,
    document: Json,
    signal?: AbortSignal,
  ): Promise<ComputeSystem>;
  /** Opens an existing compute system. @throws {HResultError} NotFound class when there is none. */
  open(id: string): Promise<ComputeSystem>;
  /** Lists compute systems; query `{Ids, Owners, Types, Names}`, all optional. */
  enumerate(query: Json): Promise<ComputeSystemSummary[]>;
  /** Answers a service query, for example `{"PropertyTypes":["ProcessorTopology"]}`. */
  serviceProperties(query: Json): Promise<Json>;
  /** Lets a VM open a file. `vmId` is a RuntimeId or a system id. */
  grantAccess(vmId: string, path: string): Promise<void>;
  /** Takes the access back. */
  revokeAccess(vmId: string, path: string): Promise<void>;
}

/** Hyper-V sockets. */
export interface GuestSockets {
  /** Listens for dials of one VM to one vsock port. */
  listen(runtimeId: string, port: number): Promise<DuplexListener>;
}

/** The files of the host, and the only place that knows its path flavour. */
export interface HostFiles {
  /** Joins path components in the host's flavour. */
  join(...parts: readonly string[]): string;
  /** Makes a path absolute and final (symbolic links and volumes resolved). */
  resolve(path: string): Promise<string>;
  /** What a path is. @throws {ShimError} NotFound when it is nothing. */
  stat(path: string): Promise<"file" | "directory">;
  /**
   * Reads a whole file.
   *
   * @throws {ShimError} NotFound when there is none, ResourceExhausted when it has
   * more than `limits.file` bytes.
   */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Copies a file, overwriting the target. */
  copy(from: string, to: string): Promise<void>;
  /**
   * Lets every virtual machine of this host open a file: an entry for the group
   * S-1-5-83-0 in its access list that allows everything. An entry of the group
   * that is there already is replaced.
   *
   * @throws {ShimError} NotFound when there is no such file.
   * @throws {HResultError} what the host answered.
   */
  grantVmGroup(path: string): Promise<void>;
  /** The directory with kernel and root file system when nobody names one. */
  defaultBootDirectory(): Promise<string>;
  /** Names of the files in a boot directory. @throws {ShimError} NotFound. */
  bootFiles(directory: string): Promise<ReadonlySet<string>>;
}

/** A disk that can be attached to a VM. */
export interface Disk {
  /** Path in the host's flavour. */
  readonly path: string;
  /** How the host backs it. */
  readonly type: "VirtualDisk" | "PassThru" | "ExtensibleVirtualDisk";
  /** Partition to mount; 0 is the whole disk. */
  readonly partition: number;
}

/** The disks of one container's root file system. */
export interface LayerSet {
  /** Read-only layers, topmost first. */
  readonly readOnly: readonly Disk[];
  /** The writable disk. */
  readonly scratch: Disk;
}

/** A mount of a task's root file system, as containerd sends it. */
export interface RootfsMount {
  /** For example `overlay` or `lcow-layer`. */
  readonly type: string;
  /** Device, directory or disk. */
  readonly source: string;
  /** Relative to the bundle's rootfs; empty. */
  readonly target: string;
  /** Options of the type. */
  readonly options: readonly string[];
}

/** Where the layers of a container come from. */
export interface LayerSource {
  /** Mounts of the create request. */
  readonly rootfs: readonly RootfsMount[];
  /** `windows.layerFolders` of the specification. */
  readonly layerFolders: readonly string[];
  /** `root.path` of the specification, resolved against the bundle; may be empty. */
  readonly rootPath: string;
  /** The bundle directory. */
  readonly bundle: string;
}

/** A process that outlives its parent. */
export interface DetachedProcess {
  /** Its process id. */
  readonly pid: number;
  /**
   * Resolves when the process says that it is ready, by the line `ready` on its
   * standard output.
   *
   * @throws {ShimError} Unavailable with what it printed, when it ends before.
   */
  readonly ready: Promise<void>;
  /** Kills it and waits for its end; one that has ended is a success. */
  kill(): Promise<void>;
  /** Lets the parent end without it. */
  release(): void;
}

/** Event tracing of the system, beside the log. */
export interface SystemEvents {
  /**
   * Writes an event; never waits and never throws.
   *
   * @param name For example `ShimLaunched`.
   * @param fields Its members.
   */
  write(
    name: string,
    fields: Readonly<Record<string, string | readonly string[]>>,
  ): void;
}

/** Memory of the host that one VM uses. */
export interface VmMemoryCounter {
  /** Bytes in use. @throws {HResultError} When the VM is gone. */
  workingSet(): bigint;
  /** Lets the VM's process go. Idempotent. */
  close(): void;
}

/** One thing that a host must have, as `doctor` found it. */
export interface Finding {
  /** What was looked at, for example `Windows build`. */
  readonly check: string;
  /** `gap` keeps containers from running; `warning` may. */
  readonly state: "ok" | "warning" | "gap";
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty when it is fine. */
  readonly advice: string;
}

/** A thing that a shim left behind when it crashed. */
export interface Leftover {
  /** `endpoint` is what clients connected to, `vm` the state of a virtual machine. */
  readonly kind: "endpoint" | "vm";
  /** Address of the endpoint, or id of the compute system. */
  readonly name: string;
  /** What belongs to it, for people, for example a folder; may be empty. */
  readonly detail: string;
  /**
   * Removes it, unless somebody uses it by now: looked at again under the lock by
   * which it is taken.
   *
   * @returns False when it is in use, and stays.
   */
  remove(): Promise<boolean>;
}

/** What the shim needs of the operating system it runs on. */
export interface Platform {
  /** `windows` or `linux`. */
  readonly os: string;
  /** Architecture in OCI's words, for example `amd64`. */
  readonly arch: string;
  /** Windows build number; the simulated host has one too. */
  readonly build: number;
  /** Processors that this process may use. */
  readonly cpus: number;
  /** Address of the ttrpc endpoint of a group, as containerd is told. */
  endpoint(namespace: string, key: string): Promise<string>;
  /**
   * Serves an address of {@linkcode Platform.endpoint}; only this user may connect.
   *
   * @throws {ShimError} AlreadyExists when somebody serves it already.
   */
  listen(address: string): Promise<DuplexListener>;
  /**
   * Connects to an address that containerd or {@linkcode Platform.endpoint} gave.
   *
   * @throws {ShimError} Unavailable when nobody serves it, PermissionDenied when this
   * user may not connect.
   */
  connect(address: string, signal?: AbortSignal): Promise<Duplex>;
  /**
   * Addresses of all endpoints on this host, of all namespaces, in their order.
   * What stands behind one may be dead, or a shim of another program.
   *
   * @throws {ShimError} PermissionDenied when this user may not look.
   */
  endpoints(): Promise<readonly string[]>;
  /** Opens one stream of a task: a FIFO or named pipe, or a log file (`file://`). */
  stdio(
    url: string,
    name: StdioName,
    options?: StdioOptions,
  ): Promise<Duplex>;
  /**
   * Serves the streams of one process for a shim of this machine; nobody but it
   * and this user can connect.
   *
   * @param terminal Whether it has one: then errors are output.
   * @throws Why they cannot be made; nothing is left then.
   */
  serveStdio(terminal: boolean): Promise<ServedStdio>;
  /**
   * Starts a program that takes both outputs of a task (`binary://`). The caller
   * closes its streams and sees to its end.
   *
   * @throws {ShimError} InvalidArgument when the address names no program of this
   * machine; else why it cannot be started. Nothing is left then.
   */
  startLogger(url: string, process: LoggedProcess): Promise<LoggingProgram>;
  /** Where log lines go: the log pipe or containerd's `log` FIFO in the bundle. Never blocks. */
  logSink(namespace: string, id: string, bundle: string): Promise<LogSink>;
  /**
   * The folder of the log files of all sandboxes. Nobody but this user and
   * administrators may look into it.
   *
   * @param use To write, it is made when it is not there; to read, it need not be
   * there.
   * @throws {ShimError} FailedPrecondition when it cannot be made, or is somebody
   * else's; PermissionDenied when this user may not read it.
   */
  logFolder(use: "read" | "write"): Promise<string>;
  /** Starts this program anew, detached, with `args`, and `stdin` as its input. */
  spawnDetached(
    args: readonly string[],
    options: {
      readonly cwd: string;
      readonly stdin: Uint8Array;
      readonly env: Readonly<Record<string, string>>;
    },
  ): Promise<DetachedProcess>;
  /** Translates the layers of a container into disks. @throws {ShimError} InvalidArgument or FailedPrecondition. */
  layers(source: LayerSource): Promise<LayerSet>;
  /** Removes what a crashed shim of this group left (endpoint, VM state). */
  cleanUp(namespace: string, key: string): Promise<void>;
  /**
   * What crashed shims of all groups left. Empty where such things end with their
   * process.
   *
   * @throws {ShimError} PermissionDenied when this user may not look.
   */
  leftovers(): Promise<readonly Leftover[]>;
  /**
   * Tells by the system's own means that `serve` answers, beside the line `ready`
   * on standard output: hcsshim's `start` waits for a named event.
   */
  announceReady(namespace: string, id: string): Promise<void>;
  /**
   * The event tracing of the system; does nothing where there is none.
   *
   * @param onCaptureState Somebody asks for the state of everything; must not
   * throw.
   * @throws {HResultError} When the system refuses.
   */
  systemEvents(onCaptureState?: () => void): Promise<SystemEvents>;
  /**
   * Finds out how much memory of the host a VM uses.
   *
   * @throws {ShimError} NotFound when the host cannot tell.
   */
  vmMemory(runtimeId: string): Promise<VmMemoryCounter>;
  /** Looks whether this machine has what the shim needs. Never rejects. */
  diagnose(): AsyncIterable<Finding>;
}

/** Everything of the host, chosen in `shim/host.ts`. */
export interface WindowsHost {
  /** The compute service. */
  readonly compute: ComputeHost;
  /** The network service. */
  readonly network: HostNetwork;
  /** Hyper-V sockets. */
  readonly sockets: GuestSockets;
  /** The host's files. */
  readonly files: HostFiles;
  /** The operating system. */
  readonly platform: Platform;
}
