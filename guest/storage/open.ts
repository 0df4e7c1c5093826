/**
 * The storage of the VM in which the agent runs.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { RunProgram } from "../program.ts";
import type { VmPolicy } from "../policy/policy.ts";
import type { Confidential } from "./confidential.ts";
import { Crypt, cryptPorts } from "./crypt.ts";
import { DeviceMapper } from "./device_mapper.ts";
import { kernelOverlay } from "./overlay.ts";
import { PciDevices } from "./pci.ts";
import { Plan9Mounts, type Plan9Ports, plan9Ports } from "./plan9.ts";
import { PmemMounts, pmemPorts } from "./pmem.ts";
import { ScsiMounts, scsiPorts } from "./scsi.ts";
import { ScsiDevices } from "./scsi_device.ts";
import { GuestStorage } from "./storage.ts";

/** What the storage needs of the agent. */
export interface StorageOptions {
  /** Time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Timeouts;
  /** Lines for the host. */
  readonly log: Logger;
  /** Runs programs of the VM. */
  readonly run: RunProgram;
  /** Reaches a port of the host with a descriptor. */
  readonly dial: Plan9Ports["dial"];
  /** Guards the mounts once a policy is set. */
  readonly confidential: Confidential;
  /** Says what may be mounted. */
  readonly policy: Pick<VmPolicy, "ask">;
}

/** Storage over the kernel of this machine. */
export function openStorage(options: StorageOptions): GuestStorage {
  const { clock, timeouts, log, run, dial, confidential, policy } = options;
  const { deviceWait, pciWait, shareMount } = timeouts;
  const scsiDevices = new ScsiDevices(clock, deviceWait);
  const mapper = new DeviceMapper(clock, deviceWait);
  const crypt = new Crypt(cryptPorts(run), clock, deviceWait);
  const find = scsiDevices.find.bind(scsiDevices);
  const waitForNode = scsiDevices.waitForNode.bind(scsiDevices);
  const scsi = scsiPorts({ find, run, mapper, crypt }, log);
  return new GuestStorage({
    scsiDevices,
    scsi: new ScsiMounts({ ports: scsi, clock, log }),
    pmem: new PmemMounts({
      ports: pmemPorts({ waitForNode, mapper }, log),
      log,
    }),
    plan9: new Plan9Mounts({
      ...{ clock, log, timeout: shareMount },
      ports: plan9Ports(dial, log),
    }),
    pci: new PciDevices(clock, pciWait),
    overlay: kernelOverlay(log),
    confidential,
    policy,
    log,
  });
}
