/**
 * One Linux container of a pod.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { SerialQueue } from "../../base/queue.ts";
import type { State } from "../../base/states.ts";
import type { GuestContainer } from "../../bridge/guest.ts";
import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { LayerSet } from "../../hcs/ports.ts";
import { LinuxResources, type Spec } from "../../oci/spec.gen.ts";
import {
  neverRan,
  type ProcessController,
  type ProcessStatus,
  requireSignal,
  type StdioPaths,
} from "../process/mod.ts";
import { acquireContainer } from "./acquire.ts";
import { completeAnnotations, type ContainerOptions } from "./annotations.ts";
import type { ContainerDependencies, ContainerIds } from "./dependencies.ts";
import { ContainerProcesses, initExecId } from "./processes.ts";
import { ContainerResources } from "./resources.ts";
import { refuseUnsupported } from "./refuse.ts";
import { oomKillsOf, statisticsOf } from "./statistics.ts";
import {
  type ContainerEvent,
  type ContainerState,
  containerStates,
} from "./states.ts";

/** What a container is made of. */
export interface CreateContainer {
  /** Its bundle. */
  readonly bundle: string;
  /** Its specification. */
  readonly spec: Spec;
  /** The disks of its root file system. */
  readonly layers: LayerSet;
  /** The client's streams of its init process. */
  readonly stdio: StdioPaths;
  /** Runtime options that complete its annotations. */
  readonly options?: ContainerOptions;
}

/** A process in the VM. */
export interface ContainerPid {
  /** Its id in the VM. */
  readonly pid: number;
  /** Which exec it is, when the shim started it. */
  readonly execId?: string;
}

/**
 * A container from its creation to its deletion.
 *
 * `create`, `start` and the release of a delete run one after another; state
 * queries, kills and execs answer at once, also while those run. Everything that
 * was acquired is listed until it is released.
 */
export class LinuxContainer {
  /** Its init process; there from the beginning. */
  readonly init: ProcessController;
  /** Resolves when its init process has ended, or can never run. */
  readonly terminated: Promise<void>;

  readonly #deps: ContainerDependencies;
  readonly #ids: ContainerIds;
  readonly #log: Logger;
  readonly #state: State<ContainerState, ContainerEvent>;
  readonly #mutations = new SerialQueue();
  readonly #resources: ContainerResources;
  readonly #processes: ContainerProcesses;
  readonly #settleTerminated: () => void;
  #guestContainer: GuestContainer | undefined;

  /**
   * A container that is not created yet.
   *
   * @param deps Host and guest.
   * @param ids Which container it is.
   */
  constructor(deps: ContainerDependencies, ids: ContainerIds) {
    const { containerId, podId } = ids;
    this.#ids = ids;
    this.#log = deps.log.child({ cid: containerId, pod: podId });
    this.#deps = deps;
    this.#state = containerStates.begin(`container "${containerId}"`);
    this.#resources = new ContainerResources(this.#log);
    this.#processes = new ContainerProcesses(deps, containerId);
    this.init = this.#processes.init;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.terminated = promise;
    this.#settleTerminated = resolve;
    this.#watchInit();
  }

  /** Its id. */
  get id(): string {
    return this.#ids.containerId;
  }

  /** Its state. */
  get state(): ContainerState {
    return this.#state.current;
  }

