/**
 * A sandbox: one virtual machine with the pods that run in it.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Clock } from "../base/clock.ts";
import { vmSystemId } from "../hcs/system_id.ts";
import type { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { shimName } from "./args.ts";
import type { Pod, Runtime, Vm } from "./runtime.ts";
import { SandboxNetwork } from "./sandbox_network.ts";
import { type VmRecord, writeVmRecord } from "./vm_record.ts";

/** A device of the sandbox's specification. */
export interface SandboxDevice {
  /** What it is, for example an instance path. */
  readonly id: string;
  /** What kind of id that is. */
  readonly idType: string;
}

/** What a sandbox is made of. */
export interface SandboxConfig {
  /** Its id. */
  readonly id: string;
  /** The bundle that its VM belongs to. */
  readonly bundle: string;
  /** Runtime options. */
  readonly options: Options;
  /** Annotations of the pod or of the standalone container. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Devices for the VM. */
  readonly devices: readonly SandboxDevice[];
  /**
   * The pod's network namespace, whose adapters the VM itself gets: on Windows its
   * GUID, else a path. Empty when there is none.
   */
  readonly netnsPath: string;
  /** True when a task needed it and no CreateSandbox made it. */
  readonly implicit: boolean;
}

/** How a sandbox's VM ended. */
export interface SandboxEnd {
  /** When, milliseconds since 1970. */
  readonly at: number;
  /** Why, unless it was asked to. */
  readonly error?: Error;
}

/** A sandbox. Made by the shim, which registers it before it is created. */
export class Sandbox {
  /** What it is made of. */
  readonly config: SandboxConfig;
  /** Its pods by id. */
  readonly pods: Map<string, Pod> = new Map();
  /**
   * Settles when the sandbox is created and, if implicit, its VM runs. Rejects
   * when that fails.
   */
  readonly ready: Promise<void>;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<SandboxEnd>();
  /** Aborted by a stop: a create that has no VM yet must not make one. */
  readonly #stopping = new AbortController();
  #runtime: Runtime | undefined;
  #vm: Vm | undefined;
  #network: SandboxNetwork | undefined;
  #record: VmRecord | undefined;

  /**
   * @param config What it is made of.
   * @param log Log of the sandbox.
   * @param clock Source of time.
   */
  constructor(config: SandboxConfig, log: Logger, clock: Clock) {
    this.config = config;
    this.#log = log;
    this.#clock = clock;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
  }

  /** Its id. */
  get id(): string {
    return this.config.id;
  }

  /** Settles when its VM has ended. */
  get ended(): Promise<SandboxEnd> {
    return this.#ended.promise;
  }

  /** State of the VM; `NotCreated` before there is one. */
  get vmState(): string {
    return this.#vm?.state ?? "NotCreated";
  }

  /** The VM. @throws {ShimError} FailedPrecondition before it is made. */
  get vm(): Vm {
    if (this.#vm === undefined) throw this.#refusal();
    return this.#vm;
  }

  #refusal(): ShimError {
    return new ShimError(
      "FailedPrecondition",
      `vm is not running (state: ${this.vmState}): sandbox "${this.id}" is being created`,
    );
  }

  /** @throws {ShimError} FailedPrecondition unless the VM runs. */
  requireRunning(): void {
    this.vm.requireRunning();
  }

