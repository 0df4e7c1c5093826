/**
 * Devices that a VM is created with.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isGuid, newGuid } from "../../base/guid.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import {
  type AnnotationReader,
  vmAnnotations,
  wrongAnnotation,
} from "../../oci/annotations.ts";
import { isAssignable, parsePciFunction } from "../../oci/devices.ts";
import {
  type Devices,
  type HvSocketConfig,
  HvSocketServiceConfig,
  type Scsi,
  type StorageQoS,
  type VirtualPciDevice,
} from "../../hcs/documents.gen.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { attachmentOf } from "../device/scsi/config.ts";
import type { BootPlan } from "./boot.ts";
import type { DocumentInput } from "./options.ts";

/** First Windows build whose VMs have four SCSI controllers. */
const fourControllersBuild = 17763;

/** First Windows build that places devices near their memory. */
const affinityBuild = 26100;

/** System and administrators; who else may listen needs a table entry. */
const ordinarySockets: HvSocketConfig = {
  DefaultBindSecurityDescriptor: "D:P(A;;FA;;;SY)(A;;FA;;;BA)",
};

/** Prefix that every named pipe of a Windows host has. */
const pipePrefix = "\\\\.\\pipe\\";

/** How many SCSI controllers VMs of a Windows build have. */
export function scsiControllerCount(build: number): number {
  return build >= fourControllersBuild ? scsiControllerIds.length : 1;
}

/** The SCSI controllers, the first one with the root disk if there is one. */
function scsi(
  plan: BootPlan,
  build: number,
): Record<string, Scsi> {
  const result: Record<string, Scsi> = {};
  for (const id of scsiControllerIds.slice(0, scsiControllerCount(build))) {
    result[id] = {};
  }
  const [first] = scsiControllerIds;
  if (plan.isDisk && first !== undefined) {
    result[first] = {
      Attachments: { "0": attachmentOf(rootDisk(plan.rootfs)) },
    };
  }
  return result;
}

/** The disk that holds the root file system of the VM. */
export function rootDisk(
  hostPath: string,
): { hostPath: string; readOnly: true; type: "VirtualDisk" } {
  return { hostPath, readOnly: true, type: "VirtualDisk" };
}

/** The services that annotations name. What cannot be read is left out. */
function serviceTable(
  annotations: AnnotationReader,
  log: Logger,
): Record<string, HvSocketServiceConfig> {
  const table: Record<string, HvSocketServiceConfig> = {};
  const prefix = vmAnnotations.hvSocketServiceTable;
  for (const [guid, text] of annotations.withPrefix(prefix)) {
    if (!isGuid(guid)) {
      log.warn("Annotation ignored: it does not end in a GUID", {
        annotation: prefix + guid,
      });
      continue;
    }
    try {
      table[guid.toLowerCase()] = HvSocketServiceConfig.parse(text);
    } catch {
      // The error would quote it.
      log.warn("Annotation ignored: it is no service configuration", {
        annotation: prefix + guid,
        annotationValue: text,
      });
    }
  }
  return table;
}

/**
 * The devices of the host that a VM is created with, by fresh ids.
 *
 * @param input Whose `devices` are assigned; one of an unknown type is left out,
 * with a warning.
 * @param hasProcessorNodes Whether the service parts the processors into nodes.
 * The peer asks for affinity only then, not for nodes that are written down.
 * @throws {ShimError} InvalidArgument when a function is there twice.
 */
