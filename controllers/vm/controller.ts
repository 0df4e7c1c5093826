/**
 * The one utility VM of a sandbox: creates, boots, watches and ends it.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { Ledger } from "../../base/ledger.ts";
import { SerialQueue } from "../../base/queue.ts";
import type { State } from "../../base/states.ts";
import type { Guest } from "../../bridge/guest.ts";
import type { ComputeSystem } from "../../hcs/ports.ts";
import { DeviceControllers } from "../device/device_controllers.ts";
import { unlessGone } from "../device/peers.ts";
import type { Plan9Controller } from "../device/plan9/mod.ts";
import type { ScsiController } from "../device/scsi/mod.ts";
import type { VpciController } from "../device/vpci/mod.ts";
import { sendPolicy } from "./confidential.ts";
import { createSystem, exitError } from "./create_system.ts";
import { rootDisk, scsiControllerCount } from "./devices.ts";
import type { CreateVm, VmDependencies, VmExit } from "./dependencies.ts";
import type { VmDocument } from "./document.ts";
import { GuestLink } from "./guest_link.ts";
import { HostMemory } from "./host_memory.ts";
import type { SandboxOptions } from "./options.ts";
import { VmResources } from "./resources.ts";
import { type VmEvent, type VmState, vmStates } from "./states.ts";
import { readVmStats, type VmStats } from "./stats.ts";

/** A VM that exists. */
interface CreatedVm {
  readonly id: string;
  readonly system: ComputeSystem;
  readonly plan: VmDocument;
  readonly link: GuestLink;
}

/**
 * Owns one VM from its creation to its end.
 *
 * `create`, `start` and `terminate` run one after another; a terminate ends a
 * create or start that is under way. All other members answer at once, also
 * while those run. Every wait ends when the VM does.
 */
export class VmController {
  /** Settles once, when the VM has ended and its log is written. Never rejects. */
  readonly exited: Promise<VmExit>;

  readonly #deps: VmDependencies;
  readonly #state: State<VmState, VmEvent> = vmStates.begin("the VM");
  readonly #mutations = new SerialQueue();
  readonly #ledger: Ledger<"system">;
  readonly #settleExited: (exit: VmExit) => void;
  /** Aborted when the VM has ended, with the reason. */
  readonly #gone = new AbortController();
  /** Aborted by a terminate; replaced by every operation. */
  #operation = new AbortController();
  #isTerminating = false;
  #vm: CreatedVm | undefined;
  #ended: Promise<void> | undefined;
  #guest: Guest | undefined;
  #devices: DeviceControllers | undefined;
  #resources: VmResources | undefined;
  readonly #memory: HostMemory;
  #startedAt: number | undefined;
  #exit: VmExit | undefined;
  /** Why it is ended, when its bridge was lost. */
  #lost: Error | undefined;

  /**
   * A VM that is not created yet.
   *
   * @param deps The host and everything else it needs.
   */
  constructor(deps: VmDependencies) {
    this.#deps = deps;
    this.#memory = new HostMemory(deps.host.platform, deps.log);
    this.#ledger = new Ledger(["system"]);
    const { promise, resolve } = Promise.withResolvers<VmExit>();
    this.exited = promise;
    this.#settleExited = resolve;
  }

  /** Its state. */
  get state(): VmState {
    return this.#state.current;
  }

  /** Its id for the compute service; empty before it is created. */
  get id(): string {
    return this.#vm?.id ?? "";
  }

  /** The GUID that names it for sockets and access; empty before it is created. */
  get runtimeId(): string {
    return this.#vm?.system.runtimeId ?? "";
  }

  /** When it was running first, in milliseconds since 1970. */
  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  /** When it ended, in milliseconds since 1970. */
  get stoppedAt(): number | undefined {
    return this.#exit?.at;
  }

  /** What was decided at its creation; undefined before. */
  get sandboxOptions(): SandboxOptions | undefined {
    return this.#vm?.plan.sandboxOptions;
  }

  /**
   * The agent in the VM.
   *
   * @throws {ShimError} FailedPrecondition unless the VM is running.
   */
  get guest(): Guest {
    this.requireRunning();
    return this.#guest!;
  }

