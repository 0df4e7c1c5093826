/**
 * What a container holds of its VM at some step of a trace, and the requests that
 * give it back: our own expectation where the peer never asks.
 *
 * The order is that of host-controllers 3.2: combined layers, state in the guest,
 * scratch, layers, disks, shares; what another container uses, too, stays.
 *
 * @module
 */

import { formatJson, type JsonObject } from "../../base/json.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";
import type { Step } from "./trace_steps.ts";

/** Requests to both sides. */
export interface Requests {
  /** To the host. */
  readonly host: readonly JsonObject[];
  /** To the guest. */
  readonly guest: readonly JsonObject[];
}

/** A disk or a share in the guest. */
interface Device {
  /** The request that mounted it. */
  readonly mounted: JsonObject;
  readonly path: string;
  /** The request that gave it to the VM. */
  readonly attached: JsonObject;
}

/** Where a disk is, by the settings of its mount. */
function attachmentOf({ Controller = 0, Lun = 0 }: JsonObject): string {
  const controller = scsiControllerIds[Number(Controller)];
  return `VirtualMachine/Devices/Scsi/${controller}/Attachments/${Lun}`;
}

/** True for the request that gave the VM what is mounted with these settings. */
function gave({ configuration }: JsonObject, settings: JsonObject): boolean {
  const { ResourcePath, RequestType, Settings } = objectOf(configuration);
  if (RequestType !== "Add") return false;
  return settings.ShareName === undefined
    ? ResourcePath === attachmentOf(settings)
    : objectOf(Settings).Name === settings.ShareName;
}

/** What is mounted in the guest before a step, by its path. */
function devicesBefore(steps: readonly Step[], step: Step): Device[] {
  const devices = new Map<string, Device>();
  const given: JsonObject[] = [];
  for (const { call } of steps.slice(0, steps.indexOf(step))) {
    given.unshift(...objectsOf(call.host).toReversed());
    for (const mounted of objectsOf(call.guest)) {
      const { RequestType, Settings } = objectOf(mounted.Request);
      const settings = objectOf(Settings);
      const path = textOf(settings.MountPath);
      if (path === "") continue;
      const attached = given.find((request) => gave(request, settings));
      if (RequestType === "Remove") devices.delete(path);
      else devices.set(path, { mounted, path, attached: attached ?? {} });
    }
  }
  return [...devices.values()];
}

/** The requests that made a container out of its devices. */
function makingOf(steps: readonly Step[], id: string): JsonObject[] {
  const created = steps.findLast(({ call, ...step }) =>
    step.method === "Create" && step.id === id &&
    step.reply.response !== undefined && call.undone === undefined
  );
  return objectsOf(created?.call.guest).filter((request) => {
    const { Settings } = objectOf(request.Request);
    return request.name === "Create" || objectOf(Settings).ContainerID === id;
  });
}

function uses(making: readonly JsonObject[], { path }: Device): boolean {
  const text = formatJson([...making]);
  return text.includes(`"${path}"`) || text.includes(`"${path}/`);
}

/** A request that takes back what another gave. */
function removal(request: JsonObject): JsonObject {
  const inner = objectOf(request.Request);
  return { ...request, Request: { ...inner, RequestType: "Remove" } };
}

/** The request to the host that takes a device from the VM. */
function detachment({ attached }: Device): JsonObject {
  const { ResourcePath, Settings } = objectOf(attached.configuration);
  const { Name, AccessName, Port } = objectOf(Settings);
  return {
    ...attached,
    configuration: {
      ResourcePath: ResourcePath!,
      RequestType: "Remove",
      ...(Name === undefined
        ? {}
        : { Settings: { Name, AccessName: AccessName!, Port: Port! } }),
    },
  };
}

/** The requests to the guest that end the use of a device. */
function unmounting({ mounted }: Device): JsonObject[] {
  const { ShareName, Controller, Lun } = objectOf(
    objectOf(mounted.Request).Settings,
  );
  if (ShareName !== undefined) return [removal(mounted)];
  const Settings = {
    ...(Controller === undefined ? {} : { Controller }),
    ...(Lun === undefined ? {} : { Lun }),
  };
  const Request = {
    RequestType: "Remove",
    ResourceType: "SCSIDevice",
    Settings,
  };
  return [removal(mounted), { ...mounted, Request }];
}

/** The devices of a container in the order in which they are given back. */
function ordered(
  devices: readonly Device[],
  making: readonly JsonObject[],
): Device[] {
  const { Layers, ScratchPath } = objectOf(
    objectOf(making.find(({ Request }) => Request !== undefined)?.Request)
      .Settings,
  );
  const layers = objectsOf(Layers).map(({ Path }) => textOf(Path));
  const rank = ({ path, mounted }: Device): number => {
    if (`${textOf(ScratchPath)}/`.startsWith(`${path}/`)) return 0;
    if (layers.includes(path)) return 1 + layers.indexOf(path);
    const { ResourceType } = objectOf(mounted.Request);
    return layers.length + (ResourceType === "MappedDirectory" ? 2 : 1);
  };
  return devices.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * The requests that give back what a container holds, but for its network.
 *
 * @param steps All steps.
 * @param step The one at which it is deleted.
 */
export function releaseOf(steps: readonly Step[], step: Step): Requests {
  const making = makingOf(steps, step.id);
  const others = [...step.present.keys()].filter((id) => id !== step.id)
    .flatMap((id) => makingOf(steps, id));
  const devices = ordered(
    devicesBefore(steps, step).filter((device) =>
      uses(making, device) && !uses(others, device)
    ),
    making,
  );
  const layers = making.filter(({ Request }) => Request !== undefined);
  const forget = { name: "DeleteContainerState", ContainerId: step.id };
  return {
    host: devices.map(detachment),
    guest: [
      ...layers.map(removal),
      forget,
      ...devices.flatMap(unmounting),
    ],
  };
}