  /**
   * Creates the VM, and starts it when the sandbox is implicit. When that fails,
   * nothing of it is left.
   *
   * @param runtime The controllers, which may still be loading.
   */
  async create(runtime: Promise<Runtime>, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stopping.signal]);
    try {
      this.#runtime = await runtime;
      either.throwIfAborted();
      await this.#create(this.#runtime, either);
      if (this.config.implicit) await this.vm.start(either);
      this.#ready.resolve();
    } catch (error) {
      await this.#undo();
      this.#ready.reject(error);
      throw error;
    }
  }

  async #create(runtime: Runtime, signal: AbortSignal): Promise<void> {
    const { id, bundle, options, annotations, devices } = this.config;
    const systemId = vmSystemId(id);
    const vm = this.#vm = runtime.newVm(systemId, id);
    const record = {
      systemId,
      owner: shimName,
      shimPid: Deno.pid,
      shimStarted: new Date(performance.timeOrigin).toISOString(),
    };
    // Before the VM exists: a crash in between must not hide it from `delete`.
    this.#record = record;
    await writeVmRecord(bundle, record);
    await vm.create({
      id: systemId,
      owner: shimName,
      bundle,
      options: options.sandboxPlatform === ""
        ? { ...options, sandboxPlatform: `linux/${runtime.platform.arch}` }
        : options,
      annotations: { ...annotations },
      devices: [...devices],
    }, signal);
    this.#record = { ...record, runtimeId: vm.runtimeId };
    try {
      await writeVmRecord(bundle, this.#record);
    } finally {
      // Not before: two writes of the record must not overtake each other.
      vm.exited.then((end) => this.#onExit(end));
    }
  }

  async #undo(): Promise<void> {
    try {
      await this.#vm?.terminate();
      await this.#recordEnd();
    } catch (error) {
      this.#log.warn("The VM of a failed sandbox could not be stopped", {
        "uvm-id": this.#record?.systemId,
        error: messageOf(error),
      });
    }
  }

  async #onExit(end: SandboxEnd): Promise<void> {
    const about = { "uvm-id": this.#record?.systemId };
    const { error } = end;
    if (error === undefined) this.#log.info("The VM has ended", about);
    else this.#log.warn("The VM has ended unasked", { ...about, error });
    try {
      // First of all: whoever hears of the end may remove the bundle.
      await this.#recordEnd();
    } catch (error) {
      this.#log.debug("vm.json could not be written", {
        error: messageOf(error),
      });
    }
    this.#ended.resolve(end);
  }

  /** Notes that the VM has ended, so that `delete` need not look for it. */
  async #recordEnd(): Promise<void> {
    if (this.#record === undefined || this.#record.ended !== undefined) return;
    this.#record = {
      ...this.#record,
      ended: new Date(this.#clock.now()).toISOString(),
    };
    await writeVmRecord(this.config.bundle, this.#record);
  }

  /**
   * Its network, which containers without a network of their own share. Undefined
   * when it has none.
   *
   * @throws {ShimError} FailedPrecondition unless the VM runs.
   */
  get network(): SandboxNetwork | undefined {
    const { netnsPath } = this.config;
    if (netnsPath === "") return undefined;
    this.requireRunning();
    return this.#network ??= new SandboxNetwork(
      this.#runtime!.newNetwork(this.vm, netnsPath),
    );
  }

  /**
   * Starts the VM and gives it the adapters of its network namespace, which it has
   * until it ends. One that runs is a success.
   *
   * @throws {ShimError} What VM or network answered. A VM without its network is
   * ended.
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.vm.start(signal);
    try {
      await this.network?.setup(signal);
    } catch (error) {
      await this.#undo();
      throw error;
    }
  }

  /** Ends the VM. Idempotent; a create under way is ended, not waited for. */
  async stop(): Promise<void> {
    this.#stopping.abort(
      new ShimError("Aborted", `Sandbox "${this.id}" is being stopped`),
    );
    await this.#vm?.terminate();
    await this.#vmEnd();
  }

  /** Ends the VM unless it has ended already. */
  async ensureStopped(): Promise<void> {
    if (this.vmState === "Terminated") await this.#vmEnd();
    else await this.stop();
  }

  /** The end of a VM that was made. */
  async #vmEnd(): Promise<void> {
    if (this.#record?.runtimeId !== undefined) await this.ended;
  }

  /** True for the id of the sandbox's own network namespace. */
  isOwnNetwork(namespaceId: string): boolean {
    return namespaceId.toLowerCase() === this.config.netnsPath.toLowerCase();
  }

  /**
   * A new pod in the running VM, whose network is not set up.
   *
   * @param id Its id.
   * @param namespaceId GUID of its network namespace; empty when it has none. The
   * VM has the adapters of the sandbox's own one already.
   * @throws {ShimError} AlreadyExists when the id is taken.
   */
  addPod(id: string, namespaceId: string): Pod {
    if (this.pods.has(id)) {
      throw new ShimError("AlreadyExists", `Pod "${id}" already exists`);
    }
    this.requireRunning();
    const { options } = this.config;
    const pod = this.#runtime!.newPod(this.vm, {
      id,
      options,
      namespaceId: this.isOwnNetwork(namespaceId) ? "" : namespaceId,
    });
    this.pods.set(id, pod);
    return pod;
  }
}
