/**
 * Changing what a running VM has: memory, processors, its processor group and its
 * policy.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { SerialQueue } from "../../base/queue.ts";
import { SecurityPolicyFragment } from "../../bridge/messages.gen.ts";
import type { Guest } from "../../bridge/guest.ts";
import {
  CpuGroup,
  ModifySettingRequest,
  ProcessorLimits,
} from "../../hcs/documents.gen.ts";
import type { ComputeSystem } from "../../hcs/ports.ts";

/** Whom a change is told. */
export interface ResourcePeers {
  /** The VM, as the host knows it. */
  readonly vm: Pick<ComputeSystem, "modify">;
  /** The agent in the VM. */
  readonly guest: Pick<Guest, "modify">;
}

const topology = "VirtualMachine/ComputeTopology";

/** Memory comes in pairs of MiB: an odd number is rounded up. */
export function evenMebibytes(mebibytes: bigint): bigint {
  return (mebibytes + 1n) & ~1n;
}

/** The resources of one running VM. Changes are made one after another. */
export class VmResources {
  readonly #peers: ResourcePeers;
  readonly #changes = new SerialQueue();

  /**
   * The resources of a VM that has just started.
   *
   * @param peers Whom changes are told.
   */
  constructor(peers: ResourcePeers) {
    this.#peers = peers;
  }

  /**
   * Changes the memory of the VM, then lets the guest adapt the limits of its pods.
   *
   * @param mebibytes 0 or more; see {@linkcode evenMebibytes}.
   * @throws {HResultError} what host or guest answered. When the guest refused, the
   * memory has changed all the same.
   */
  updateMemory(mebibytes: bigint): Promise<void> {
    return this.#changes.run(async () => {
      await this.#peers.vm.modify(ModifySettingRequest.encode({
        ResourcePath: `${topology}/Memory/SizeInMB`,
        Settings: evenMebibytes(mebibytes),
      }));
      await this.#peers.guest.modify({
        RequestType: "Update",
        ResourceType: "PodCgroupMemoryLimit",
      });
    });
  }

  /**
   * Changes the limits of the VM's processors.
   *
   * @param limits What is absent is left to the host.
   * @throws {HResultError} what the host answered.
   */
  updateProcessors(limits: ProcessorLimits): Promise<void> {
    return this.#changes.run(() =>
      this.#peers.vm.modify(ModifySettingRequest.encode({
        ResourcePath: `${topology}/Processor/Limits`,
        Settings: ProcessorLimits.encode(limits),
      }))
    );
  }

  /**
   * Moves the VM to another processor group of the host.
   *
   * @param id GUID of the group.
   * @throws {ShimError} InvalidArgument when it is empty.
   * @throws {HResultError} what the host answered.
   */
  updateProcessorGroup(id: string): Promise<void> {
    if (id === "") {
      return Promise.reject(
        new ShimError(
          "InvalidArgument",
          "Cannot change the CPU group of a VM: the id of the group is empty",
        ),
      );
    }
    return this.#changes.run(() =>
      this.#peers.vm.modify(ModifySettingRequest.encode({
        ResourcePath: `${topology}/Processor/CpuGroup`,
        Settings: CpuGroup.encode({ Id: id }),
      }))
    );
  }

  /**
   * Adds a part to the policy that the guest enforces.
   *
   * @throws {HResultError} what the guest answered.
   */
  addPolicyFragment(fragment: SecurityPolicyFragment): Promise<void> {
    return this.#changes.run(() =>
      this.#peers.guest.modify({
        RequestType: "Add",
        ResourceType: "SecurityPolicyFragment",
        Settings: SecurityPolicyFragment.encode(fragment),
      })
    );
  }
}
