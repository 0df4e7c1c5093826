/**
 * The document of a VM for the host compute service (HCS schema 2.1), as a pure
 * function of options, annotations and facts about the host.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import {
  AnnotationReader,
  type Annotations,
  vmAnnotations,
} from "../../oci/annotations.ts";
import {
  expandAnnotations,
  rejectUnsupported,
  withDefaults,
} from "../../oci/expand.ts";
import type { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import { type BootPlan, chipset, planBoot } from "./boot.ts";
import { consolePipe, devices, storageQoS } from "./devices.ts";
import { kernelCommandLine } from "./kernel_command_line.ts";
import type {
  DocumentInput,
  RuntimeOptions,
  SandboxOptions,
} from "./options.ts";
import {
  allowsOvercommit,
  memory,
  processor,
  processorCount,
  resourcePartition,
} from "./topology.ts";

/** Who owns a VM when nobody says otherwise. */
export const defaultOwner = "containerd-shim-lcow-v2";

/** The result of {@linkcode hcsDocument}. */
export interface VmDocument {
  /** For the compute service. */
  readonly document: ComputeSystemDocument;
  /** For the shim. */
  readonly sandboxOptions: SandboxOptions;
  /** How the VM boots. */
  readonly boot: BootPlan;
}

/**
 * The annotations that count: with the defaults of the options, expanded and
 * checked.
 *
 * @throws {ShimError} InvalidArgument when they contradict each other or ask
 * for what this shim does not do.
 */
export function effectiveAnnotations(
  options: RuntimeOptions,
  annotations: Annotations,
): Record<string, string> {
  const expanded = expandAnnotations(
    withDefaults(annotations, options.defaultContainerAnnotations ?? {}),
  );
  rejectUnsupported(expanded);
  return expanded;
}

/** The boot directory that annotations or options name; empty: the default one. */
export function namedBootDirectory(
  options: RuntimeOptions,
  annotations: Annotations,
): string {
  return annotations[vmAnnotations.bootFilesRootPath] ??
    options.bootFilesRootPath ?? "";
}

function architectureOf({ sandboxPlatform = "" }: RuntimeOptions): string {
  const match = /^linux\/(amd64|arm64)$/.exec(sandboxPlatform.toLowerCase());
  if (match?.[1] !== undefined) return match[1];
  throw new ShimError(
    "InvalidArgument",
    `Unsupported sandbox platform: ${sandboxPlatform}; use linux/amd64 or linux/arm64`,
  );
}

/** Types of devices that can be assigned; others are skipped with a warning. */
const assignable = ["gpu", "vpci", "vpci-instance-id"];

function refuse(what: string): ShimError {
  return new ShimError("NotImplemented", `${what} is not supported`);
}

/** Refuses what a document would have to say and this shim cannot yet do. */
function refuseTopology(annotations: AnnotationReader): void {
  if (annotations.text(vmAnnotations.securityPolicy)) {
    throw refuse(`Annotation ${vmAnnotations.securityPolicy}`);
  }
  if (annotations.uint32(vmAnnotations.numaMaxProcessorsPerNode) > 0) {
    throw refuse(`Annotation ${vmAnnotations.numaMaxProcessorsPerNode}`);
  }
  if (annotations.uint32List(vmAnnotations.numaMappedPhysicalNodes).length) {
    throw refuse(`Annotation ${vmAnnotations.numaMappedPhysicalNodes}`);
  }
}

function refuseDevices(
  input: DocumentInput,
  annotations: AnnotationReader,
  log: Logger,
): void {
  const vpmem = annotations.uint32(vmAnnotations.vpmemMaximumCount);
  const tolerated = input.host.arch === "arm64" ||
    annotations.bool(vmAnnotations.fullyPhysicallyBacked);
  if (vpmem > 0 && !tolerated) {
    throw new ShimError(
      "InvalidArgument",
      `v2 shims do not support vPMem devices: annotation ${vmAnnotations.vpmemMaximumCount} is ${vpmem}`,
    );
  }
  for (const { id, idType } of input.devices) {
    if (assignable.includes(idType)) {
      throw refuse(`Device "${id}" of the sandbox: assigning devices`);
    }
    log.warn("Device ignored: its type is unknown", { device: id, idType });
  }
}

/**
 * Builds the document of a VM.
 *
 * @param input Options, annotations and facts; read only.
 * @param log Where warnings about ignored settings go.
 * @returns The document and what the shim keeps for itself.
 * @throws {ShimError} InvalidArgument, NotFound, FailedPrecondition or
 * NotImplemented; the first reason in the order annotations, platform,
 * processors, memory, boot files, devices, console, kernel arguments.
 */
export function hcsDocument(
  input: DocumentInput,
  log: Logger = silentLogger,
): VmDocument {
  const { options } = input;
  const effective = effectiveAnnotations(options, input.annotations);
  const annotations = new AnnotationReader(effective, log);
  const architecture = architectureOf(options);
  const processorSettings = processor(input, annotations);
  const partition = resourcePartition(annotations);
  const memorySettings = memory(input, annotations);
  refuseTopology(annotations);
  const boot = planBoot(input, annotations);
  refuseDevices(input, annotations, log);
  const console = consolePipe(annotations);
  const commandLine = kernelCommandLine(
    boot,
    options,
    annotations,
    processorCount(input, annotations),
    console !== undefined,
    log,
  );
  const document: ComputeSystemDocument = {
    Owner: input.owner || defaultOwner,
    SchemaVersion: { Major: 2, Minor: 1 },
    // Users ask for this first: a dead shim must not leave its VM behind.
    ShouldTerminateOnLastHandleClosed: true,
    VirtualMachine: {
      StopOnReset: true,
      Chipset: chipset(boot, commandLine),
      ComputeTopology: {
        Memory: memorySettings,
        Processor: processorSettings,
      },
      Devices: devices(boot, annotations, input.host.build, console, log),
      ...storageQoS(annotations),
      ...partition,
    },
  };
  return {
    document,
    boot,
    sandboxOptions: {
      noWritableFileShares: annotations.bool(
        vmAnnotations.disableWritableFileShares,
      ),
      enableScratchEncryption: annotations.bool(vmAnnotations.scratchEncrypted),
      policyBasedRouting: annotations.bool(vmAnnotations.policyBasedRouting),
      architecture,
      fullyPhysicallyBacked: !allowsOvercommit(annotations),
    },
  };
}
