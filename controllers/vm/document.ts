/**
 * The document of a VM for the host compute service (HCS schema 2.1), as a pure
 * function of options, annotations and facts about the host.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
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
import type { BootPlan } from "./boot.ts";
import { confidentialConfig } from "./confidential.ts";
import { storageQoS } from "./devices.ts";
import { isolatedMachine, ordinaryMachine } from "./machine.ts";
import type {
  DocumentInput,
  FileCopy,
  RuntimeOptions,
  SandboxOptions,
} from "./options.ts";
import { memory, processor, resourcePartition } from "./topology.ts";

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
  /** Files that must be in the bundle before the VM is created. */
  readonly copies: readonly FileCopy[];
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

/**
 * Builds the document of a VM.
 *
 * @param input Options, annotations and facts; read only.
 * @param log Where warnings about ignored settings go.
 * @returns The document and what the shim keeps for itself.
 * @throws {ShimError} InvalidArgument, NotFound or FailedPrecondition; the first
 * reason in the order annotations, platform, processors, memory, NUMA, boot
 * files, devices, console, kernel arguments.
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
  const config = confidentialConfig(annotations);
  const isIsolated = config !== undefined &&
    !annotations.bool(vmAnnotations.noSecurityHardware);
  const machine = isIsolated
    ? isolatedMachine(input, config, annotations, memorySettings, log)
    : ordinaryMachine(input, annotations, memorySettings, log);
  const { numa } = machine;
  const document: ComputeSystemDocument = {
    Owner: input.owner || defaultOwner,
    SchemaVersion: { Major: 2, Minor: isIsolated ? 5 : 1 },
    // Users ask for this first: a dead shim must not leave its VM behind.
    ShouldTerminateOnLastHandleClosed: true,
    VirtualMachine: {
      StopOnReset: true,
      Chipset: machine.chipset,
      ComputeTopology: {
        Memory: {
          ...machine.memory,
          ...(numa ? { SlitType: "FirmwareFallbackMeasured" } : {}),
        },
        Processor: {
          ...processorSettings,
          ...(numa?.processors
            ? { NumaProcessorsSettings: numa.processors }
            : {}),
        },
        ...(numa ? { Numa: numa.numa } : {}),
      },
      Devices: machine.devices,
      ...storageQoS(annotations),
      ...partition,
      ...machine.guest,
    },
  };
  return {
    document,
    boot: machine.boot,
    copies: machine.copies,
    sandboxOptions: {
      noWritableFileShares: annotations.bool(
        vmAnnotations.disableWritableFileShares,
      ),
      enableScratchEncryption: annotations.bool(
        vmAnnotations.scratchEncrypted,
        config !== undefined,
      ),
      policyBasedRouting: annotations.bool(vmAnnotations.policyBasedRouting),
      architecture,
      fullyPhysicallyBacked: !machine.memory.AllowOvercommit,
      ...(config === undefined ? {} : { confidential: config }),
    },
  };
}
