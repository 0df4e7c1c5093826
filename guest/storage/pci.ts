/**
 * Devices on the hypervisor's bus (`spec/guest-runtime.md` 14.6).
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { isGuid } from "../../base/guid.ts";
import { waitForMatch } from "../wait.ts";

/** Finds PCI devices that the host assigned. */
export class PciDevices {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #sys: string;

  /**
   * @param clock Time.
   * @param timeout Milliseconds until a device must have appeared. (REF waits as
   * long as its caller.)
   * @param sys `/sys` of the VM.
   */
  constructor(clock: Clock, timeout: number, sys = "/sys") {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#sys = sys;
  }

  /**
   * Waits for what a device of the bus shows in its folder.
   *
   * @param id The device: a GUID.
   * @param name Of what it shows; may hold `*`.
   * @returns The path.
   * @throws {ShimError} InvalidArgument for no GUID, FailedPrecondition when
   * several match, DeadlineExceeded when nothing comes.
   */
  async onBus(id: string, name: string, signal?: AbortSignal): Promise<string> {
    if (!isGuid(id)) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot find the device ${JSON.stringify(id)}: it is no GUID`,
      );
    }
    const folder = `${this.#sys}/bus/vmbus/devices/${id.toLowerCase()}`;
    return await this.#wait(`${folder}/${name}`, signal);
  }

  #wait(pattern: string, signal: AbortSignal | undefined): Promise<string> {
    const wait = { clock: this.#clock, timeout: this.#timeout, signal };
    return waitForMatch(pattern, wait);
  }

  /**
   * Waits for an assigned PCI device: its bus is `pciXXXX:XX`, and it is in it as
   * `XXXX:XX:…`.
   *
   * @returns Its path in sysfs; the last component is its bus location.
   * @throws {ShimError} As {@linkcode PciDevices.onBus} does.
   */
  async find(id: string, signal?: AbortSignal): Promise<string> {
    const bus = await this.onBus(id, "pci*", signal);
    const number = nameOf(bus).slice("pci".length);
    return await this.#wait(`${bus}/${number}*`, signal);
  }

  /**
   * The bus location of an assigned PCI device, for example `1234:00:00.0`.
   *
   * @throws {ShimError} As {@linkcode PciDevices.onBus} does.
   */
  async location(id: string, signal?: AbortSignal): Promise<string> {
    return nameOf(await this.find(id, signal));
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
