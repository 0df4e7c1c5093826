/**
 * Host and guest of a VM's devices in memory, for tests: they keep what they are
 * told, and object to what a real VM would not do.
 *
 * @module
 */

import { HResult, HResultError, isGone } from "../../base/hresult.ts";
import { scsiControllerIds } from "../../bridge/places.ts";
import type { DevicePeers } from "../device/peers.ts";
import { CallScript } from "./call_script.ts";

/** One side. */
export type Side = "vm" | "guest";

/** A request to either side, as far as it is looked at. */
interface Change {
  readonly ResourcePath?: string;
  readonly ResourceType?: string;
  readonly RequestType: string;
  readonly Settings?: Readonly<Record<string, unknown>>;
}

/** What a request is about, in words. */
interface Subject {
  /** The device, for example `disk 0:3`, `share 7`, `device <guid>`. */
  readonly device: string;
  /** Where the guest has it, when the request is about that. */
  readonly place?: string;
}

function diskOf(controller: unknown, lun: unknown): string {
  return `disk ${controller ?? 0}:${lun ?? 0}`;
}

function subjectOf(change: Change): Subject {
  const { ResourcePath: path, ResourceType: type, Settings = {} } = change;
  const place = String(Settings["MountPath"]);
  switch (type) {
    case "SCSIDevice":
      return { device: diskOf(Settings["Controller"], Settings["Lun"]) };
    case "MappedVirtualDisk":
      return { device: diskOf(Settings["Controller"], Settings["Lun"]), place };
    case "MappedDirectory":
      return { device: `share ${Settings["ShareName"]}`, place };
    case "VPCIDevice": {
      const guid = String(Settings["VMBusGUID"]);
      return { device: `device ${guid}`, place: guid };
    }
  }
  const [, , kind, id = "", , lun] = path?.split("/") ?? [];
  if (kind === "Plan9") return { device: `share ${Settings["Name"]}` };
  if (kind === "VirtualPci") return { device: `device ${id}` };
  if (kind === "Scsi") {
    return { device: diskOf(scsiControllerIds.indexOf(id), lun) };
  }
  throw new TypeError(`Nobody knows ${JSON.stringify(change)}`);
}

/** What of the host a device is, which a VM has at most once. */
function backingOf({ Settings = {} }: Change): string {
  return JSON.stringify(Settings["Path"] ?? Settings["Functions"]);
}

/** The answer of a side that does not have the thing any more. */
export const gone: HResultError = new HResultError(
  HResult.ElementNotFound,
  "it is gone",
);

/** A VM that starts without devices, and its agent. */
export class DeviceWorld implements DevicePeers {
  /**
   * All requests in their order, by side. What fails has no effect, except a
   * Remove that fails with {@linkcode gone}: the thing is not there.
   */
  readonly script = new CallScript();
  /** The host. */
  readonly vm: DevicePeers["vm"] = {
    modify: (request) => this.#play("vm", request as Change),
  };
  /** The agent. */
  readonly guest: DevicePeers["guest"] = {
    modify: (request) => this.#play("guest", request as Change),
  };
  /** Devices that the VM has, by their words, and what of the host each one is. */
  readonly attached = new Map<string, string>();
  /** Where the guest has which device: mount points and GUIDs. */
  readonly places = new Map<string, string>();
  /** What a real VM would not have done. */
  readonly objections: string[] = [];
  readonly #ejected = new Set<string>();
  #isGuestLost = false;

  /** The requests so far in words, for example `vm Add disk 0:0`. */
  get said(): string[] {
    return this.script.calls.map(({ call, argument }) => {
      const change = argument as Change;
      const { device, place } = subjectOf(change);
      return `${call} ${change.RequestType} ${place ?? device}`;
    });
  }

  /** The requests themselves, in their order. */
  get requests(): unknown[] {
    return this.script.calls.map(({ argument }) => argument);
  }

  /** True when host and guest hold nothing. */
  get isEmpty(): boolean {
    return this.attached.size === 0 && this.places.size === 0;
  }

  /**
   * Resolves when a request was made, in words.
   *
   * @throws {TypeError} when nothing leads to it.
   */
  async reached(words: string): Promise<void> {
    for (let turn = 0; !this.said.includes(words); turn++) {
      if (turn > 100) throw new TypeError(`"${words}" was never said`);
      await Promise.resolve();
    }
  }

  /** Nobody reaches the guest any more: what it uses holds nothing. */
  loseGuest(): void {
    this.#isGuestLost = true;
    this.places.clear();
  }

  /** A device that the VM was created with. */
  bootFrom(device: string): void {
    this.attached.set(device, device);
  }

  async #play(side: Side, change: Change): Promise<void> {
    try {
      await this.script.play(side, change);
    } catch (error) {
      if (change.RequestType === "Remove" && isGone(error)) {
        this.#apply(side, change);
      }
      throw error;
    }
    this.#apply(side, change);
  }

  #require(holds: boolean, side: Side, change: Change): void {
    if (holds) return;
    const { device, place } = subjectOf(change);
    const objection = `${side} cannot ${change.RequestType} ${place ?? device}`;
    this.objections.push(objection);
    throw new TypeError(objection);
  }

  #apply(side: Side, change: Change): void {
    const { device, place } = subjectOf(change);
    const isThere = this.attached.has(device);
    const isUsed = [...this.places.values()].includes(device);
    const isAdd = change.RequestType === "Add";
    const require = (holds: boolean) => this.#require(holds, side, change);
    if (side === "guest") {
      require(isThere && !this.#ejected.has(device));
      if (place === undefined) {
        require(!isUsed);
        this.#ejected.add(device);
      } else if (isAdd) {
        require(!this.places.has(place));
        this.places.set(place, device);
      } else {
        require(this.places.delete(place));
      }
    } else if (isAdd) {
      const backing = backingOf(change);
      require(!isThere && ![...this.attached.values()].includes(backing));
      this.attached.set(device, backing);
    } else {
      if (device.startsWith("device")) this.places.delete(device.slice(7));
      else require(!isUsed);
      if (device.startsWith("disk") && !this.#isGuestLost) {
        require(this.#ejected.delete(device));
      }
      require(this.attached.delete(device));
    }
  }
}