  /**
   * Attaches layers and disks, and creates the container in the guest up to its
   * start.
   *
   * @throws {ShimError} InvalidArgument or NotImplemented for what it cannot do:
   * it can be created again then. After any other failure it is Invalid; what
   * was acquired is released, and what could not be is released by a delete.
   */
  create(request: CreateContainer, signal?: AbortSignal): Promise<void> {
    return this.#mutations.run(async () => {
      this.#state.require("create");
      signal?.throwIfAborted();
      const { bundle, spec, layers, stdio, options = {} } = request;
      const annotations = completeAnnotations(options, spec.annotations);
      refuseUnsupported(spec);
      const complete = annotations === undefined
        ? spec
        : { ...spec, annotations };
      try {
        this.#guestContainer = await acquireContainer(
          this.#deps,
          this.#ids,
          complete,
          layers,
          this.#resources,
          signal,
        );
        await this.init.create({ bundle, stdio }, signal);
        this.#state.to("create");
        this.#watchGuest(this.#guestContainer);
      } catch (error) {
        this.#state.to("fail");
        this.#closeGuest();
        await this.#resources.releaseLogged();
        await this.init.abandon();
        this.#settleTerminated();
        throw error;
      }
    });
  }

  /**
   * Starts the container and its init process.
   *
   * @returns The id of the init process in the VM.
   * @throws {ShimError} FailedPrecondition unless Created; else what the guest
   * answered. It is Invalid then, its init process has ended with exit code 1,
   * and a delete releases everything.
   */
  start(signal?: AbortSignal): Promise<number> {
    return this.#mutations.run(async () => {
      this.#state.require("start");
      try {
        signal?.throwIfAborted();
        await this.#guestContainer?.start();
        const pid = await this.init.start(signal);
        this.#state.to("start");
        return pid;
      } catch (error) {
        this.#state.to("fail");
        await this.init.kill();
        this.#settleTerminated();
        throw error;
      }
    });
  }

  /** The guest's container is closed once, whichever end of it comes first. */
  #closeGuest(): void {
    this.#guestContainer?.close();
    this.#guestContainer = undefined;
  }

  /**
   * A container that ends in the guest, or is lost with the bridge, before its
   * start will never run; afterwards, the exit of init says it.
   */
  async #watchGuest(container: GuestContainer): Promise<void> {
    await container.terminated;
    await this.init.abandon();
  }

  /** The end of init is the end of the container; a start comes first. */
  async #watchInit(): Promise<void> {
    await this.init.exited;
    await this.#mutations.run(() => {
      if (this.#state.can("exit")) this.#state.to("exit");
      this.#closeGuest();
      this.#settleTerminated();
      return Promise.resolve();
    });
  }

  /**
   * A further process, which is not created yet.
   *
   * @throws {ShimError} FailedPrecondition unless the container runs;
   * AlreadyExists for an id that is taken; ResourceExhausted when there are too
   * many.
   */
  newProcess(execId: string): ProcessController {
    if (!this.#state.is("Running")) {
      throw this.#state.refusal(`execute process "${execId}" in`);
    }
    return this.#processes.add(execId);
  }

  /** Takes a process back that could not be created. */
  forgetProcess(execId: string): void {
    const process = this.#processes.execs().get(execId);
    if (process?.state === "NotCreated") this.#processes.remove(execId);
  }

  /** A process by its exec id; init has the empty one. @throws {ShimError} NotFound. */
  process(execId: string): ProcessController {
    return this.#processes.get(execId);
  }

  /** The processes beside init, by exec id. */
  processes(): ReadonlyMap<string, ProcessController> {
    return this.#processes.execs();
  }

  /**
   * Signals a process. A signal to init reaches every exec first, as far as
   * possible. A container that has ended is left alone.
   *
   * @param execId Empty for init.
   * @param signal Linux signal number.
   * @param all Whether all processes are meant; only with an empty exec id.
   * @throws {ShimError} FailedPrecondition for `all` with an exec id and before
   * the container is created; InvalidArgument for a bad signal; NotFound for an
   * unknown process.
   */
  async kill(execId: string, signal: number, all: boolean): Promise<void> {
    if (all && execId !== initExecId) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot kill all processes of container "${this.id}" by the exec id "${execId}": leave it empty`,
      );
    }
    if (this.#state.is("NotCreated")) throw this.#state.refusal("kill");
    if (this.#state.is("Stopped", "Invalid")) return;
    requireSignal(signal);
    if (execId === initExecId) {
      await this.#processes.signalExecs(signal, this.#log);
    }
    await this.process(execId).kill(signal);
  }

  /**
   * Deletes a process that has ended or never ran. With init goes everything
   * that the container holds; a running one has `timeouts.deleteWait` to end.
   *
   * @returns Its last status.
   * @throws {ShimError} NotFound for an unknown process; FailedPrecondition for
   * one that runs or was never created; DeadlineExceeded; else why a resource
   * could not be released. The call can be repeated, and goes on where it was.
   */
  async deleteProcess(execId: string): Promise<ProcessStatus> {
    this.process(execId);
    if (this.#state.is("NotCreated")) {
      throw this.#state.refusal("delete a process of");
    }
    if (execId !== initExecId) return await this.#deleteExec(execId);
    if (this.#state.is("Running", "Stopped")) await this.#waitTerminated();
    return await this.#mutations.run(async () => {
      const process = this.process(initExecId);
      await process.delete();
      // What was created and never started would keep its client's streams.
      await this.#endExecs();
      await this.#resources.release();
      this.#closeGuest();
      this.#settleTerminated();
      this.#processes.remove(initExecId);
      return process.status();
    });
  }

  async #deleteExec(execId: string): Promise<ProcessStatus> {
    const process = this.process(execId);
    await process.delete();
    this.#processes.remove(execId);
    return process.status();
  }

  async #endExecs(): Promise<void> {
    await Promise.all(
      [...this.processes().values()].map((exec) => exec.abandon(neverRan)),
    );
  }

  async #waitTerminated(): Promise<void> {
    const { clock, timeouts } = this.#deps;
    await deadline(
      clock,
      timeouts.deleteWait,
      `The end of container "${this.id}", which is to be deleted,`,
      () => this.terminated,
    );
  }

  /**
   * Changes its limits.
   *
   * @throws {ShimError} FailedPrecondition unless it runs.
   */
  async update(resources: LinuxResources): Promise<void> {
    if (!this.#state.is("Running")) throw this.#state.refusal("update");
    await this.#deps.guest.modify({
      ResourceType: "ContainerConstraints",
      RequestType: "Update",
      Settings: { Windows: {}, Linux: LinuxResources.encode(resources) },
    }, this.id);
  }

  /** Its processes in the VM. @throws {ShimError} FailedPrecondition unless it runs. */
  async pids(signal?: AbortSignal): Promise<ContainerPid[]> {
    if (!this.#state.is("Running")) {
      throw this.#state.refusal("query the processes of");
    }
    const { ProcessList = [] } = await this.#deps.guest.properties(
      this.id,
      ["ProcessList"],
      signal,
    );
    const known = new Map(
      [...this.#processes.all()].map(([execId, { pid }]) => [pid, execId]),
    );
    return ProcessList.map(({ ProcessId }) => {
      const execId = known.get(ProcessId);
      return execId === undefined
        ? { pid: ProcessId }
        : { pid: ProcessId, execId };
    });
  }

  /**
   * Its statistics.
   *
   * @throws {ShimError} FailedPrecondition unless it runs; NotFound when it ends
   * meanwhile.
   */
  async stats(signal?: AbortSignal): Promise<LCOWMetrics> {
    if (!this.#state.is("Running")) {
      throw this.#state.refusal("fetch the statistics of");
    }
    return await statisticsOf(this.#deps, this.id, signal);
  }

  /**
   * How many of its processes the kernel has killed for want of memory; also
   * after its end. Zero when the guest cannot say it.
   */
  oomKills(): Promise<bigint> {
    return oomKillsOf(this.#deps, this.id, this.#log);
  }

  /**
   * The VM is lost: what never ran ends now, what runs ends by the bridge.
   *
   * @param error Why.
   */
  async abandon(error: Error): Promise<void> {
    this.#log.debug("Abandoned with its VM", { error: messageOf(error) });
    await Promise.all(
      [...this.#processes.all().values()].map((process) => process.lose()),
    );
  }
}
