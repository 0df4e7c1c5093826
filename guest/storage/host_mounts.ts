/**
 * What the host has mounted in a confidential VM, so that nothing is taken away
 * or replaced that something else stands on (`spec/guest-runtime.md` 11.4).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isInside, joinPath } from "./paths.ts";

/** A device that the host mounted. */
interface Device {
  /** What it is. */
  readonly type: "read-only" | "read-write" | "overlay";
  /** What is mounted there; of an overlay, its own path. */
  readonly source: string;
  /** Data on it are encrypted; only of read-write devices. */
  readonly encrypted: boolean;
  /** Paths of the devices that an overlay stands on, once per use. */
  readonly uses: readonly string[];
  /** How often overlays use it. */
  usage: number;
}

/** Takes a change of the record back. */
export type Undo = () => void;

/** What a read-only or read-write device must be to be removed. */
type Expected = Pick<Device, "type" | "source" | "encrypted">;

/**
 * The record of mounts. Every change answers how it is taken back, for a mount
 * that then fails. Paths are compared clean. It changes in one turn; who mounts
 * meanwhile serialises change and mount.
 */
export class HostMounts {
  readonly #devices = new Map<string, Device>();

  #refuse(path: string, reason: string): never {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot change the mount at "${path}": ${reason}`,
    );
  }

  #add(path: string, device: Device): Undo {
    const place = joinPath(path);
    const present = this.#devices.get(place);
    if (present !== undefined) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot mount at "${place}": a ${present.type} device is mounted there`,
      );
    }
    this.#devices.set(place, device);
    return () => void this.#devices.delete(place);
  }

  #remove(path: string, expected: Expected): Undo {
    const place = joinPath(path);
    const device = this.#devices.get(place);
    if (device === undefined) return () => {};
    for (const member of ["type", "source", "encrypted"] as const) {
      if (device[member] === expected[member]) continue;
      const have = `${member} is ${device[member]}`;
      this.#refuse(place, `${have}, not ${expected[member]}`);
    }
    this.#requireUnused(place, device);
    this.#devices.delete(place);
    return () => void this.#devices.set(place, device);
  }

  #requireUnused(place: string, { usage }: Device): void {
    if (usage > 0) this.#refuse(place, `${usage} layers of overlays use it`);
  }

  /**
   * Records a read-only device.
   *
   * @throws {ShimError} AlreadyExists when something is mounted there.
   */
  addReadOnly(path: string, source: string): Undo {
    const state = { source, encrypted: false, uses: [], usage: 0 };
    return this.#add(path, { type: "read-only", ...state });
  }

  /**
   * Records a read-write device.
   *
   * @throws {ShimError} AlreadyExists when something is mounted there.
   */
  addReadWrite(path: string, source: string, encrypted: boolean): Undo {
    const state = { source, encrypted, uses: [], usage: 0 };
    return this.#add(path, { type: "read-write", ...state });
  }

  /**
   * Forgets a read-only device; an unknown one is a success.
   *
   * @throws {ShimError} FailedPrecondition when it is another one, or in use.
   */
  removeReadOnly(path: string, source: string): Undo {
    return this.#remove(path, { type: "read-only", source, encrypted: false });
  }

  /**
   * Forgets a read-write device; an unknown one is a success.
   *
   * @throws {ShimError} FailedPrecondition when it is another one, or in use.
   */
  removeReadWrite(path: string, source: string, encrypted: boolean): Undo {
    return this.#remove(path, { type: "read-write", source, encrypted });
  }

  /** Path of the deepest device that contains a path. */
  #deepest(path: string): string | undefined {
    const place = joinPath(path);
    let deepest: string | undefined;
    for (const mounted of this.#devices.keys()) {
      const isDeeper = isInside(place, mounted) &&
        mounted.length > (deepest?.length ?? -1);
      if (isDeeper) deepest = mounted;
    }
    return deepest;
  }

  #count(uses: readonly string[], by: number): void {
    for (const path of uses) {
      const device = this.#devices.get(path);
      if (device !== undefined) device.usage += by;
    }
  }

  /**
   * Records an overlay: the devices that hold its layers and its scratch are in
   * use until it goes. Layers that lie in no device are not counted.
   *
   * @param scratch Empty for an overlay that cannot be written.
   * @throws {ShimError} AlreadyExists when something is mounted there.
   */
  addOverlay(path: string, layers: readonly string[], scratch: string): Undo {
    const place = joinPath(path);
    const parts = scratch === "" ? layers : [...layers, scratch];
    const uses = parts.flatMap((part) => this.#deepest(part) ?? []);
    const state = { source: place, encrypted: false, uses, usage: 0 };
    const undo = this.#add(place, { type: "overlay", ...state });
    this.#count(uses, 1);
    return () => {
      undo();
      this.#count(uses, -1);
    };
  }

  /**
   * Forgets an overlay; an unknown one is a success.
   *
   * @throws {ShimError} FailedPrecondition when it is no overlay, or in use.
   */
  removeOverlay(path: string): Undo {
    const place = joinPath(path);
    const device = this.#devices.get(place);
    if (device === undefined) return () => {};
    if (device.type !== "overlay") {
      this.#refuse(place, `type is ${device.type}, not overlay`);
    }
    this.#requireUnused(place, device);
    this.#devices.delete(place);
    this.#count(device.uses, -1);
    return () => {
      this.#devices.set(place, device);
      this.#count(device.uses, 1);
    };
  }

  /** True when something is recorded at exactly this path. */
  has(path: string): boolean {
    return this.#devices.has(joinPath(path));
  }

  /** True when an overlay is mounted at exactly this path. */
  hasOverlayAt(path: string): boolean {
    return this.#devices.get(joinPath(path))?.type === "overlay";
  }

  /**
   * True when what is written to a path is encrypted: the deepest device that
   * contains it decides.
   */
  isEncrypted(path: string): boolean {
    const mounted = this.#deepest(path);
    return mounted !== undefined && this.#devices.get(mounted)!.encrypted;
  }
}
