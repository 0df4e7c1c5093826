/**
 * What the services need of the controllers: types only, so that the shim can
 * listen and answer before the controllers are loaded.
 *
 * @module
 */

import type { LinuxContainer } from "../controllers/linux_container/mod.ts";
import type { NetworkController } from "../controllers/network/mod.ts";
import type { PodController } from "../controllers/pod/mod.ts";
import type {
  ProcessController,
  VmProcess,
} from "../controllers/process/mod.ts";
import type { VmController } from "../controllers/vm/mod.ts";
import type { Platform } from "../hcs/ports.ts";
import type { Options } from "../ttrpc/api/runhcs_options.gen.ts";

/** A virtual machine. */
export type Vm = Pick<
  VmController,
  | "create"
  | "start"
  | "terminate"
  | "exited"
  | "state"
  | "startedAt"
  | "stoppedAt"
  | "runtimeId"
  | "guest"
  | "scsi"
  | "sandboxOptions"
  | "stats"
  | "resources"
  | "modify"
  | "plan9"
  | "vpci"
  | "requireRunning"
>;

/** A process of a container. */
export type Process = Pick<
  ProcessController,
  | "create"
  | "start"
  | "resize"
  | "closeIo"
  | "exited"
  | "status"
  | "isKilled"
>;

/** A container. */
export type Container =
  & Pick<
    LinuxContainer,
    | "create"
    | "start"
    | "kill"
    | "deleteProcess"
    | "forgetProcess"
    | "update"
    | "pids"
    | "stats"
    | "oomKills"
    | "terminated"
    | "abandon"
    | "state"
  >
  & {
    readonly init: Process;
    processes(): ReadonlyMap<string, Process>;
    newProcess(execId: string): Process;
    process(execId: string): Process;
  };

/** The containers that share one pod. */
export type Pod =
  & Pick<
    PodController,
    | "id"
    | "containers"
    | "remove"
    | "killAll"
    | "setupNetwork"
    | "teardownNetwork"
  >
  & { newContainer(id: string): Container };

/** The adapters of one network namespace. */
export type Network = Pick<
  NetworkController,
  "namespaceId" | "setup" | "teardown"
>;

/** What a pod is made of. */
export interface PodConfig {
  /** Its id. */
  readonly id: string;
  /** Runtime options of its sandbox. */
  readonly options: Options;
  /** GUID of its network namespace on the host; empty when it has none. */
  readonly namespaceId: string;
}

/** A path of the host for the VM. */
export interface SharedPath {
  /** A directory or a file. */
  readonly hostPath: string;
  /** Whether the VM may only read it. */
  readonly readOnly: boolean;
}

/** Everything that takes long to load. */
export interface Runtime {
  /** The operating system. */
  readonly platform: Pick<Platform, "layers" | "arch" | "os">;
  /**
   * A VM that is not created yet.
   *
   * @param id Its id for the compute service.
   * @param sandboxId Id of its sandbox.
   */
  newVm(id: string, sandboxId: string): Vm;
  /** A pod in a running VM. */
  newPod(vm: Vm, config: PodConfig): Pod;
  /**
   * The network of a running VM, which is not set up.
   *
   * @param namespaceId GUID of its namespace on the host, or what the host finds it
   * by.
   */
  newNetwork(vm: Vm, namespaceId: string): Network;
  /**
   * Runs a process in the VM itself, to its end.
   *
   * @param options Runtime options of the sandbox.
   * @returns Its exit code.
   */
  runInVm(
    vm: Vm,
    options: Options,
    request: VmProcess,
    signal: AbortSignal,
  ): Promise<number>;
  /**
   * Shares a path of the host with the VM until its end.
   *
   * @returns The path in the guest.
   * @throws {ShimError} `failed to open source path` when there is none.
   */
  share(vm: Vm, path: SharedPath, signal: AbortSignal): Promise<string>;
}
