/**
 * The virtual NUMA topology of a VM: implicit (the service parts the VM by
 * sizes), or explicit (every virtual node is written down).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type {
  Numa,
  NumaProcessorsSettings,
  NumaSetting,
} from "../../hcs/documents.gen.ts";
import { type AnnotationReader, vmAnnotations } from "../../oci/annotations.ts";

/** First Windows build that takes a virtual topology. */
const numaBuild = 26100;

/** Highest number of a virtual node. */
const highestVirtualNode = 64;

/** There are fewer physical nodes than this. */
const physicalNodes = 64;

/** A physical node of the service's choice. */
const anyNode = 255;

/** A virtual topology. */
export interface NumaTopology {
  /** For the topology of the document. */
  readonly numa: Numa;
  /** For the processors of the document; only the implicit form has them. */
  readonly processors?: NumaProcessorsSettings;
}

/** What of the VM a topology must fit. */
export interface NumaLimits {
  /** Windows build number. */
  readonly build: number;
  /** Virtual processors of the VM. */
  readonly processors: number;
  /** Memory of the VM in MiB. */
  readonly memoryMb: bigint;
  /** Whether its memory may be more than the host has. */
  readonly allowsOvercommit: boolean;
}

/** Annotations that mean nothing without the two that ask for a topology. */
const dependents = [
  vmAnnotations.numaMaxSizePerNode,
  vmAnnotations.numaPreferredPhysicalNodes,
  vmAnnotations.numaCountOfProcessors,
  vmAnnotations.numaCountOfMemoryBlocks,
];

function invalid(message: string): ShimError {
  return new ShimError("InvalidArgument", message);
}

function implicit(
  perNode: number,
  preferred: readonly number[],
  annotations: AnnotationReader,
): NumaTopology {
  const size = annotations.uint64(vmAnnotations.numaMaxSizePerNode);
  if (size === 0n) {
    throw invalid(
      `max size per node must be set when max processors per numa node is set: give annotation ${vmAnnotations.numaMaxSizePerNode} a number of MiB`,
    );
  }
  return {
    numa: { PreferredPhysicalNodes: [...preferred], MaxSizePerNode: size },
    processors: { count_per_node: { max: perNode } },
  };
}

function explicit(
  mapped: readonly number[],
  preferred: readonly number[],
  annotations: AnnotationReader,
): NumaTopology {
  const processors = annotations.uint32List(
    vmAnnotations.numaCountOfProcessors,
  );
  const memory = annotations.uint64List(vmAnnotations.numaCountOfMemoryBlocks);
  if (
    processors.length !== mapped.length || memory.length !== mapped.length
  ) {
    throw invalid(
      `mismatch in number of physical numa nodes and the corresponding processor and memory blocks count: ${mapped.length}, ${processors.length} and ${memory.length}`,
    );
  }
  const settings = mapped.map((node, index): NumaSetting => ({
    VirtualNodeNumber: index,
    PhysicalNodeNumber: node,
    VirtualSocketNumber: index,
    CountOfProcessors: processors[index] ?? 0,
    CountOfMemoryBlocks: memory[index] ?? 0n,
    MemoryBackingType: "Physical",
  }));
  requireConsistent(settings);
  return {
    numa: {
      VirtualNodeCount: settings.length,
      PreferredPhysicalNodes: [...preferred],
      Settings: settings,
    },
  };
}

function requireNode(
  { VirtualNodeNumber = 0, PhysicalNodeNumber = 0 }: NumaSetting,
  first: number,
): void {
  if (VirtualNodeNumber > highestVirtualNode) {
    throw invalid(
      `vNUMA virtual node number ${VirtualNodeNumber} exceeds maximum allowed value ${highestVirtualNode}`,
    );
  }
  if (PhysicalNodeNumber !== anyNode && PhysicalNodeNumber >= physicalNodes) {
    throw invalid(
      `vNUMA physical node number ${PhysicalNodeNumber} exceeds maximum allowed value ${physicalNodes}: numbers go from 0 to ${
        physicalNodes - 1
      }, or are ${anyNode} for any node`,
    );
  }
  if ((first === anyNode) !== (PhysicalNodeNumber === anyNode)) {
    const named = first === anyNode ? PhysicalNodeNumber : first;
    throw invalid(
      `vNUMA has a mix of wildcard (${anyNode}) and non-wildcard (${named}) physical node numbers`,
    );
  }
}

