/**
 * A VM for tests of the services: its guest is in memory, and it fails, waits
 * and dies when the test says so.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { Json } from "../base/json.ts";
import { FakeGuest, type FakeGuestOptions } from "../bridge/fake_guest.ts";
import { DeviceControllers } from "../controllers/device/device_controllers.ts";
import type { Plan9Controller } from "../controllers/device/plan9/mod.ts";
import type { ScsiController } from "../controllers/device/scsi/mod.ts";
import type { VpciController } from "../controllers/device/vpci/mod.ts";
import {
  type CreateVm,
  type SandboxOptions,
  type VmExit,
  VmResources,
  type VmState,
  type VmStats,
} from "../controllers/vm/mod.ts";
import type { Vm } from "./runtime.ts";

/** Calls that can be made to fail or wait. */
export type FakeVmCall =
  | "create"
  | "start"
  | "terminate"
  | "stats"
  | "modify";

/** See the module. */
export class FakeVm implements Vm {
  /** Its guest. */
  readonly guest: FakeGuest;
  readonly exited: Promise<VmExit>;
  /** All calls, in order. */
  readonly calls: FakeVmCall[] = [];
  /** Requests to its compute system. */
  readonly modified: unknown[] = [];
  /** What its compute system answers to every request from now on. */
  refuseModify: Error | undefined;
  /** What it was created with. */
  created: CreateVm | undefined;
  state: VmState = "NotCreated";
  runtimeId = "";
  startedAt: number | undefined;
  stoppedAt: number | undefined;
  sandboxOptions: SandboxOptions | undefined;
  readonly #exited = Promise.withResolvers<VmExit>();
  readonly #failures = new Map<FakeVmCall, Error>();
  readonly #holds = new Map<FakeVmCall, Promise<void>>();
  readonly #gone = new AbortController();
  readonly #devices: DeviceControllers;
  readonly #resources: VmResources;

  /** @param options How its guest behaves. */
  constructor(options: FakeGuestOptions = {}) {
    this.exited = this.#exited.promise;
    this.guest = new FakeGuest(options);
    const vm = {
      modify: (request: unknown) => {
        if (this.refuseModify) return Promise.reject(this.refuseModify);
        return Promise.resolve(void this.modified.push(request));
      },
    };
    this.#devices = new DeviceControllers({ vm, guest: this.guest }, {
      scsiControllers: 4,
      noWritableFileShares: false,
    });
    this.#resources = new VmResources({ vm, guest: this.guest });
  }

  /** What its compute system does with a change of its network adapters. */
  async modify(request: Json): Promise<void> {
    await this.#play("modify");
    if (this.state === "Terminated") {
      throw new HResultError(
        HResult.InvalidHandle,
        "Modify of a closed system",
      );
    }
    this.modified.push(request);
  }

  /** The next call of this name fails. */
  failNext(call: FakeVmCall, error: Error): void {
    this.#failures.set(call, error);
  }

  /** The next call of this name waits. @returns Lets it go on. */
  holdNext(call: FakeVmCall): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holds.set(call, promise);
    return resolve;
  }

  async #play(call: FakeVmCall, signal?: AbortSignal): Promise<void> {
    this.calls.push(call);
    const held = this.#holds.get(call);
    this.#holds.delete(call);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const both = AbortSignal.any([
      this.#gone.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    // One that is aborted already tells no listener.
    both.throwIfAborted();
    both.addEventListener("abort", () => aborted.reject(both.reason));
    await Promise.race([held, aborted.promise]);
    signal?.throwIfAborted();
    const error = this.#failures.get(call);
    this.#failures.delete(call);
    if (error !== undefined) throw error;
  }

  async create(request: CreateVm, signal?: AbortSignal): Promise<void> {
    await this.#play("create", signal);
    this.created = request;
    this.state = "Created";
    this.runtimeId = "99999999-0000-1111-2222-333333333333";
    this.sandboxOptions = {
      noWritableFileShares: false,
      enableScratchEncryption: false,
      policyBasedRouting: false,
      architecture: "amd64",
      fullyPhysicallyBacked: false,
    };
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#play("start", signal);
    if (this.state === "Terminated") {
      throw new ShimError(
        "FailedPrecondition",
        "Cannot start the VM: it is Terminated",
      );
    }
    this.state = "Running";
    this.startedAt ??= 1_700_000_000_000;
  }

  async terminate(): Promise<void> {
    await this.#play("terminate");
    if (this.state === "NotCreated") {
      this.#gone.abort(new ShimError("Canceled", "terminated"));
    } else this.die();
  }

  /** The VM ends. */
  die(error?: Error): void {
    if (this.state === "Terminated") return;
    this.state = "Terminated";
    this.stoppedAt = 1_700_000_060_000;
    this.guest.lose(error);
    this.#exited.resolve({
      at: this.stoppedAt,
      ...(error === undefined ? {} : { error }),
    });
  }

  requireRunning(): void {
    if (this.state === "Running") return;
    throw new ShimError(
      "FailedPrecondition",
      `vm is not running (state: ${this.state})`,
    );
  }

  scsi(): ScsiController {
    return this.#devices.scsi;
  }

  plan9(): Plan9Controller {
    return this.#devices.plan9;
  }

  vpci(): VpciController {
    return this.#devices.vpci;
  }

  resources(): VmResources {
    this.requireRunning();
    return this.#resources;
  }

  async stats(): Promise<VmStats> {
    await this.#play("stats");
    this.requireRunning();
    return { processorRuntimeNs: 5n, virtualNodeCount: 1 };
  }
}
