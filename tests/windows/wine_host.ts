/**
 * The simulated host for programs under Wine: the fake compute DLLs reach it
 * through the forwarder, and the dials of its guests reach their Hyper-V sockets.
 *
 * @module
 */

import type { Logger } from "../../base/log.ts";
import { type GuestProgram, guestProgram } from "../../sim/guest_program.ts";
import { SimulatedHost } from "../../sim/simulated_host.ts";
import { stateFolders } from "../../sim/state.ts";
import { HyperVRegistry } from "../../sim/wine/hyperv_registry.ts";
import { wineComputeHost } from "../../sim/wine/paths.ts";
import type { NetworkService } from "./computenetwork_front.ts";
import { forward, type Forwarder } from "./forwarder.ts";

/** How a {@linkcode WineHost} is started. */
export interface WineHostOptions {
  /** State folder, an absolute path of at most 40 characters (`LCOW_STATE`). */
  readonly state: string;
  /** What runs in the machines; default is our agent, or what `LCOW_SIM_GUEST` names. */
  readonly guest?: GuestProgram;
  /** Behind `computenetwork.dll`; default is a `MemoryNetwork`. */
  readonly network?: NetworkService;
  /** Takes what cannot be told to a caller. */
  readonly log?: Logger;
}

/** A simulated host that programs under Wine use. */
export interface WineHost extends AsyncDisposable {
  /** Variables for such a program: where the fake DLLs find it. */
  readonly env: Readonly<Record<string, string>>;
  /** The host itself; its paths are the ones of this computer. */
  readonly host: SimulatedHost;
  /** Answers the fake compute DLLs. */
  readonly forwarder: Forwarder;
  /** Knows the Hyper-V sockets. */
  readonly registry: HyperVRegistry;
}

/** Starts a simulated host for programs under Wine. */
export async function startWineHost(
  options: WineHostOptions,
): Promise<WineHost> {
  const { state, network, log } = options;
  const host = new SimulatedHost({
    state: stateFolders(state),
    guest: options.guest ?? await guestProgram((name) => Deno.env.get(name)),
    ...(log === undefined ? {} : { log }),
  });
  const forwarder = forward(
    wineComputeHost(host),
    network === undefined ? {} : { network },
  );
  const registry = new HyperVRegistry({
    sockets: host,
    ...(log === undefined ? {} : { log }),
  });
  return {
    env: {
      LCOW_FORWARDER_PORT: String(forwarder.port),
      LCOW_HVSOCKET_PORT: String(registry.port),
    },
    host,
    forwarder,
    registry,
    [Symbol.asyncDispose]: async () => {
      // The machines end with the handles of their programs.
      await forwarder[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
