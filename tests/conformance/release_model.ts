/**
 * What a container must give back, worked out from the calls by which it got it:
 * our own expectation where the peer stops early or releases twice.
 *
 * The order is that of host-controllers 3.2: combined layers, state in the guest,
 * scratch, layers, disks, shares, devices; within a kind as they were acquired.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import { recordedFailure } from "./call_log.ts";
import { objectOf, textOf, without } from "./json.ts";

const kinds = [
  "combined layers",
  "guest state",
  "scratch",
  "layer",
  "disk",
  "share",
  "device",
] as const;

type Kind = (typeof kinds)[number];

/** One thing to give back: its calls in their order. */
export interface Entry {
  /** What it is. */
  readonly kind: Kind;
  /** What is called for it. */
  readonly calls: readonly JsonObject[];
}

/** A kind of its disks depends on whether the layers were joined before. */
function diskKind(isMount: boolean, ensuresFilesystem: boolean): Kind {
  if (isMount) return "disk";
  return ensuresFilesystem ? "scratch" : "layer";
}

/** Entries from calls of device managers, as the peer divides its work. */
function dividedEntry(call: JsonObject, isJoined: boolean): Entry | undefined {
  const { returns } = call;
  const id = textOf(returns);
  switch (call.call) {
    case "guest.AddCombinedLayers":
      return {
        kind: "combined layers",
        calls: [{ ...call, call: "guest.RemoveCombinedLayers" }],
      };
    case "scsi.Reserve": {
      const { EnsureFilesystem } = objectOf(call.mount);
      return {
        kind: diskKind(isJoined, EnsureFilesystem === true),
        calls: [{ call: "scsi.UnmapFromGuest", id }],
      };
    }
    case "plan9.Reserve":
      return { kind: "share", calls: [{ call: "plan9.UnmapFromGuest", id }] };
    case "vpci.Reserve":
      return { kind: "device", calls: [{ call: "vpci.RemoveFromVM", id }] };
  }
  return undefined;
}

function removal(call: JsonObject): JsonObject {
  const request = objectOf(call.request);
  return {
    call: textOf(call.call),
    request: { ...request, RequestType: "Remove" },
  };
}

/** The end of an attachment or of a device has no settings. */
function bareRemoval(call: JsonObject): JsonObject {
  const { request } = removal(call);
  return {
    call: textOf(call.call),
    request: without(objectOf(request), "Settings"),
  };
}

const attachment = /\/Scsi\/[^/]+\/Attachments\/\d+$/;
const device = /\/VirtualPci\/[^/]+$/;

/** An entry that may be one of several on the same disk. */
interface PlacedEntry extends Entry {
  /** Where the disk is, as the guest knows it. */
  readonly place?: string;
}

/** Follows the calls to host and guest, and knows at the end what they left. */
class WireModel {
  readonly entries: PlacedEntry[] = [];
  /** How disks are taken away, by their places. */
  readonly detachments = new Map<string, readonly JsonObject[]>();
  #attached: JsonObject | undefined;
  #shared: JsonObject | undefined;

  note(call: JsonObject, isJoined: boolean): void {
    const request = objectOf(call.request);
    const path = textOf(request.ResourcePath);
    const settings = objectOf(request.Settings);
    const failed = call.fails !== undefined;
    if (attachment.test(path) && !failed) this.#attached = call;
    else if (path.endsWith("/Plan9/Shares") && !failed) this.#shared = call;
    else if (device.test(path) && !failed) {
      this.entries.push({ kind: "device", calls: [bareRemoval(call)] });
    } else if (request.ResourceType === "MappedVirtualDisk") {
      this.#noteMount(call, settings, isJoined);
    } else if (request.ResourceType === "MappedDirectory") {
      this.#noteDirectory(call, failed);
    } else if (request.ResourceType === "CombinedLayers" && !failed) {
      this.entries.push({ kind: "combined layers", calls: [removal(call)] });
    }
  }