/**
 * Checks nodes against each other.
 *
 * @throws {ShimError} InvalidArgument; the first reason in the order of the
 * nodes, then what is wrong with their sums.
 */
export function requireConsistent(settings: readonly NumaSetting[]): void {
  const [{ PhysicalNodeNumber: first = 0 } = {}] = settings;
  const seen = new Set<number>();
  for (const setting of settings) {
    requireNode(setting, first);
    const { VirtualNodeNumber = 0, CountOfMemoryBlocks = 0n } = setting;
    if (CountOfMemoryBlocks === 0n) {
      throw invalid(
        `vNUMA nodes with no memory are not allowed: virtual node ${VirtualNodeNumber} has none`,
      );
    }
    if (seen.has(VirtualNodeNumber)) {
      throw invalid(
        `vNUMA virtual node number ${VirtualNodeNumber} is used twice`,
      );
    }
    seen.add(VirtualNodeNumber);
  }
  const { memory, processors } = sums(settings);
  if (memory > 0n && processors === 0) {
    throw invalid(
      `partial resource allocation is not allowed: the vNUMA nodes have ${memory} MiB of memory and no processors`,
    );
  }
}

function sums(
  settings: readonly NumaSetting[],
): { memory: bigint; processors: number } {
  return {
    memory: settings.reduce(
      (sum, { CountOfMemoryBlocks = 0n }) => sum + CountOfMemoryBlocks,
      0n,
    ),
    processors: settings.reduce(
      (sum, { CountOfProcessors = 0 }) => sum + CountOfProcessors,
      0,
    ),
  };
}

/** @throws {ShimError} InvalidArgument when the nodes are not all of the VM. */
function requireWhole(numa: Numa, limits: NumaLimits): void {
  const { memory, processors } = sums(numa.Settings ?? []);
  if (processors !== 0 && processors !== limits.processors) {
    throw invalid(
      `vNUMA total processors ${processors} does not match UVM processors ${limits.processors}`,
    );
  }
  if (memory !== 0n && memory !== limits.memoryMb) {
    throw invalid(
      `vNUMA total memory ${memory} does not match UVM memory ${limits.memoryMb}`,
    );
  }
}

/**
 * The virtual topology that annotations ask for.
 *
 * @param annotations The annotations of the sandbox.
 * @param limits What it must fit.
 * @param log Where a warning about annotations without effect goes.
 * @returns Undefined when they ask for none.
 * @throws {ShimError} FailedPrecondition on a host that is too old;
 * InvalidArgument for a topology that does not fit in itself or the VM.
 */
export function numaTopology(
  annotations: AnnotationReader,
  limits: NumaLimits,
  log: Logger = silentLogger,
): NumaTopology | undefined {
  const perNode = annotations.uint32(vmAnnotations.numaMaxProcessorsPerNode);
  const mapped = annotations.uint32List(vmAnnotations.numaMappedPhysicalNodes);
  if (perNode === 0 && mapped.length === 0) {
    const idle = dependents.filter((name) => annotations.text(name));
    if (idle.length > 0) {
      log.warn("Annotations ignored: they ask for no NUMA topology", { idle });
    }
    return undefined;
  }
  if (limits.build < numaBuild) {
    throw new ShimError(
      "FailedPrecondition",
      `vNUMA topology is not supported on builds older than ${numaBuild}; this one is ${limits.build}`,
    );
  }
  const preferred = annotations.uint32List(
    vmAnnotations.numaPreferredPhysicalNodes,
  );
  const topology = perNode > 0
    ? implicit(perNode, preferred, annotations)
    : explicit(mapped, preferred, annotations);
  if (limits.allowsOvercommit) {
    throw invalid(
      `vNUMA supports only Physical memory backing type: set annotation ${vmAnnotations.allowOvercommit} to false`,
    );
  }
  requireWhole(topology.numa, limits);
  return topology;
}
