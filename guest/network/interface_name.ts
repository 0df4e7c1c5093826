/**
 * From the id of an adapter to the name of its network interface
 * (`spec/guest-runtime.md` 13.3 and 14.6).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { isGuid } from "../../base/guid.ts";
import { namesIn, waitFor } from "../wait.ts";

/** Which adapter, as the host names it. */
export interface AdapterId {
  /** GUID of its vmbus device, in either case. */
  readonly id: string;
  /** It is a PCI device, not a synthetic one. */
  readonly isPci: boolean;
}

const pciRoot = /^pci([0-9a-f]{4,}:[0-9a-f]{2})$/i;

/** Finds the network interfaces of adapters. */
export class NetworkInterfaces {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #sys: string;

  /**
   * @param clock Time.
   * @param timeout Milliseconds until an interface must have appeared.
   * @param sys `/sys` of the VM.
   */
  constructor(clock: Clock, timeout: number, sys = "/sys") {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#sys = sys;
  }

  #folder(id: string): string {
    return `${this.#sys}/bus/vmbus/devices/${id}`;
  }

  /**
   * Checks an id before it becomes part of a path.
   *
   * @returns The id in lower case, as sysfs writes it.
   * @throws {ShimError} InvalidArgument.
   */
  requireId(id: string): string {
    if (isGuid(id)) return id.toLowerCase();
    const shown = id.slice(0, 100);
    const pattern = this.#folder(shown).replace(/\/$/, "");
    throw new ShimError(
      "InvalidArgument",
      `Cannot find network adapter ${JSON.stringify(shown)} at ${pattern}/net` +
        ": its ID must be a GUID",
    );
  }

  /**
   * Waits for the interface of an adapter. While it is in another network
   * namespace its folder is empty, as it is before the interface has come.
   *
   * @returns Its name.
   * @throws {ShimError} InvalidArgument for an id that is no GUID,
   * DeadlineExceeded when it does not appear, Internal when there are several;
   * the reason of the signal.
   */
  async find(adapter: AdapterId, signal?: AbortSignal): Promise<string> {
    const id = this.requireId(adapter.id);
    const device = this.#folder(id);
    const pattern = `${device}/${adapter.isPci ? "pci*/*/" : ""}net`;
    const what = `network adapter ${id} at ${pattern}`;
    const wait = { clock: this.#clock, timeout: this.#timeout, signal };
    return await waitFor(what, async () => {
      const parent = adapter.isPci ? await pciPath(device) : device;
      if (parent === undefined) return undefined;
      return only(await namesIn(`${parent}/net`), what);
    }, wait);
  }
}

function only(names: readonly string[], what: string): string | undefined {
  const [first, second] = names;
  if (second === undefined) return first;
  throw new ShimError(
    "Internal",
    `Cannot choose for ${what}: there are ${names.length} of them ` +
      `("${first}", "${second}")`,
  );
}

/** The PCI device below a vmbus device, once it is there. */
async function pciPath(device: string): Promise<string | undefined> {
  const roots = (await namesIn(device)).filter((name) => pciRoot.test(name));
  const root = only(roots, `PCI bus of ${device}`);
  if (root === undefined) return undefined;
  const path = `${device}/${root}`;
  const [, bus = ""] = pciRoot.exec(root) ?? [];
  const devices = (await namesIn(path)).filter((name) => name.startsWith(bus));
  const found = only(devices, `PCI device of ${path}`);
  return found && `${path}/${found}`;
}
