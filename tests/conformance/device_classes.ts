/**
 * What host and guest are asked for disks, shares and PCI devices, for the model of
 * their sequences.
 *
 * @module
 */

import { formatJson, type Json, type JsonObject } from "../../base/json.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { listOf, objectOf, textOf } from "./json.ts";

/** A way in which something is used: a partition, a mount, an assignment. */
export interface Use {
  /** As the step has it. */
  readonly config: JsonObject;
  /** One text for equal configurations. */
  readonly key: string;
  /** Who holds it. */
  references: number;
  /** What the guest did. */
  state: "reserved" | "used" | "failed";
}

/** A disk, a share or a device. */
export interface Thing {
  /** As the step has it. */
  readonly config: JsonObject;
  /** One text for equal configurations. */
  readonly key: string;
  /** Slot, name or number. */
  readonly place: number;
  /** Whether the VM booted from it. */
  readonly isBootDisk: boolean;
  /** By what distinguishes them. */
  readonly uses: Map<string, Use>;
  /** What the host did. */
  host: "none" | "added" | "failed" | "ejected";
}

/** What a class of devices says to host and guest. */
export interface DeviceClass {
  /** What a step is about, and in which way it is used. */
  readonly things: (step: JsonObject) => [thing: JsonObject, use: JsonObject];
  /** What makes it the same thing. */
  readonly nameOf: (thing: JsonObject) => Json;
  /** What makes it the same use. */
  readonly useOf: (use: JsonObject) => Json;
  /** The host gives it to the VM. */
  readonly add: (thing: Thing) => JsonObject;
  /** The host takes it back. */
  readonly remove: (thing: Thing) => JsonObject;
  /** The guest lets go of it before. */
  readonly eject?: (thing: Thing) => JsonObject;
  /** The guest begins to use it. */
  readonly begin: (thing: Thing, use: Use) => JsonObject;
  /** The guest ends that. */
  readonly end?: (thing: Thing, use: Use) => JsonObject;
  /** Where it is in the guest. */
  readonly path?: (thing: Thing, use: Use) => string;
  /** How many places there are; absent when every thing gets a new one. */
  readonly places?: (input: JsonObject) => number;
  /** Whether what nobody mapped is a hole even when nobody else holds it. */
  readonly leaks: boolean;
}

const devices = "VirtualMachine/Devices";

/** An object without members that say nothing. */
function filled(object: Record<string, Json>): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) =>
      value !== 0 && value !== "" && value !== false && value !== null
    ),
  );
}

function host(path: string, type: string, settings?: JsonObject): JsonObject {
  return {
    to: "vm",
    request: {
      ResourcePath: `${devices}/${path}`,
      RequestType: type,
      ...(settings === undefined ? {} : { Settings: settings }),
    },
  };
}

function guest(
  type: string,
  resource: string,
  settings: JsonObject,
): JsonObject {
  return {
    to: "guest",
    request: {
      RequestType: type,
      ResourceType: resource,
      Settings: settings,
    },
  };
}

/** Places of one SCSI controller. */
export const lunsPerController = 64;

function scsiAddress({ place }: Thing): [controller: number, lun: number] {
  return [Math.floor(place / lunsPerController), place % lunsPerController];
}

function attachmentPath(disk: Thing): string {
  const [controller, lun] = scsiAddress(disk);
  return `Scsi/${scsiControllerIds[controller]}/Attachments/${lun}`;
}

function scsiPath(disk: Thing, { config }: Use): string {
  return `/run/mounts/scsi/${scsiAddress(disk).join("_")}_${config.Partition}`;
}

function diskMount(type: string, disk: Thing, mount: Use): JsonObject {
  const [Controller, Lun] = scsiAddress(disk);
  const options = listOf(mount.config.Options);
  return guest(type, "MappedVirtualDisk", {
    MountPath: scsiPath(disk, mount),
    ...filled({ ...mount.config, Options: null, Controller, Lun }),
    ...(options.length === 0 ? {} : { Options: [...options] }),
  });
}