export function assignedDevices(
  { devices, host, newId = newGuid }: DocumentInput,
  hasProcessorNodes: boolean,
  log: Logger = silentLogger,
): Record<string, VirtualPciDevice> {
  const isPlaced = hasProcessorNodes && host.build >= affinityBuild;
  const seen = new Set<string>();
  const assigned: Record<string, VirtualPciDevice> = {};
  for (const { id, idType } of devices) {
    if (!isAssignable(idType)) {
      log.warn("Device ignored: its type is unknown", { device: id, idType });
      continue;
    }
    const { instancePath, virtualFunction } = parsePciFunction(id);
    const key = JSON.stringify([instancePath, virtualFunction]);
    if (seen.has(key)) {
      throw new ShimError(
        "InvalidArgument",
        `Device "${instancePath}" with index ${virtualFunction} is specified multiple times`,
      );
    }
    seen.add(key);
    assigned[newId()] = {
      Functions: [{
        DeviceInstancePath: instancePath,
        VirtualFunction: virtualFunction,
      }],
      PropagateNumaAffinity: isPlaced,
    };
  }
  return assigned;
}

/**
 * Refuses persistent memory, which this shim never gives to a VM. Where a VM could
 * not have it anyway, the annotation is harmless.
 *
 * @throws {ShimError} InvalidArgument.
 */
export function refusePersistentMemory(
  { host }: DocumentInput,
  annotations: AnnotationReader,
): void {
  const count = annotations.uint32(vmAnnotations.vpmemMaximumCount);
  const isHarmless = host.arch === "arm64" ||
    annotations.bool(vmAnnotations.fullyPhysicallyBacked);
  if (count === 0 || isHarmless) return;
  throw new ShimError(
    "InvalidArgument",
    `v2 shims do not support vPMem devices: annotation ${vmAnnotations.vpmemMaximumCount} is ${count}`,
  );
}

/**
 * The named pipe of the serial console, or undefined.
 *
 * @throws {ShimError} InvalidArgument when it is no named pipe.
 */
export function consolePipe(annotations: AnnotationReader): string | undefined {
  const pipe = annotations.text(vmAnnotations.consolePipe);
  if (!pipe) return undefined;
  if (pipe.startsWith(pipePrefix)) return pipe;
  throw new ShimError(
    "InvalidArgument",
    `Listener for serial console is not a named pipe: ${
      wrongAnnotation(
        vmAnnotations.consolePipe,
        pipe,
        `a path that starts with ${pipePrefix}`,
      )
    }`,
  );
}

/** What a VM has beside disks, services and shares. */
export interface ExtraDevices {
  /** Named pipe of the serial console. */
  readonly console?: string | undefined;
  /** Devices of the host, by their ids. */
  readonly pci?: Readonly<Record<string, VirtualPciDevice>>;
  /** Rules of its sockets; its services replace those that annotations name. */
  readonly sockets?: HvSocketConfig;
}

/** The `Devices` of the VM. */
export function devices(
  plan: BootPlan,
  annotations: AnnotationReader,
  build: number,
  { console, pci = {}, sockets = ordinarySockets }: ExtraDevices,
  log: Logger = silentLogger,
): Devices {
  const services = {
    ...serviceTable(annotations, log),
    ...sockets.ServiceTable,
  };
  const hasServices = Object.keys(services).length > 0;
  return {
    ...(console === undefined
      ? {}
      : { ComPorts: { "0": { NamedPipe: console } } }),
    Scsi: scsi(plan, build),
    ...(Object.keys(pci).length > 0 ? { VirtualPci: { ...pci } } : {}),
    HvSocket: {
      HvSocketConfig: {
        ...sockets,
        ...(hasServices ? { ServiceTable: services } : {}),
      },
    },
    // Its presence alone attaches the device, which a migration cannot carry.
    ...(annotations.bool(vmAnnotations.migrationSupport) ? {} : { Plan9: {} }),
  };
}

/** The `StorageQoS` of the VM, or nothing when no limit is set. */
export function storageQoS(
  annotations: AnnotationReader,
): { StorageQoS?: StorageQoS } {
  const iops = annotations.int32(vmAnnotations.storageIopsMaximum);
  const bandwidth = annotations.int32(vmAnnotations.storageBandwidthMaximum);
  if (iops <= 0 && bandwidth <= 0) return {};
  return { StorageQoS: { IopsMaximum: iops, BandwidthMaximum: bandwidth } };
}
