/**
 * A container controller with everything around it, for tests.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest, type FakeGuestOptions } from "../../bridge/fake_guest.ts";
import type { FakeGuestProcess } from "../../bridge/fake_guest_process.ts";
import type { Disk, LayerSet } from "../../hcs/ports.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { ScsiController } from "../device/scsi/mod.ts";
import { PodController } from "../pod/controller.ts";
import type { PodDependencies } from "../pod/dependencies.ts";
import type {
  CreateContainer,
  LinuxContainer,
} from "../linux_container/mod.ts";
import {
  FakeCompute,
  FakeComputeSystem,
  fakeRuntimeId,
} from "./fake_compute.ts";
import { FakeFiles } from "./fake_files.ts";
import { FakeClient, noStdio } from "./fake_stdio.ts";
import type { FaultPlan } from "./fault_plan.ts";

/** A whole virtual disk. */
export function virtualDisk(path: string): Disk {
  return { path, type: "VirtualDisk", partition: 0 };
}

/** Two read-only layers and a scratch disk. */
export const twoLayers: LayerSet = {
  readOnly: [virtualDisk("/layers/b.vhd"), virtualDisk("/layers/a.vhd")],
  scratch: virtualDisk("/layers/s.vhdx"),
};

/** A specification that asks for nothing special. */
export const plainSpec: Spec = {
  ociVersion: "1.1.0",
  process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["sh"] },
  root: { path: "rootfs" },
  linux: {},
};

/** A running VM with one pod and one container that is not created yet. */
export class ContainerWorld {
  /** The agent. */
  readonly guest: FakeGuest;
  /** The VM. */
  readonly vm = new FakeComputeSystem("pod1@vm");
  /** The compute service. */
  readonly compute = new FakeCompute();
  /** The host's files. */
  readonly files = new FakeFiles();
  /** The client's streams. */
  readonly client = new FakeClient();
  /** The time. */
  readonly clock: FakeClock;
  /** The VM's disks. */
  readonly scsi: ScsiController;
  /** The pod. */
  readonly pod: PodController;
  /** The container. */
  readonly container: LinuxContainer;
  readonly #podDependencies: PodDependencies;

  /**
   * @param options How the guest behaves.
   * @param faults Counts, and fails one of, the calls to host and guest.
   * @param scratchEncryption Whether scratch disks are encrypted.
   * @param podParts What the pod has as a whole; no network by default.
   * @param clock The time.
   */
  constructor(
    options: FakeGuestOptions = {},
    faults?: FaultPlan,
    scratchEncryption = false,
    podParts: Pick<PodDependencies, "network" | "isVmRunning"> = {},
    clock: FakeClock = new FakeClock(),
  ) {
    this.clock = clock;
    this.guest = new FakeGuest(options);
    const guest = faults?.wrap(this.guest, [
      "modify",
      "createContainer",
      "deleteContainerState",
    ]) ?? this.guest;
    const vm = faults?.wrap(this.vm, ["modify"]) ?? this.vm;
    this.scsi = new ScsiController({ vm, guest });
    this.#podDependencies = {
      guest,
      scsi: this.scsi,
      compute: faults?.wrap(this.compute, ["grantAccess"]) ?? this.compute,
      files: faults?.wrap(this.files, ["resolve"]) ?? this.files,
      streams: faults?.wrap(this.client, ["open"]) ?? this.client,
      log: silentLogger,
      clock: this.clock,
      timeouts: defaultTimeouts,
      runtimeId: fakeRuntimeId,
      scratchEncryption,
      ...podParts,
    };
    this.pod = this.newPod("pod1");
    this.container = this.pod.newContainer("web");
  }

  /** A further pod of the same VM. */
  newPod(id: string): PodController {
    return new PodController(this.#podDependencies, id);
  }

  /** Creates the container. */
  async create(
    request: Partial<CreateContainer> = {},
    signal?: AbortSignal,
  ): Promise<void> {
    await this.container.create({
      bundle: "/b",
      spec: plainSpec,
      layers: twoLayers,
      stdio: noStdio,
      ...request,
    }, signal);
  }

  /** Creates and starts the container. @returns Its init process. */
  async run(
    request: Partial<CreateContainer> = {},
  ): Promise<FakeGuestProcess> {
    await this.create(request);
    return this.guest.process(await this.container.start());
  }

  /** What was said to guest and VM since the last call, in words. */
  said(): string[] {
    const words = this.guest.calls.map(({ call, argument }) => {
      if (call !== "modify") return call;
      const { RequestType, ResourceType } = argument as Record<string, string>;
      return `${RequestType} ${ResourceType}`;
    });
    this.guest.calls.length = 0;
    return words;
  }
}
