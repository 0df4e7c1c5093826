/**
 * What a container needs of the world around it.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { Guest } from "../../bridge/guest.ts";
import type { ComputeHost, HostFiles } from "../../hcs/ports.ts";
import type { PathFiles, Plan9Controller } from "../device/plan9/mod.ts";
import type { ScsiController } from "../device/scsi/mod.ts";
import type { VpciController } from "../device/vpci/mod.ts";
import type { ClientStreams } from "../process/mod.ts";

/** How directories and files of the host reach the VM. */
export interface HostShares {
  /** The shares of the VM. */
  readonly plan9: Pick<Plan9Controller, "reserve" | "map" | "unmap">;
  /** The files of the host. */
  readonly files: PathFiles;
}

/** What a container needs. */
export interface ContainerDependencies {
  /** The agent of the VM. */
  readonly guest: Guest;
  /** The disks of the VM. */
  readonly scsi: Pick<ScsiController, "reserve" | "map" | "unmap">;
  /** Host directories for the VM; without it, mounts of them are refused. */
  readonly shares?: HostShares | undefined;
  /** PCI devices for the VM; without it, devices are refused. */
  readonly vpci?: Pick<VpciController, "reserve" | "map" | "unmap"> | undefined;
  /** The compute service. */
  readonly compute: Pick<ComputeHost, "grantAccess">;
  /** The files of the host. */
  readonly files: Pick<HostFiles, "resolve">;
  /** Opens the streams of clients. */
  readonly streams: ClientStreams;
  /** Where it tells what happens. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** `deleteWait`, and those of processes. */
  readonly timeouts: Timeouts;
  /** Whether scratch disks are encrypted by the guest. Default false. */
  readonly scratchEncryption?: boolean;
}

/** Which container it is. */
export interface ContainerIds {
  /** As containerd calls it; the guest, too, for its whole life. */
  readonly containerId: string;
  /** Its pod, as the guest calls it. A standalone container is its own pod. */
  readonly podId: string;
  /** GUID of its VM. */
  readonly runtimeId: string;
}