/** Disks. */
export const scsi: DeviceClass = {
  things: (step) => [objectOf(step.disk), objectOf(step.mount)],
  nameOf: ({ HostPath = "" }) => HostPath,
  useOf: ({ Partition = 0 }) => Partition,
  places: ({ scsiControllers = 4 }) =>
    Number(scsiControllers) * lunsPerController,
  leaks: true,
  path: scsiPath,
  add: (disk) =>
    host(attachmentPath(disk), "Add", {
      Type: disk.config.Type ?? "",
      Path: disk.config.HostPath ?? "",
      ...filled({
        ReadOnly: disk.config.ReadOnly ?? false,
        ExtensibleVirtualDiskType: disk.config.EVDType ?? "",
      }),
    }),
  remove: (disk) => host(attachmentPath(disk), "Remove"),
  eject: (disk) => {
    const [Controller, Lun] = scsiAddress(disk);
    return guest("Remove", "SCSIDevice", filled({ Controller, Lun }));
  },
  begin: (disk, mount) => diskMount("Add", disk, mount),
  end: (disk, mount) => diskMount("Remove", disk, mount),
};

function sharePath({ place }: Thing): string {
  return `/run/mounts/plan9/${place}`;
}

function shareMount(type: string, share: Thing, { config }: Use): JsonObject {
  return guest(type, "MappedDirectory", {
    MountPath: sharePath(share),
    Port: 564,
    ShareName: String(share.place),
    ...filled({ ReadOnly: config.ReadOnly ?? false }),
  });
}

function shareName({ place }: Thing): JsonObject {
  return { Name: String(place), AccessName: String(place), Port: 564 };
}

/** Host directories. */
const plan9: DeviceClass = {
  things: (step) => [objectOf(step.share), objectOf(step.mount)],
  nameOf: ({ HostPath = "" }) => HostPath,
  useOf: () => "",
  leaks: false,
  path: sharePath,
  add: (share) => {
    const { HostPath = "", ReadOnly, Restrict, AllowedNames } = share.config;
    return host("Plan9/Shares", "Add", {
      ...shareName(share),
      Path: HostPath,
      Flags: 4 + (ReadOnly === true ? 1 : 0) + (Restrict === true ? 128 : 0),
      ...(listOf(AllowedNames).length === 0
        ? {}
        : { AllowedFiles: [...listOf(AllowedNames)] }),
    });
  },
  remove: (share) => host("Plan9/Shares", "Remove", shareName(share)),
  begin: (share, mount) => shareMount("Add", share, mount),
  end: (share, mount) => shareMount("Remove", share, mount),
};

/** PCI devices. */
export const vpci: DeviceClass = {
  things: (step) => [objectOf(step.device), {}],
  nameOf: (device) => device,
  useOf: () => "",
  leaks: false,
  add: ({ config, place }) =>
    host(`VirtualPci/<guid-${place}>`, "Add", {
      Functions: [{
        DeviceInstancePath: config.DeviceInstanceID ?? "",
        ...filled({ VirtualFunction: config.VirtualFunctionIndex ?? 0 }),
      }],
      PropagateNumaAffinity: true,
    }),
  remove: ({ place }) => host(`VirtualPci/<guid-${place}>`, "Remove"),
  begin: ({ place }) =>
    guest("Add", "VPCIDevice", { VMBusGUID: `<guid-${place}>` }),
};

/** The class of devices that steps are about. */
export function classOf(steps: readonly JsonObject[]): DeviceClass | undefined {
  const step = steps.find(({ op }) => op === "reserve");
  if (step === undefined) return undefined;
  if (step.disk !== undefined) return scsi;
  if (step.share !== undefined) return plan9;
  return step.device === undefined ? undefined : vpci;
}

/** One text for configurations that mean the same. */
export function keyOf(config: JsonObject): string {
  return formatJson(
    Object.entries(config).sort(([a], [b]) => a < b ? -1 : 1).map(
      ([name, value]) => [
        name,
        Array.isArray(value)
          ? value.map((text) => textOf(text).toLowerCase()).sort()
          : value === null
          ? []
          : value,
      ],
    ),
  );
}
