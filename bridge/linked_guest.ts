/**
 * Host and guest joined in memory, with ports that the guest dials, for tests of
 * both sides of the bridge together.
 *
 * @module
 */

import {
  type Duplex,
  type DuplexListener,
  memoryPair,
} from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger as log } from "../base/log.ts";
import { GuestConnection } from "./connection.ts";
import { fakeHandlers } from "./fake_handlers.ts";
import { BridgeGuest } from "./guest.ts";
import type { GuestHandlers } from "./handlers.ts";
import type { Capabilities } from "./messages.gen.ts";
import { GuestBridge } from "./server.ts";

/** The ports of one VM: what the host listens on, the guest dials. */
export class FakePorts {
  /** Ports that are listened on. */
  readonly listening = new Map<number, PromiseWithResolvers<Duplex>>();

  /** The host listens. */
  listen(port: number): Promise<DuplexListener> {
    const dialled = Promise.withResolvers<Duplex>();
    const closed = Promise.withResolvers<never>();
    dialled.promise.catch(() => {});
    closed.promise.catch(() => {});
    this.listening.set(port, dialled);
    return Promise.resolve({
      accept: (signal) => {
        const aborted = Promise.withResolvers<never>();
        signal?.addEventListener("abort", () => aborted.reject(signal.reason));
        return Promise.race([
          dialled.promise,
          closed.promise,
          aborted.promise,
        ]);
      },
      close: () => {
        this.listening.delete(port);
        closed.reject(new ShimError("Unavailable", "listener closed"));
        return Promise.resolve();
      },
    });
  }

  /** The guest dials. */
  dial(port: number): Duplex {
    const [theirs, ours] = memoryPair();
    const waiting = this.listening.get(port);
    if (waiting === undefined) throw new Error(`nobody listens on ${port}`);
    waiting.resolve(theirs);
    return ours;
  }
}

/** Both sides of one bridge. */
export interface LinkedGuest extends AsyncDisposable {
  /** What controllers use. */
  readonly guest: BridgeGuest;
  /** Where the guest dials for streams. */
  readonly ports: FakePorts;
  /** The guest's side. */
  readonly bridge: GuestBridge;
  /** The host's side. */
  readonly connection: GuestConnection;
}

/** Both sides of a bridge; the guest does what `handlers` say. */
export async function linkGuest(
  handlers: (ports: FakePorts) => Partial<GuestHandlers>,
  capabilities?: Capabilities,
): Promise<LinkedGuest> {
  const ports = new FakePorts();
  const bridge = new GuestBridge(fakeHandlers(handlers(ports)), {
    log,
    ...(capabilities && { capabilities }),
  });
  const [host, guest] = memoryPair();
  const served = bridge.serve(guest);
  const connection = await GuestConnection.open(host, { log });
  return {
    guest: new BridgeGuest(connection, (port) => ports.listen(port)),
    ports,
    bridge,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await served;
    },
  };
}
