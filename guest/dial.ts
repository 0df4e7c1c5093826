/**
 * Reaching the host (`spec/guest-protocol.md` 1).
 *
 * @module
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { connDuplex, type Duplex } from "../base/duplex.ts";
import { defaultTimeouts, type Timeouts } from "../base/timeouts.ts";

/** The host, seen from a VM. */
const hostCid = 2;

/**
 * A function that connects to a port of the host: a Hyper-V socket, or a Unix
 * socket `<directory>/<port>` where VMs are simulated. A host that times out is
 * tried again; other failures are final.
 *
 * @param directory Folder of the Unix sockets, if the VM is simulated.
 */
export function dialer(
  directory: string | undefined,
  clock: Clock = systemClock,
  timeouts: Timeouts = defaultTimeouts,
): (port: number) => Promise<Duplex> {
  const connect = (port: number): Promise<Deno.Conn> =>
    directory === undefined
      ? Deno.connect({ transport: "vsock", cid: hostCid, port })
      : Deno.connect({ transport: "unix", path: `${directory}/${port}` });
  return async (port) => {
    for (let attempt = 1;; attempt++) {
      try {
        return connDuplex(await connect(port));
      } catch (error) {
        const again = error instanceof Deno.errors.TimedOut &&
          attempt < timeouts.guestDialAttempts;
        if (!again) throw error;
        await clock.sleep(timeouts.guestRedial);
      }
    }
  };
}
