/**
 * Whom the devices of a VM talk to, and when a release has nothing left to do.
 *
 * @module
 */

import { isGone } from "../../base/hresult.ts";

/** A change of the VM that the host is asked for. */
export interface HostChange {
  /** What is changed, for example `VirtualMachine/Devices/Plan9/Shares`. */
  readonly ResourcePath: string;
  /** `Add` or `Remove`. */
  readonly RequestType: string;
  /** The change itself; a Remove of some resources has none. */
  readonly Settings?: unknown;
}

/** A change that the guest is asked for. */
export interface GuestChange {
  /** What is changed, for example `MappedDirectory`. */
  readonly ResourceType: string;
  /** `Add` or `Remove`. */
  readonly RequestType: string;
  /** The change itself. */
  readonly Settings?: unknown;
}

/** The two sides of a device: the VM as the host knows it, and the agent in it. */
export interface DevicePeers {
  /** The VM, a `ComputeSystem`. */
  readonly vm: {
    /** Sends one modify request to the compute service. */
    modify(request: unknown): Promise<void>;
  };
  /** The agent, a `Guest`. */
  readonly guest: {
    /** Asks the agent for one change of the VM. */
    modify(request: GuestChange): Promise<void>;
  };
}

/**
 * Waits for one step of a release. Who answers that the thing, the VM or the
 * bridge is gone has nothing left to release, so the next step may follow: the
 * host still takes back what a dead guest cannot, which frees the files.
 *
 * @throws Every other failure.
 */
export async function unlessGone(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
