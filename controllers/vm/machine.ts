/**
 * The two kinds of machines that documents describe: one that boots a kernel of
 * the host, and one that is isolated from its host.
 *
 * @module
 */

import { type Logger, silentLogger } from "../../base/log.ts";
import type {
  Chipset,
  Devices,
  Memory,
  VirtualMachine,
} from "../../hcs/documents.gen.ts";
import type { AnnotationReader } from "../../oci/annotations.ts";
import { type BootPlan, chipset, planBoot } from "./boot.ts";
import {
  isolatedChipset,
  isolatedSockets,
  isolation,
  planIsolatedBoot,
} from "./confidential.ts";
import {
  assignedDevices,
  consolePipe,
  devices,
  refusePersistentMemory,
} from "./devices.ts";
import { kernelCommandLine } from "./kernel_command_line.ts";
import { type NumaTopology, numaTopology } from "./numa.ts";
import type { ConfidentialConfig, DocumentInput, FileCopy } from "./options.ts";
import { processorCount } from "./topology.ts";

/** The part of a document that depends on how the VM boots. */
export interface Machine {
  /** Firmware or kernel. */
  readonly chipset: Chipset;
  /** Its memory, without what a NUMA topology adds. */
  readonly memory: Memory;
  /** Its NUMA topology, if any. */
  readonly numa?: NumaTopology | undefined;
  /** Its devices. */
  readonly devices: Devices;
  /** What only an isolated VM has. */
  readonly guest?: Pick<VirtualMachine, "GuestState" | "SecuritySettings">;
  /** How it boots. */
  readonly boot: BootPlan;
  /** Files that must be in the bundle before it is created. */
  readonly copies: readonly FileCopy[];
}

/**
 * A VM that boots the kernel which the shim names.
 *
 * @throws {ShimError} InvalidArgument, NotFound or FailedPrecondition; the first
 * reason in the order NUMA, boot files, devices, console, kernel arguments.
 */
export function ordinaryMachine(
  input: DocumentInput,
  annotations: AnnotationReader,
  memory: Memory,
  log: Logger = silentLogger,
): Machine {
  const { build } = input.host;
  const processors = processorCount(input, annotations);
  const numa = numaTopology(annotations, {
    build,
    processors,
    memoryMb: memory.SizeInMB ?? 0n,
    allowsOvercommit: memory.AllowOvercommit ?? false,
  }, log);
  const boot = planBoot(input, annotations);
  refusePersistentMemory(input, annotations);
  const hasProcessorNodes = numa?.processors !== undefined;
  const pci = assignedDevices(input, hasProcessorNodes, log);
  const console = consolePipe(annotations);
  const commandLine = kernelCommandLine(
    boot,
    input.options,
    annotations,
    processors,
    console !== undefined,
    log,
  );
  return {
    chipset: chipset(boot, commandLine),
    memory,
    numa,
    devices: devices(boot, annotations, build, { console, pci }, log),
    boot,
    copies: [],
  };
}

/**
 * A VM that its host cannot look into. It takes no kernel arguments, no serial
 * console, no devices of the host and no NUMA topology from anybody; annotations
 * for them are ignored.
 *
 * @throws {ShimError} NotFound without its files, InvalidArgument for a policy
 * that cannot be read.
 */
export function isolatedMachine(
  input: DocumentInput,
  config: ConfidentialConfig,
  annotations: AnnotationReader,
  memory: Memory,
  log: Logger = silentLogger,
): Machine {
  const { plan, guestState, copies } = planIsolatedBoot(input, annotations);
  const sockets = isolatedSockets(annotations);
  return {
    chipset: isolatedChipset(),
    memory: { ...memory, AllowOvercommit: false },
    devices: devices(plan, annotations, input.host.build, { sockets }, log),
    guest: {
      GuestState: guestState,
      SecuritySettings: isolation(config, annotations),
    },
    boot: plan,
    copies,
  };
}