  #noteMount(
    call: JsonObject,
    settings: JsonObject,
    isJoined: boolean,
  ): void {
    const { Controller = 0, Lun = 0, EnsureFilesystem } = settings;
    const place = `${Controller}:${Lun}`;
    const eject = {
      call: "guest.modify",
      request: {
        RequestType: "Remove",
        ResourceType: "SCSIDevice",
        Settings: {
          ...(Controller === 0 ? {} : { Controller }),
          ...(Lun === 0 ? {} : { Lun }),
        },
      },
    };
    if (this.#attached !== undefined) {
      this.detachments.set(place, [eject, bareRemoval(this.#attached)]);
      this.#attached = undefined;
    }
    this.entries.push({
      kind: diskKind(isJoined, EnsureFilesystem === true),
      calls: call.fails === undefined ? [removal(call)] : [],
      place,
    });
  }

  #noteDirectory(call: JsonObject, failed: boolean): void {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    const { Name, AccessName, Port } = objectOf(
      objectOf(shared.request).Settings,
    );
    const end = removal(shared);
    this.entries.push({
      kind: "share",
      calls: [...(failed ? [] : [removal(call)]), {
        ...end,
        request: {
          ...objectOf(end.request),
          Settings: { Name, AccessName, Port } as JsonObject,
        },
      }],
    });
  }
}

/**
 * What must be given back after some calls.
 *
 * @param calls The calls of a create, the last of which may have failed.
 * @param canForget Whether the guest can be told to forget a container.
 */
export function entriesAfter(
  calls: readonly JsonObject[],
  canForget: boolean,
): Entry[] {
  const wire = new WireModel();
  const entries: Entry[] = [];
  let isJoined = false;
  for (const call of calls) {
    const { ResourceType } = objectOf(call.request);
    const joins = call.call === "guest.AddCombinedLayers" ||
      ResourceType === "CombinedLayers";
    if (call.call === "guest.CreateContainer" && canForget) {
      const { containerId = "" } = call;
      entries.push({
        kind: "guest state",
        calls: [{ call: "guest.DeleteContainerState", containerId }],
      });
    }
    const entry = call.fails === undefined
      ? dividedEntry(call, isJoined)
      : undefined;
    if (entry !== undefined) entries.push(entry);
    wire.note(call, isJoined);
    isJoined ||= joins;
  }
  const all: PlacedEntry[] = [...entries, ...wire.entries];
  const ordered = kinds.flatMap((kind) =>
    all.filter((entry) => entry.kind === kind)
  );
  return ordered.map((entry, index) => {
    const isLast = !ordered.slice(index + 1)
      .some(({ place }) => place === entry.place);
    const detach = wire.detachments.get(entry.place ?? "");
    return isLast && detach !== undefined
      ? { ...entry, calls: [...entry.calls, ...detach] }
      : entry;
  });
}

/** Counts calls by their names, and knows which of them fail. */
export class FailureCounter {
  readonly #failures: JsonObject;
  readonly #counts = new Map<string, number>();

  /** @param failures By `<call>#<n>`, the text with which it fails. */
  constructor(failures: JsonObject) {
    this.#failures = failures;
  }

  /** The call, marked when it fails. */
  mark(call: JsonObject): JsonObject {
    const name = textOf(call.call);
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const text = this.#failures[`${name}#${count}`];
    return text === undefined
      ? call
      : { ...call, fails: recordedFailure(textOf(text)) };
  }
}

/** The calls that give everything back, up to one that fails. */
export function undoCalls(
  entries: readonly Entry[],
  counter: FailureCounter,
): JsonObject[] {
  const made: JsonObject[] = [];
  for (const call of entries.flatMap(({ calls }) => calls)) {
    const marked = counter.mark(call);
    made.push(marked);
    if (marked.fails !== undefined) break;
  }
  return made;
}
