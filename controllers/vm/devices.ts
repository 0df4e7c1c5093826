/**
 * Devices that a VM is created with.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { isGuid } from "../../base/guid.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type AnnotationReader, vmAnnotations } from "../../oci/annotations.ts";
import {
  type Devices,
  type HvSocket,
  HvSocketServiceConfig,
  type ScsiController,
  type StorageQoS,
} from "../../hcs/documents.gen.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { attachmentOf } from "../device/scsi/config.ts";
import type { BootPlan } from "./boot.ts";

/** First Windows build whose VMs have four SCSI controllers. */
const fourControllersBuild = 17763;

/** System and administrators; who else may listen needs a table entry. */
const defaultBind = "D:P(A;;FA;;;SY)(A;;FA;;;BA)";

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
): Record<string, ScsiController> {
  const result: Record<string, ScsiController> = {};
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

function hvSocket(annotations: AnnotationReader, log: Logger): HvSocket {
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
    } catch (error) {
      log.warn("Annotation ignored: it is no service configuration", {
        annotation: prefix + guid,
        error: messageOf(error),
      });
    }
  }
  return {
    HvSocketConfig: {
      DefaultBindSecurityDescriptor: defaultBind,
      ...(Object.keys(table).length === 0 ? {} : { ServiceTable: table }),
    },
  };
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
    `Listener for serial console is not a named pipe: "${pipe}"; it must start with ${pipePrefix}`,
  );
}

/** The `Devices` of the VM. */
export function devices(
  plan: BootPlan,
  annotations: AnnotationReader,
  build: number,
  console: string | undefined,
  log: Logger = silentLogger,
): Devices {
  return {
    ...(console === undefined
      ? {}
      : { ComPorts: { "0": { NamedPipe: console } } }),
    Scsi: scsi(plan, build),
    HvSocket: hvSocket(annotations, log),
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