  /**
   * Refuses what needs a running VM.
   *
   * @throws {ShimError} FailedPrecondition unless the VM is running.
   */
  requireRunning(): void {
    if (this.#state.is("Running")) return;
    throw new ShimError(
      "FailedPrecondition",
      `vm is not running (state: ${this.#state.current})`,
    );
  }

  /**
   * The SCSI slots of the VM; the same object for all callers.
   *
   * @throws {ShimError} FailedPrecondition unless the VM is running.
   */
  scsi(): ScsiController {
    return this.#deviceControllers().scsi;
  }

  /**
   * The host directories that the VM sees; the same object for all callers.
   *
   * @throws {ShimError} FailedPrecondition unless the VM is running.
   */
  plan9(): Plan9Controller {
    return this.#deviceControllers().plan9;
  }

  /**
   * The PCI devices that the VM has while it runs; the same object for all
   * callers.
   *
   * @throws {ShimError} FailedPrecondition unless the VM is running.
   */
  vpci(): VpciController {
    return this.#deviceControllers().vpci;
  }

  #deviceControllers(): DeviceControllers {
    const guest = this.guest;
    const { system, plan } = this.#vm!;
    const { boot, sandboxOptions } = plan;
    this.#devices ??= new DeviceControllers({ vm: system, guest }, {
      scsiControllers: scsiControllerCount(this.#deps.host.platform.build),
      bootDisk: boot.isDisk ? rootDisk(boot.rootfs) : undefined,
      noWritableFileShares: sandboxOptions.noWritableFileShares,
    });
    return this.#devices;
  }

  /**
   * Asks the host for one change of the VM, for example of its network adapters.
   *
   * @throws {ShimError} FailedPrecondition before it is created.
   * @throws {HResultError} what the host answered; of the "gone" kind when the VM
   * has ended.
   */
  async modify(request: Json): Promise<void> {
    if (this.#vm === undefined) this.requireRunning();
    await this.#vm?.system.modify(request);
  }

  /**
   * What the VM has and can get more of; the same object for all callers.
   *
   * @throws {ShimError} FailedPrecondition unless the VM is running.
   */
  resources(): VmResources {
    const guest = this.guest;
    const { system } = this.#vm!;
    return this.#resources ??= new VmResources({ vm: system, guest });
  }

  /** Statistics. @throws {ShimError} FailedPrecondition unless it is running. */
  async stats(): Promise<VmStats> {
    this.requireRunning();
    const { system, plan } = this.#vm!;
    return await readVmStats(
      system,
      plan.sandboxOptions.fullyPhysicallyBacked,
      () => this.#memory.workingSet(system.runtimeId),
    );
  }

  /**
   * Creates the VM; it does not run yet.
   *
   * @throws {ShimError} FailedPrecondition when it was created before;
   * AlreadyExists when another owner has a system of this id; else what is
   * wrong with options, boot files or host. Nothing is left, and the call can
   * be repeated.
   */
  create(request: CreateVm, signal?: AbortSignal): Promise<void> {
    return this.#mutate(signal, async (signal) => {
      this.#state.require("create");
      const { system, plan } = await createSystem(this.#deps, request, signal);
      const { id } = request;
      const link = new GuestLink(this.#deps, id, system);
      this.#vm = { id, system, plan, link };
      this.#ledger.add({
        kind: "system",
        key: id,
        release: () => unlessGone(system.close()),
      });
      this.#state.to("create");
      this.#ended = this.#watch(system);
    });
  }

  /**
   * Boots the VM and connects to its agent, within `timeouts.vmStart`. Starting
   * a running VM is a success.
   *
   * @throws {ShimError} FailedPrecondition when it was not created or has ended;
   * DeadlineExceeded; else what host or guest answered. The VM is Invalid then:
   * nothing but the VM itself is left, and a terminate ends that.
   */
  start(signal?: AbortSignal): Promise<void> {
    return this.#mutate(signal, async (signal) => {
      if (this.#state.is("Running")) return;
      this.#state.require("start");
      const { clock, timeouts } = this.#deps;
      try {
        this.#guest = await deadline(
          clock,
          timeouts.vmStart,
          `Start of VM "${this.id}"`,
          (signal) => this.#boot(signal),
          AbortSignal.any([signal, this.#gone.signal]),
        );
        this.#state.to("start");
        this.#startedAt = clock.now();
        this.#watchGuest(this.#guest, this.#vm!);
      } catch (error) {
        if (this.#state.can("fail")) this.#state.to("fail");
        throw error;
      }
    });
  }

  /** A confidential VM hears first of all what it is to enforce. */
  async #boot(signal: AbortSignal): Promise<Guest> {
    const { link, plan } = this.#vm!;
    const guest = await link.open(signal);
    await sendPolicy(guest, this.#deps.host.files, plan);
    return guest;
  }

  /**
   * Ends the VM: at once when it runs, by letting its handle go when it was
   * never started. Idempotent; a create or start that is under way is ended.
   *
   * @throws what the compute service answered to the close of the handle. The
   * VM is Invalid then, and the call can be repeated; when the VM itself has ended,
   * `exited` resolves all the same.
   */
  terminate(): Promise<void> {
    this.#operation.abort(
      new ShimError("Aborted", "The VM is being terminated"),
    );
    return this.#mutations.run(async () => {
      if (this.#state.is("NotCreated", "Terminated")) {
        return await this.#ledger.release();
      }
      this.#isTerminating = true;
      try {
        if (!this.#state.is("Created")) await this.#stop();
        await this.#vm?.link.close();
        await this.#ledger.release();
        this.#state.to("terminate");
        this.#settle();
      } catch (error) {
        this.#state.to("fail");
        // The handle is left, not the VM: who waits for its end has waited enough.
        if (this.#exit !== undefined) this.#settle();
        throw error;
      } finally {
        this.#isTerminating = false;
      }
    });
  }

  /**
   * Ends a VM whose bridge is lost and that does not end by itself: nobody can
   * reach what runs in it. Never rejects.
   */
  async #watchGuest(guest: Guest, { link }: CreatedVm): Promise<void> {
    const { error: cause } = await guest.ended;
    if (link.isClosed) return; // by us
    const { clock, timeouts, log } = this.#deps;
    try {
      await clock.sleep(timeouts.bridgeLost, this.#gone.signal);
    } catch {
      return; // it has ended
    }
    if (link.isClosed) return;
    const reason = cause === undefined ? "" : `: ${messageOf(cause)}`;
    const error = this.#lost = new ShimError(
      "Unavailable",
      `VM "${this.id}" was ended, because the bridge to its guest is closed${reason}`,
      { cause },
    );
    log.error("The bridge to the guest is lost; the VM is ended", { error });
    await this.terminate().catch(() => {}); // its state tells
  }

  /** Stops the system and waits for its end; what goes wrong is only logged. */
  async #stop(): Promise<void> {
    const { clock, timeouts, log } = this.#deps;
    try {
      await this.#vm?.system.terminate();
      await deadline(
        clock,
        timeouts.vmTerminate,
        `The end of VM "${this.id}"`,
        () => this.#ended ?? Promise.resolve(),
      );
    } catch (error) {
      log.warn("Cannot stop the VM; its handle is closed instead", {
        "uvm-id": this.id,
        error: messageOf(error),
      });
    }
  }

  /** Runs a mutation after the earlier ones; a terminate aborts its signal. */
  #mutate(
    signal: AbortSignal | undefined,
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    return this.#mutations.run(async () => {
      signal?.throwIfAborted();
      this.#operation = new AbortController();
      const { signal: stopped } = this.#operation;
      await task(
        signal === undefined ? stopped : AbortSignal.any([signal, stopped]),
      );
    });
  }

  /** Waits for the end of the system. Never rejects. */
  async #watch(system: ComputeSystem): Promise<void> {
    const error = await exitError(system);
    this.#recordExit(error);
    this.#gone.abort(
      error ?? new ShimError("Aborted", `VM "${this.id}" has ended`),
    );
    if (this.#isTerminating) return await this.#vm?.link.close();
    if (this.#state.can("exit")) this.#state.to("exit");
    await this.#vm?.link.close();
    try {
      await this.#ledger.release();
    } catch (error) {
      this.#deps.log.warn("Cannot close the handle of a VM that has ended", {
        "uvm-id": this.id,
        error: messageOf(error),
      });
    }
    this.#settle();
  }

  #settle(): void {
    void this.#memory.close();
    this.#settleExited(this.#recordExit());
  }

  /** The first end counts. */
  #recordExit(error = this.#lost): VmExit {
    const at = this.#deps.clock.now();
    return this.#exit ??= error === undefined ? { at } : { at, error };
  }
}
