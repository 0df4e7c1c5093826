/**
 * A guest's bridge that serves one connection, the host being played by a test.
 *
 * @module
 */

import { memoryPair } from "../base/duplex.ts";
import { nullGuid } from "../base/guid.ts";
import type { JsonObject } from "../base/json.ts";
import { silentLogger as log } from "../base/log.ts";
import type { BridgeEnd } from "./errors.ts";
import { fakeHandlers } from "./fake_handlers.ts";
import type { GuestHandlers } from "./handlers.ts";
import { requestTypes } from "./message_types.ts";
import type { ContainerNotification } from "./messages.gen.ts";
import { ScriptedPeer } from "./scripted_peer.ts";
import { GuestBridge, type GuestBridgeOptions } from "./server.ts";

/** An activity that requests carry. */
export const activity = "11111111-2222-3333-4444-555555555555";
/** Common members of a request. */
export const base = { ContainerId: "web", ActivityId: activity };

/** The notification of the end of a container. */
export function exitOf(id: string): ContainerNotification {
  return {
    ContainerId: id,
    ActivityId: activity,
    Type: "UnexpectedExit",
    Operation: "None",
    Result: 0,
  };
}

/** A bridge in use. */
export interface ServedBridge {
  /** The guest. */
  readonly bridge: GuestBridge;
  /** The host. */
  readonly host: ScriptedPeer;
  /** Settles with the connection. */
  readonly served: Promise<BridgeEnd>;
}

/** A bridge that serves one connection, not yet negotiated. */
export function serve(
  handlers: Partial<GuestHandlers> = {},
  options: Partial<GuestBridgeOptions> = {},
): ServedBridge {
  const bridge = new GuestBridge(fakeHandlers(handlers), { log, ...options });
  const [theirs, ours] = memoryPair();
  return {
    bridge,
    host: new ScriptedPeer(theirs),
    served: bridge.serve(ours),
  };
}

/** Offers versions; returns the guest's answer. */
export async function negotiate(
  host: ScriptedPeer,
  range: JsonObject = { MinimumVersion: 4, MaximumVersion: 4 },
): Promise<JsonObject> {
  await host.send(requestTypes.NegotiateProtocol, 0, {
    ContainerId: "",
    ActivityId: nullGuid,
    ...range,
  });
  return (await host.receive()).body;
}
