/**
 * What the services need of the controllers: types only, so that the shim can
 * listen and answer before the controllers are loaded.
 *
 * @module
 */

import type { LinuxContainer } from "../controllers/linux_container/mod.ts";
import type { PodController } from "../controllers/pod/mod.ts";
import type { ProcessController } from "../controllers/process/mod.ts";
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
  "create" | "start" | "resize" | "closeIo" | "exited" | "status"
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
    | "terminated"
    | "abandon"
  >
  & {
    readonly init: Process;
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

/** What a pod is made of. */
export interface PodConfig {
  /** Its id. */
  readonly id: string;
  /** Runtime options of its sandbox. */
  readonly options: Options;
  /** GUID of its network namespace on the host; empty when it has none. */
  readonly namespaceId: string;
}

/** Everything that takes long to load. */
export interface Runtime {
  /** The operating system. */
  readonly platform: Pick<Platform, "layers" | "arch" | "os">;
  /** A VM that is not created yet. */
  newVm(id: string): Vm;
  /** A pod in a running VM. */
  newPod(vm: Vm, config: PodConfig): Pod;
}
