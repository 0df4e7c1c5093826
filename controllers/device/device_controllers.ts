/**
 * The device controllers of one VM.
 *
 * @module
 */

import type { DevicePeers } from "./peers.ts";
import { Plan9Controller } from "./plan9/controller.ts";
import type { DiskConfig } from "./scsi/config.ts";
import { ScsiController } from "./scsi/controller.ts";
import { VpciController } from "./vpci/controller.ts";

/** What the devices of a VM start from. */
export interface DeviceSetup {
  /** How many SCSI controllers it has, 1 to 4. */
  readonly scsiControllers: number;
  /** The disk that it boots from, in the first slot; absent when it boots otherwise. */
  readonly bootDisk?: DiskConfig | undefined;
  /** Whether host directories may be shared only read-only. */
  readonly noWritableFileShares: boolean;
}

/**
 * One controller per class of devices, each made when it is first asked for: all
 * containers of the VM must share it, or they would share no device.
 */
export class DeviceControllers {
  readonly #peers: DevicePeers;
  readonly #setup: DeviceSetup;
  #scsi: ScsiController | undefined;
  #plan9: Plan9Controller | undefined;
  #vpci: VpciController | undefined;

  /**
   * @param peers The VM and its agent.
   * @param setup What its devices start from.
   */
  constructor(peers: DevicePeers, setup: DeviceSetup) {
    this.#peers = peers;
    this.#setup = setup;
  }

  /** The disks of the VM. */
  get scsi(): ScsiController {
    if (this.#scsi !== undefined) return this.#scsi;
    const { scsiControllers, bootDisk } = this.#setup;
    this.#scsi = new ScsiController(this.#peers, scsiControllers);
    if (bootDisk !== undefined) this.#scsi.reserveRootfs(0, 0, bootDisk);
    return this.#scsi;
  }

  /** The shares of the VM. */
  get plan9(): Plan9Controller {
    this.#plan9 ??= new Plan9Controller(this.#peers, this.#setup);
    return this.#plan9;
  }

  /** The PCI devices of the VM. */
  get vpci(): VpciController {
    this.#vpci ??= new VpciController(this.#peers);
    return this.#vpci;
  }
}
