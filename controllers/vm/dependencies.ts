/**
 * What a VM is made of, what its controller needs, and how it ends.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Timeouts } from "../../base/timeouts.ts";
import type { Tracer } from "../../base/trace.ts";
import type { WindowsHost } from "../../hcs/ports.ts";
import type { Annotations } from "../../oci/annotations.ts";
import type { VmPlatform } from "./host_facts.ts";
import type { HostDevice, RuntimeOptions } from "./options.ts";

/** What a VM is made of. */
export interface CreateVm {
  /** Its id for the compute service, `<sandbox>@vm`. */
  readonly id: string;
  /** Who owns it; empty means the shim. */
  readonly owner: string;
  /** The bundle of its sandbox. */
  readonly bundle: string;
  /** Runtime options; absent when containerd sent none of ours. */
  readonly options?: RuntimeOptions | undefined;
  /** Annotations of its sandbox. */
  readonly annotations: Annotations;
  /** Host devices of its sandbox. */
  readonly devices: readonly HostDevice[];
}

/** What a {@linkcode VmController} needs. */
export interface VmDependencies {
  /** The host. */
  readonly host: Pick<WindowsHost, "compute" | "sockets" | "files"> & {
    readonly platform: VmPlatform;
  };
  /** Id of its sandbox, for the guest's log. */
  readonly sandboxId?: string;
  /** Where it tells what happens, and where the guest's log goes. */
  readonly log: Logger;
  /** Source of time. */
  readonly clock: Clock;
  /** `vmStart`, `vmTerminate`, `drainGrace` and those of the bridge. */
  readonly timeouts: Timeouts;
  /** Gets a span per guest call and per phase of the boot. */
  readonly tracer?: Tracer;
  /** Told how many lines of the guest's log were dropped. */
  readonly onLogDropped?: (lines: number) => void;
}

/** How a VM ended. */
export interface VmExit {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Why, when it did not end in order. */
  readonly error?: Error;
}
