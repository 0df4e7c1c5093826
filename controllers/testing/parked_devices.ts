/**
 * A device controller whose host and guest answer when, and as, the test says.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { DevicePeers } from "../device/peers.ts";
import { DeviceWorld, gone, type Side } from "./device_world.ts";

/** A device controller, with things that are numbers. */
export interface ModelSubject {
  /** Reserves a thing in one of two ways that exclude each other. */
  reserve(thing: number, isOtherWay: boolean): Promise<string>;
  /** Maps it. @returns Where the guest has it. */
  map(id: string): Promise<string>;
  /** Gives it back. */
  unmap(id: string): Promise<void>;
  /** True when two different things are parts of one. Default: none are. */
  isPartOf?(thing: number, other: number): boolean;
  /** What is held: things and reservations. */
  held(): { readonly things: number; readonly reservations: number };
}

/** How a side answers. */
export type Answer = "ok" | "fail" | "gone";

/** A controller with its world. */
export interface ParkedDevices {
  /** Host and guest. */
  readonly world: DeviceWorld;
  /** The controller. */
  readonly subject: ModelSubject;
  /** Calls that wait for their answers. */
  readonly parked: ((answer: Answer) => void)[];
}

const injected = new ShimError("Internal", "injected");

/**
 * Lets everything run that waits for nothing. A turn of the event loop would do,
 * too, but takes a millisecond.
 *
 * @param users How many may wait behind each other in one queue.
 */
export async function settle(users: number): Promise<void> {
  for (let turn = 0; turn < 50 + 20 * users; turn++) await Promise.resolve();
}

/** Makes a controller; none of its calls has an effect before it is answered. */
export function parkDevices(
  make: (peers: DevicePeers) => ModelSubject,
): ParkedDevices {
  const world = new DeviceWorld();
  const parked: ParkedDevices["parked"] = [];
  const side = (name: Side) => ({
    modify: async (request: never): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      parked.push(resolve);
      const answer = await promise;
      if (answer === "fail") world.script.failNext(name, injected);
      if (answer === "gone") world.script.failNext(name, gone);
      await world[name].modify(request);
    },
  });
  const subject = make({ vm: side("vm"), guest: side("guest") });
  return { world, subject, parked };
}
