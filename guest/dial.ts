/**
 * Reaching the host (`spec/guest-protocol.md` 1).
 *
 * @module
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { connDuplex, type Duplex } from "../base/duplex.ts";
import { defaultTimeouts, type Timeouts } from "../base/timeouts.ts";
import { ErrnoError, isErrno } from "../ffi/linux/errno.ts";
import { connectSocket } from "../ffi/linux/socket.ts";

/** The host, seen from a VM. */
const hostCid = 2;

/** What a dialler needs beside the folder of the sockets. */
interface DialOptions {
  readonly clock: Clock;
  readonly timeouts: Timeouts;
}

/**
 * Connects; a host that times out is tried again, other failures are final.
 *
 * @throws The last failure; the signal's reason.
 */
async function redial<T>(
  connect: () => Promise<T>,
  { clock, timeouts }: DialOptions,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await connect();
    } catch (error) {
      const again = attempt < timeouts.guestDialAttempts &&
        (error instanceof Deno.errors.TimedOut || isErrno(error, "ETIMEDOUT"));
      if (!again) throw error;
      await clock.sleep(timeouts.guestRedial, signal);
    }
  }
}

/**
 * A function that connects to a port of the host: a Hyper-V socket, or a Unix
 * socket `<directory>/<port>` where VMs are simulated.
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
  return async (port) =>
    connDuplex(await redial(() => connect(port), { clock, timeouts }));
}

/** Milliseconds between looks at a connection that is being made. */
const connectInterval = 10;

/**
 * Like {@linkcode dialer}, for a socket that is handed to the kernel: it answers
 * the descriptor, which the caller closes.
 */
export function descriptorDialer(
  directory: string | undefined,
  clock: Clock = systemClock,
  timeouts: Timeouts = defaultTimeouts,
): (port: number, signal?: AbortSignal) => Promise<number> {
  return async (port, signal) => {
    const address = directory === undefined
      ? { cid: hostCid, port }
      : { path: `${directory}/${port}` };
    const end = clock.now() + timeouts.deviceWait;
    const pause = async (): Promise<void> => {
      if (clock.now() >= end) {
        throw new ErrnoError(110, `Cannot connect to port ${port}`);
      }
      await clock.sleep(connectInterval, signal);
    };
    return await redial(
      () => connectSocket(address, pause),
      { clock, timeouts },
      signal,
    );
  };
}
