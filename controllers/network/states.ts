/**
 * The states of a pod's network.
 *
 * @module
 */

import { defineStates, type States } from "../../base/states.ts";

/** States of a pod's network. */
export type NetworkState =
  | "NotConfigured"
  | "Configured"
  | "Invalid"
  | "TornDown";

/** Events of a pod's network. */
export type NetworkEvent = "setup" | "fail" | "teardown";

/**
 * The table of a pod's network: a `States`, which is documented in `base/`.
 *
 * @internal
 */
export type NetworkStates = States<NetworkState, NetworkEvent>;

/**
 * Life cycle of a pod's network. `fail` is a setup or a teardown that did not
 * come to its end: only a teardown helps then, as often as it takes.
 */
export const networkStates: NetworkStates = defineStates(
  "network",
  "NotConfigured",
  [
    ["NotConfigured", "setup", "Configured"],
    ["NotConfigured", "fail", "Invalid"],
    ["Configured", "fail", "Invalid"],
    ["Invalid", "fail", "Invalid"],
    ["Configured", "teardown", "TornDown"],
    ["Invalid", "teardown", "TornDown"],
  ],
);
