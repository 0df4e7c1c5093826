/**
 * Statistics of containers and VMs, as containerd's clients know them.
 *
 * @module
 */

import type { LCOWMetrics } from "../../bridge/messages.gen.ts";
import type { VmStats } from "../../controllers/vm/mod.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import { Metrics } from "../../ttrpc/api/cgroups_v1.gen.ts";
import {
  Statistics,
  VirtualMachineStatistics,
} from "../../ttrpc/api/runhcs_stats.gen.ts";

function camelCase(name: string): string {
  return name.replaceAll(
    /_([a-z])/g,
    (_, letter: string) => letter.toUpperCase(),
  );
}

/**
 * The guest's metrics and containerd's cgroup metrics have the same members and
 * differ in the spelling of their names alone.
 */
function respelled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(respelled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      camelCase(name),
      respelled(member),
    ]),
  );
}

/** A VM's statistics in containerd's words. */
function vmStatistics(stats: VmStats): VirtualMachineStatistics {
  const { processorRuntimeNs, virtualNodeCount, memory, workingSetBytes } =
    stats;
  return {
    processor: { totalRuntimeNs: processorRuntimeNs },
    memory: {
      virtualNodeCount,
      workingSetBytes: workingSetBytes ?? 0n,
      ...(memory === undefined ? {} : {
        vmMemory: {
          availableMemory: memory.AvailableMemory ?? 0,
          availableMemoryBuffer: memory.AvailableMemoryBuffer ?? 0,
          reservedMemory: memory.ReservedMemory ?? 0n,
          assignedMemory: memory.AssignedMemory ?? 0n,
          slpActive: memory.SlpActive ?? false,
          balancingEnabled: memory.BalancingEnabled ?? false,
          dmOperationInProgress: memory.DmOperationInProgress ?? false,
        },
      }),
    },
  };
}

/**
 * Packs statistics of a task. Clients on Windows know this family's own type,
 * which has a place for the VM; those on Linux know cgroup metrics alone.
 *
 * @param metrics What the guest measured of the container.
 * @param vm What the host measured of the VM, for the task that stands for it.
 * @param os Operating system of the client.
 */
export function packStatistics(
  metrics: LCOWMetrics,
  vm: VmStats | undefined,
  os: string,
): Any {
  const linux = respelled(metrics) as Metrics;
  if (os !== "windows") {
    return { typeUrl: Metrics.typeName, value: Metrics.encode(linux) };
  }
  const value = Statistics.encode(
    vm === undefined ? { linux } : { linux, vm: vmStatistics(vm) },
  );
  return { typeUrl: Statistics.typeName, value };
}

/** Packs statistics of a VM. */
export function packVmStatistics(vm: VmStats): Any {
  return {
    typeUrl: VirtualMachineStatistics.typeName,
    value: VirtualMachineStatistics.encode(vmStatistics(vm)),
  };
}
