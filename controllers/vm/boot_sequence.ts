/**
 * The first dials of a booting VM, and the listeners that must be there before
 * it starts.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "../../base/duplex.ts";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/errors.ts";
import { bridgePort } from "../../bridge/places.ts";
import type { ComputeSystem, GuestSockets } from "../../hcs/ports.ts";
import { together } from "../together.ts";
import { entropyPort, logPort } from "./kernel_command_line.ts";

/** Random bytes that the guest's init asks for. */
const entropyBytes = 512;

/** The streams of a VM that has booted; the caller closes them. */
export interface BootStreams {
  /** The agent's log. */
  readonly log: Duplex;
  /** The bridge to the agent, before the handshake. */
  readonly bridge: Duplex;
}

async function closeLogged(
  things: readonly Pick<Duplex, "close">[],
  log: Logger,
): Promise<void> {
  for (const thing of things) {
    try {
      await thing.close();
    } catch (error) {
      log.warn("Cannot close a stream or listener of the VM", {
        error: messageOf(error),
      });
    }
  }
}

/** Listens on all ports; on a failure none stays. */
async function listenAll(
  sockets: GuestSockets,
  runtimeId: string,
  ports: readonly number[],
  log: Logger,
): Promise<DuplexListener[]> {
  const results = await Promise.allSettled(
    ports.map((port) => sockets.listen(runtimeId, port)),
  );
  const listeners = results.flatMap((result) =>
    result.status === "fulfilled" ? [result.value] : []
  );
  const failure = results.find((result) => result.status === "rejected");
  if (failure === undefined) return listeners;
  await closeLogged(listeners, log);
  throw failure.reason;
}

/** The one stream that is dialled; the listener is closed in any case. */
async function acceptOne(
  listener: DuplexListener,
  signal: AbortSignal,
  log: Logger,
): Promise<Duplex> {
  try {
    return await listener.accept(signal);
  } finally {
    await closeLogged([listener], log);
  }
}

async function giveEntropy(stream: Duplex, log: Logger): Promise<void> {
  try {
    const seed = crypto.getRandomValues(new Uint8Array(entropyBytes));
    await stream.write(seed);
    await stream.closeWrite();
  } finally {
    await closeLogged([stream], log);
  }
}

/**
 * Starts a VM and waits for its dials: for randomness, for its log, and for its
 * agent.
 *
 * All listeners stand before the VM starts. The VM dials while the host still
 * reports the start, so everything after that runs side by side.
 *
 * @param system The VM.
 * @param sockets Its sockets.
 * @param signal Ends the boot: a deadline, an exit of the VM, a terminate.
 * @param log Where failures of closing go.
 * @returns The streams. On a failure nothing is left open; the VM itself is the
 * caller's.
 */
export async function bootVm(
  system: Pick<ComputeSystem, "runtimeId" | "start">,
  sockets: GuestSockets,
  signal: AbortSignal,
  log: Logger,
): Promise<BootStreams> {
  signal.throwIfAborted();
  const ports = [entropyPort, logPort, bridgePort];
  const [entropy, agentLog, bridge] = await listenAll(
    sockets,
    system.runtimeId,
    ports,
    log,
  ) as [DuplexListener, DuplexListener, DuplexListener];
  const opened: Duplex[] = [];
  const accept = async (
    listener: DuplexListener,
    signal: AbortSignal,
  ): Promise<Duplex> => {
    const stream = await acceptOne(listener, signal, log);
    opened.push(stream);
    return stream;
  };
  try {
    const [, , logStream, bridgeStream] = await together<
      [void, void, Duplex, Duplex]
    >(signal, [
      (signal) => system.start(signal),
      async (signal) => await giveEntropy(await accept(entropy, signal), log),
      (signal) => accept(agentLog, signal),
      (signal) => accept(bridge, signal),
    ]);
    return { log: logStream, bridge: bridgeStream };
  } catch (error) {
    await closeLogged([...opened, entropy, agentLog, bridge], log);
    throw error;
  }
}
