/**
 * The judge of compute system documents: what a document asks of the simulated
 * host, or why it is refused.
 *
 * Tuning that namespaces have no equal of (NUMA, storage limits, MMIO gaps, paging
 * hints) is checked and has no effect. Devices that this host does not simulate
 * are refused, because the guest would wait for them.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import { isGuid } from "../base/guid.ts";
import type { Json } from "../base/json.ts";
import {
  type Chipset,
  ComputeSystemDocument,
  type Devices,
  type ScsiAttachment,
} from "../hcs/documents.gen.ts";
import { refusal } from "./hresults.ts";
import {
  type GuestStart,
  parseKernelCommandLine,
} from "./kernel_command_line.ts";

/** A disk of the document. */
export interface PlannedDisk {
  /** Index of its controller in {@linkcode MachinePlan.controllers}. */
  readonly controller: number;
  /** Place on the controller. */
  readonly lun: number;
  /** What is attached. */
  readonly attachment: ScsiAttachment;
}

/** What a valid document asks for. */
export interface MachinePlan {
  /** Who creates it. */
  readonly owner: string;
  /** Memory in MiB. */
  readonly memory: number;
  /** Virtual processors. */
  readonly processors: number;
  /** What init is told. */
  readonly guest: GuestStart;
  /** GUIDs of the SCSI controllers, lower case; the index is the guest's number. */
  readonly controllers: readonly string[];
  /** Disks that are there from the start. */
  readonly disks: readonly PlannedDisk[];
  /** Files of the host that must exist. */
  readonly files: readonly string[];
}

/** HCS: a SCSI controller has 64 places. */
export const lunCount = 64;

/** HCS: a virtual machine has at most four SCSI controllers. */
const maxControllers = 4;

const root = "$.VirtualMachine";

function reject(path: string, problem: string): never {
  throw refusal("invalidDocument", `${path}: ${problem}`);
}

function unsupported(path: string): never {
  throw refusal(
    "notSupported",
    `${path}: the simulated host does not have this`,
  );
}

/** Reads a place on a controller. Undefined when the text is none. */
export function parseLun(text: string): number | undefined {
  return /^(0|[1-9]\d?)$/.test(text) && Number(text) < lunCount
    ? Number(text)
    : undefined;
}

function guestStart(path: string, commandLine: string | undefined): GuestStart {
  try {
    return parseKernelCommandLine(commandLine ?? "");
  } catch (error) {
    return reject(path, messageOf(error));
  }
}

function boot(chipset: Chipset): Pick<MachinePlan, "guest" | "files"> {
  const { LinuxKernelDirect: direct, Uefi: uefi } = chipset;
  const path = `${root}.Chipset`;
  if ((direct === undefined) === (uefi === undefined)) {
    return reject(path, "exactly one of LinuxKernelDirect and Uefi is needed");
  }
  if (direct !== undefined) {
    const { KernelFilePath, InitRdPath, KernelCmdLine } = direct;
    const at = `${path}.LinuxKernelDirect.KernelCmdLine`;
    return {
      guest: guestStart(at, KernelCmdLine),
      files: [
        KernelFilePath,
        ...(InitRdPath === undefined ? [] : [InitRdPath]),
      ],
    };
  }
  const { BootThis: entry } = uefi!;
  const at = `${path}.Uefi.BootThis`;
  if (entry?.DeviceType !== "VmbFs") return unsupported(at);
  const { VmbFsRootPath: directory, DevicePath: file } = entry;
  if (directory === undefined || file === undefined) {
    return reject(at, "VmbFs needs VmbFsRootPath and DevicePath");
  }
  return {
    guest: guestStart(`${at}.OptionalData`, entry.OptionalData),
    files: [`${directory}/${file.replace(/^[\\/]/, "")}`],
  };
}

function scsi(devices: Devices): Pick<MachinePlan, "controllers" | "disks"> {
  const entries = Object.entries(devices.Scsi ?? {});
  const path = `${root}.Devices.Scsi`;
  if (entries.length > maxControllers) {
    return reject(
      path,
      `${entries.length} controllers, at most ${maxControllers} are possible`,
    );
  }
  const disks: PlannedDisk[] = [];
  entries.forEach(([guid, { Attachments = {} }], controller) => {
    if (!isGuid(guid)) reject(path, `"${guid}" is not a GUID`);
    for (const [text, attachment] of Object.entries(Attachments)) {
      const lun = parseLun(text);
      if (lun === undefined) {
        return reject(
          `${path}.${guid}.Attachments`,
          `"${text}" is no place on a controller`,
        );
      }
      disks.push({ controller, lun, attachment });
    }
  });
  return { controllers: entries.map(([guid]) => guid.toLowerCase()), disks };
}

function refuseUnknownDevices(devices: Devices): void {
  const path = `${root}.Devices`;
  if (Object.keys(devices.ComPorts ?? {}).length > 0) {
    unsupported(`${path}.ComPorts`);
  }
  if (Object.keys(devices.VirtualPci ?? {}).length > 0) {
    unsupported(`${path}.VirtualPci`);
  }
  if ((devices.Plan9?.Shares ?? []).length > 0) {
    unsupported(`${path}.Plan9.Shares`);
  }
}

function validate(document: Json): ComputeSystemDocument {
  try {
    return ComputeSystemDocument.validate(document);
  } catch (error) {
    throw refusal("invalidDocument", messageOf(error), { cause: error });
  }
}

/**
 * Judges a document.
 *
 * @param document As given to the service.
 * @param hostProcessors Logical processors of the host.
 * @throws {HResultError} InvalidJson naming the path of what is wrong, or
 * ERROR_NOT_SUPPORTED naming what this host does not have.
 */
export function planMachine(
  document: Json,
  hostProcessors: number,
): MachinePlan {
  const valid = validate(document);
  const { Owner, SchemaVersion, VirtualMachine: vm } = valid;
  const { Major, Minor } = SchemaVersion;
  if (Major !== 2) {
    return reject("$.SchemaVersion", `${Major}.${Minor} is not known`);
  }
  if (Owner === "") return reject("$.Owner", "it is empty");
  if (valid.ShouldTerminateOnLastHandleClosed !== true) {
    return unsupported("$.ShouldTerminateOnLastHandleClosed: false");
  }
  if (vm.SecuritySettings?.Isolation !== undefined) {
    return unsupported(`${root}.SecuritySettings.Isolation`);
  }
  if (vm.GuestState !== undefined) return unsupported(`${root}.GuestState`);
  if (vm.MigrationOptions !== undefined) {
    return unsupported(`${root}.MigrationOptions`);
  }
  const { Memory, Processor } = vm.ComputeTopology;
  const topology = `${root}.ComputeTopology`;
  const memory = Memory.SizeInMB ?? 0n;
  if (memory <= 0n || memory % 2n !== 0n) {
    return reject(
      `${topology}.Memory.SizeInMB`,
      `${memory} is not a positive even number`,
    );
  }
  const { Count } = Processor;
  if (Count < 1 || Count > hostProcessors) {
    return reject(
      `${topology}.Processor.Count`,
      `${Count} is not between 1 and the host's ${hostProcessors}`,
    );
  }
  const devices = vm.Devices ?? {};
  refuseUnknownDevices(devices);
  return {
    owner: Owner,
    memory: Number(memory),
    processors: Count,
    ...boot(vm.Chipset),
    ...scsi(devices),
  };
}
