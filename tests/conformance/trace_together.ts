/**
 * Calls of a trace that run at the same time: their requests interleave freely, so
 * that only the order of those about one container counts.
 *
 * @module
 */

import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
} from "../../base/json.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import { objectOf, objectsOf, textOf } from "./json.ts";

/** Methods that ask something of host or guest; the others only wait or read. */
const asking: ReadonlySet<string> = new Set([
  "Create",
  "Delete",
  "Exec",
  "Start",
]);

/**
 * The calls of a trace that overlap.
 *
 * @returns Groups of numbers of calls, each of two or more.
 */
export function overlaps(events: readonly JsonObject[]): number[][] {
  const groups: number[][] = [];
  const open = new Set<number>();
  let group: number[] = [];
  for (const { log, kind, seq, method } of events) {
    if (log !== "ttrpc" || !asking.has(textOf(method))) continue;
    const number = Number(seq);
    if (kind === "reply") open.delete(number);
    if (kind !== "call") continue;
    if (open.size === 0) {
      group = [];
      groups.push(group);
    }
    open.add(number);
    group.push(number);
  }
  return groups.filter(({ length }) => length > 1);
}

/** A disk's place, as it is part of its path in the guest. */
function placeOf({ configuration }: JsonObject): string | undefined {
  const { ResourcePath } = objectOf(configuration);
  const [, controller, lun] =
    /\/Scsi\/([^/]+)\/Attachments\/(\d+)$/.exec(textOf(ResourcePath)) ?? [];
  return controller === undefined
    ? undefined
    : `${scsiControllerIds.indexOf(controller)}_${lun}`;
}

/** What a request to the guest mounts or joins, as texts. */
function mentions(request: JsonObject, place: string): boolean {
  return formatJson(request).includes(`/run/mounts/scsi/${place}_`);
}

function containerOf({ ContainerId, Request }: JsonObject): string {
  const { ContainerID } = objectOf(objectOf(Request).Settings);
  return textOf(ContainerID ?? ContainerId);
}

/** The requests about one container, and about the disks that it is made of. */
function requestsOf(
  id: string,
  host: readonly JsonObject[],
  guest: readonly JsonObject[],
): JsonObject {
  const own = guest.filter((request) => containerOf(request) === id);
  const attached = host.filter((request) => {
    const place = placeOf(request);
    return place !== undefined &&
      own.some((request) => mentions(request, place));
  });
  const places = attached.map((request) => placeOf(request)!);
  const disks = attached.map(({ configuration }) =>
    objectOf(objectOf(configuration).Settings).Path
  );
  return {
    host: host.filter((request) =>
      attached.includes(request) ||
      (request.call === "grant" && disks.includes(request.path))
    ),
    guest: guest.filter((request) =>
      own.includes(request) ||
      (request.name === "ModifySettings" && containerOf(request) !== id &&
        objectOf(objectOf(request.Request).Settings).MountPath !== undefined &&
        places.some((place) => mentions(request, place)))
    ),
  };
}

/** The places of disks that are attached in a group, ordered by their files. */
function byFile(host: readonly JsonObject[]): Map<string, string> {
  const attached = host.filter(({ configuration }) =>
    objectOf(configuration).RequestType === "Add"
  ).filter((request) => placeOf(request) !== undefined);
  const fileOf = ({ configuration }: JsonObject): string =>
    textOf(objectOf(objectOf(configuration).Settings).Path);
  const sorted = attached.toSorted((a, b) => fileOf(a) < fileOf(b) ? -1 : 1);
  const places = attached.map((request) => placeOf(request)!)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return new Map(
    sorted.map((request, index) => [placeOf(request)!, places[index]!]),
  );
}

/** A value in which disks are at other places. */
function moved(value: Json, places: ReadonlyMap<string, string>): Json {
  const to = (place: string): string => places.get(place) ?? place;
  if (typeof value === "string") {
    const own = value.replace(
      /(\/run\/mounts\/scsi\/)(\d+_\d+)(?=_)/g,
      (_, folder: string, place: string) => folder + to(place),
    );
    return own.replace(
      /(\/Scsi\/)([^/]+)\/Attachments\/(\d+)$/,
      (_, start: string, id: string, lun: string) => {
        const place = to(`${scsiControllerIds.indexOf(id)}_${lun}`);
        const [controller, own] = place.split("_").map(Number);
        return `${start}${scsiControllerIds[controller!]}/Attachments/${own}`;
      },
    );
  }
  if (Array.isArray(value)) return value.map((item) => moved(item, places));
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) =>
    [name, moved(member!, places)] as const
  );
  const { ResourceType, Settings } = value;
  const isDisk = ResourceType === "MappedVirtualDisk" ||
    ResourceType === "SCSIDevice";
  if (!isDisk) return Object.fromEntries(members);
  const { Controller = 0, Lun = 0, ...rest } = objectOf(Settings);
  const [controller, lun] = to(`${Controller}_${Lun}`).split("_").map(Number);
  return {
    ...Object.fromEntries(members),
    Settings: {
      ...objectOf(moved(rest, places)),
      ...(controller === 0 ? {} : { Controller: controller! }),
      ...(lun === 0 ? {} : { Lun: lun! }),
    },
  };
}

/** Where the calls of a group begin, and all that they asked. */
function taken(
  calls: readonly JsonObject[],
  group: readonly number[],
): { host: JsonObject[]; guest: JsonObject[] } {
  const own = calls.filter(({ seq }) => group.includes(Number(seq)));
  return {
    host: own.flatMap(({ host }) => objectsOf(host)),
    guest: own.flatMap(({ guest }) => objectsOf(guest)),
  };
}

/** One group: its requests, by container, instead of by call. */
function together(layout: JsonObject, group: readonly number[]): JsonObject {
  const all = objectsOf(layout.calls);
  const first = all.findIndex(({ seq }) => group.includes(Number(seq)));
  const places = byFile(taken(all, group).host);
  const calls = all.map((call, index) =>
    index < first ? call : objectOf(moved(call, places))
  );
  const { host, guest } = taken(calls, group);
  const ids = new Set(
    guest.map(containerOf).filter((id) => !/^[0-]*$/.test(id)),
  );
  const lists = [...ids].sort().map((id) =>
    [id, requestsOf(id, host, guest)] as const
  );
  const told = new Set(
    lists.flatMap(([, { host, guest }]) => [
      ...objectsOf(host),
      ...objectsOf(guest),
    ]).map((request) => formatJson(request)),
  );
  const rest = [...host, ...guest].map((request) => formatJson(request))
    .filter((request) => !told.has(request)).sort();
  return {
    ...layout,
    calls: calls.map((call) =>
      group.includes(Number(call.seq)) ? { ...call, host: [], guest: [] } : call
    ),
    together: [
      ...objectsOf(layout.together),
      { calls: [...group], requests: Object.fromEntries(lists), rest },
    ],
  };
}

/**
 * Takes the requests of calls that overlap out of the calls, and lists them by
 * container. Disks are numbered by their files there, and in what follows.
 *
 * @param layout A trace that is laid out.
 * @param groups From {@linkcode overlaps}.
 */
export function layOutTogether(
  layout: JsonObject,
  groups: readonly (readonly number[])[],
): JsonObject {
  return groups.reduce(together, layout);
}
