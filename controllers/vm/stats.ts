/**
 * Statistics of a VM, as the compute service counts them.
 *
 * @module
 */

import {
  Properties,
  type VirtualMachineMemory,
} from "../../hcs/documents.gen.ts";
import type { ComputeSystem } from "../../hcs/ports.ts";

/** Bytes of a page of the VM's memory. */
const pageBytes = 4096n;

/** Statistics of a VM. */
export interface VmStats {
  /** Processor time of all virtual processors, in nanoseconds. */
  readonly processorRuntimeNs: bigint;
  /** Virtual NUMA nodes. */
  readonly virtualNodeCount: number;
  /** Memory as the service reports it; absent when it does not. */
  readonly memory?: VirtualMachineMemory;
  /** Bytes of host memory in use; absent when the host cannot tell. */
  readonly workingSetBytes?: bigint;
}

/**
 * Reads the statistics of a VM.
 *
 * @param system The VM.
 * @param physicallyBacked Whether all its memory is assigned: the compute service
 *   knows how much is used only then.
 * @param workingSet Asks the host for the memory of any other VM.
 */
export async function readVmStats(
  system: Pick<ComputeSystem, "properties">,
  physicallyBacked: boolean,
  workingSet: () => Promise<bigint | undefined>,
): Promise<VmStats> {
  const { Statistics, Memory } = Properties.decode(
    await system.properties({ PropertyTypes: ["Statistics", "Memory"] }),
  );
  const runtime = Statistics?.Processor?.TotalRuntime100ns ?? 0n;
  const memory = Memory?.VirtualMachineMemory;
  const assigned = memory?.AssignedMemory;
  const used = physicallyBacked
    ? assigned === undefined ? undefined : assigned * pageBytes
    : await workingSet();
  return {
    processorRuntimeNs: runtime * 100n,
    virtualNodeCount: Memory?.VirtualNodeCount ?? 0,
    ...(memory === undefined ? {} : { memory }),
    ...(used === undefined ? {} : { workingSetBytes: used }),
  };
}
