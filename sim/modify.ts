/**
 * Modify requests: which resource a path names, and what is done with it.
 *
 * @module
 */

import type { Codec } from "../base/codec.ts";
import { messageOf } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import {
  ModifySettingRequest,
  NetworkAdapter,
  ProcessorLimits,
  ScsiAttachment,
} from "../hcs/documents.gen.ts";
import { refusal } from "./hresults.ts";
import { parseLun } from "./machine_plan.ts";
import { readQuery } from "./properties.ts";

/** What a machine can change while it runs. */
export interface Resources {
  /** Attaches a disk to a controller, named by its GUID. */
  attach(
    controller: string,
    lun: number,
    attachment: ScsiAttachment,
  ): Promise<void>;
  /** Takes a disk away. */
  detach(controller: string, lun: number): Promise<void>;
  /** Attaches a network adapter, named by its GUID. */
  attachAdapter(id: string, adapter: NetworkAdapter): Promise<void>;
  /** Takes a network adapter away. */
  detachAdapter(id: string): Promise<void>;
  /** Limits the memory, in MiB. */
  limitMemory(mebibytes: number): Promise<void>;
  /** Limits processors. */
  limitProcessors(limits: ProcessorLimits): Promise<void>;
}

const memoryPath = "VirtualMachine/ComputeTopology/Memory/SizeInMB";
const limitsPath = "VirtualMachine/ComputeTopology/Processor/Limits";
const adapterPath = /^VirtualMachine\/Devices\/NetworkAdapters\/([^/]+)$/;
const scsiPath =
  /^VirtualMachine\/Devices\/Scsi\/([^/]+)\/Attachments\/([^/]+)$/;

/** Resources that the compute service has and this host does not simulate. */
const absent: readonly (readonly [path: RegExp, what: string])[] = [
  [
    /^VirtualMachine\/ComputeTopology\/Processor\/CpuGroup$/,
    "no groups of processors",
  ],
  [
    /^VirtualMachine\/Devices\/Plan9\/Shares$/,
    "no file shares; use a disk, or write the file with `lcow exec`",
  ],
  [/^VirtualMachine\/Devices\/VirtualPci\/[^/]+$/, "no PCI devices to assign"],
  [
    /^VirtualMachine\/Devices\/HvSocket\/HvSocketConfig\/ServiceTable\/[^/]+$/,
    "no table of socket services",
  ],
];

function settings<T>(codec: Codec<T>, json: Json | undefined): T {
  try {
    return codec.validate(json ?? null, "$.Settings");
  } catch (error) {
    throw refusal("invalidDocument", messageOf(error), { cause: error });
  }
}

function memorySize(json: Json | undefined): number {
  const size = Number(json);
  const isNumber = typeof json === "number" || typeof json === "bigint";
  if (isNumber && Number.isSafeInteger(size) && size > 0) return size;
  throw refusal("invalidDocument", "$.Settings: expected a number of MiB");
}

async function modifyScsi(
  request: ModifySettingRequest,
  controller: string,
  place: string,
  resources: Resources,
): Promise<void> {
  const lun = parseLun(place);
  if (lun === undefined) {
    throw refusal(
      "unknownResource",
      `$.ResourcePath: "${place}" is no place on a controller`,
    );
  }
  if (request.RequestType === "Add") {
    const attachment = settings(ScsiAttachment, request.Settings);
    return await resources.attach(controller, lun, attachment);
  }
  if (request.RequestType !== "Remove") {
    throw refusal(
      "invalidDocument",
      `$.RequestType: expected "Add" or "Remove" for a disk`,
    );
  }
  if (request.Settings !== undefined) {
    throw refusal("invalidDocument", "$.Settings: unknown member for Remove");
  }
  await resources.detach(controller, lun);
}

async function modifyAdapter(
  request: ModifySettingRequest,
  id: string,
  resources: Resources,
): Promise<void> {
  const adapter = settings(NetworkAdapter, request.Settings);
  if (request.RequestType === "Add") {
    return await resources.attachAdapter(id, adapter);
  }
  if (request.RequestType === "Remove") {
    return await resources.detachAdapter(id);
  }
  throw refusal(
    "invalidDocument",
    `$.RequestType: expected "Add" or "Remove" for a network adapter`,
  );
}

/** Processors and memory are changed without a request type, or with `Update`. */
function requireUpdate({ RequestType: type }: ModifySettingRequest): void {
  if (type === undefined || type === "Update") return;
  throw refusal(
    "invalidDocument",
    `$.RequestType: "${type}" is not possible for this resource`,
  );
}

/**
 * Judges a modify request and does what it says.
 *
 * @throws {HResultError} InvalidJson naming the path of what is wrong,
 * ERROR_NOT_SUPPORTED for resources that this host does not have, or what the
 * resource answers.
 */
export async function modifyMachine(
  request: Json,
  resources: Resources,
): Promise<void> {
  const modify = readQuery(ModifySettingRequest, request);
  const { ResourcePath: path } = modify;
  const [, controller, place] = scsiPath.exec(path) ?? [];
  if (controller !== undefined && place !== undefined) {
    return await modifyScsi(modify, controller, place, resources);
  }
  const [, adapter] = adapterPath.exec(path) ?? [];
  if (adapter !== undefined) {
    return await modifyAdapter(modify, adapter, resources);
  }
  if (path === memoryPath) {
    requireUpdate(modify);
    return await resources.limitMemory(memorySize(modify.Settings));
  }
  if (path === limitsPath) {
    requireUpdate(modify);
    const limits = settings(ProcessorLimits, modify.Settings);
    return await resources.limitProcessors(limits);
  }
  const [, what] = absent.find(([pattern]) => pattern.test(path)) ?? [];
  throw what === undefined
    ? refusal("unknownResource", `$.ResourcePath: "${path}" is not known`)
    : refusal("notSupported", `The simulated host has ${what}`);
}
