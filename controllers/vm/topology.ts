/**
 * Processors and memory of a VM.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isGuid } from "../../base/guid.ts";
import type { Memory, Processor } from "../../hcs/documents.gen.ts";
import {
  type AnnotationReader,
  vmAnnotations,
  wrongAnnotation,
} from "../../oci/annotations.ts";
import type { DocumentInput } from "./options.ts";

/** First Windows build that takes a CPU group when a VM is created. */
const cpuGroupBuild = 19043;

/** First Windows build that knows the cold discard hint. */
const coldDiscardBuild = 18967;

const defaultProcessors = 2;
const defaultMemoryMb = 1024n;

/** How many virtual processors the VM gets. */
export function processorCount(
  { options, host }: DocumentInput,
  annotations: AnnotationReader,
): number {
  const wanted = annotations.int32(
    vmAnnotations.processorCount,
    options.vmProcessorCount ?? 0,
  );
  const usual = host.cpus === 1 ? 1 : defaultProcessors;
  return Math.min(wanted > 0 ? wanted : usual, host.logicalProcessors);
}

/**
 * The `Processor` of the VM.
 *
 * @throws {ShimError} FailedPrecondition for a CPU group on a host that is too old.
 */
export function processor(
  input: DocumentInput,
  annotations: AnnotationReader,
): Processor {
  const group = annotations.text(vmAnnotations.cpuGroupId);
  if (group && input.host.build < cpuGroupBuild) {
    throw new ShimError(
      "FailedPrecondition",
      `cpu group assignment on create requires a build of ${cpuGroupBuild} or higher; this one is ${input.host.build}`,
    );
  }
  return {
    Count: processorCount(input, annotations),
    // The service takes them unsigned; a negative annotation is passed as it is.
    Limit: annotations.int32(vmAnnotations.processorLimit) >>> 0,
    Weight: annotations.int32(vmAnnotations.processorWeight) >>> 0,
    ...(group ? { CpuGroup: { Id: group } } : {}),
  };
}

/**
 * The resource partition of the VM, if any.
 *
 * @throws {ShimError} InvalidArgument when it is no GUID, or set beside a CPU group.
 */
export function resourcePartition(
  annotations: AnnotationReader,
): { ResourcePartitionId?: string } {
  const id = annotations.text(vmAnnotations.resourcePartitionId);
  if (!id) return {};
  if (!isGuid(id)) {
    throw new ShimError(
      "InvalidArgument",
      `Failed to parse resource_partition_id: ${
        wrongAnnotation(vmAnnotations.resourcePartitionId, id, "a GUID")
      }`,
    );
  }
  if (annotations.text(vmAnnotations.cpuGroupId)) {
    throw new ShimError(
      "InvalidArgument",
      "cpu_group_id and resource_partition_id cannot be set at the same time",
    );
  }
  return { ResourcePartitionId: id };
}

/** Whether the host may promise more memory to its VMs than it has. */
export function allowsOvercommit(annotations: AnnotationReader): boolean {
  return annotations.bool(vmAnnotations.allowOvercommit, true) &&
    !annotations.bool(vmAnnotations.fullyPhysicallyBacked);
}

/** Size in MiB: rounded up to an even number, within 64 bits. */
function memorySize(
  { options }: DocumentInput,
  annotations: AnnotationReader,
): bigint {
  const option = BigInt.asUintN(64, BigInt(options.vmMemorySizeInMb ?? 0));
  const wanted = annotations.uint64(vmAnnotations.memorySizeInMb, option);
  const size = wanted === 0n ? defaultMemoryMb : wanted;
  return BigInt.asUintN(64, size + 1n) & ~1n;
}

/**
 * The `Memory` of the VM.
 *
 * @throws {ShimError} FailedPrecondition for settings that exclude each other
 * or that the host is too old for.
 */
export function memory(
  input: DocumentInput,
  annotations: AnnotationReader,
): Memory {
  const { build } = input.host;
  const overcommit = allowsOvercommit(annotations);
  const coldDiscard = annotations.bool(vmAnnotations.enableColdDiscardHint);
  const deferred = annotations.bool(vmAnnotations.enableDeferredCommit);
  if (coldDiscard && build < coldDiscardBuild) {
    throw new ShimError(
      "FailedPrecondition",
      `EnableColdDiscardHint is not supported on builds older than ${coldDiscardBuild}; this one is ${build}`,
    );
  }
  if (deferred && !overcommit) {
    throw new ShimError(
      "InvalidArgument",
      "enable_deferred_commit is not supported on physically backed vms",
    );
  }
  return {
    SizeInMB: memorySize(input, annotations),
    AllowOvercommit: overcommit,
    EnableDeferredCommit: deferred,
    EnableColdDiscardHint: coldDiscard,
    LowMmioGapInMB: annotations.uint64(vmAnnotations.lowMmioGapInMb),
    HighMmioBaseInMB: annotations.uint64(vmAnnotations.highMmioBaseInMb),
    HighMmioGapInMB: annotations.uint64(vmAnnotations.highMmioGapInMb),
  };
}
