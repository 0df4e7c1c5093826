/**
 * A named pipe that this process serves for one client.
 *
 * @module
 */

import type { Duplex } from "../../../base/duplex.ts";
import { PipeListener, type PipeListenerOptions } from "./pipe_listener.ts";
import type { WindowsIo } from "./windows_io.ts";

/** The server's end of a pipe, from before its client has come. */
export interface ServedPipe extends Duplex {
  /**
   * No client comes any more: reads give the end, writes reject. One that is
   * there stays.
   */
  refuse(): Promise<void>;
}

/**
 * Serves a pipe for one client. Reads and writes wait until it has come; nobody
 * else can connect then.
 *
 * @param name Full name, for example `\\.\pipe\x`.
 * @throws {ShimError} AlreadyExists when somebody listens there; InvalidArgument
 *   when it is no pipe of this machine.
 * @throws {HResultError} What the system answered.
 */
export function servePipe(
  io: WindowsIo,
  name: string,
  options: PipeListenerOptions = {},
): ServedPipe {
  const listener = PipeListener.open(io, name, options);
  const accept = async (): Promise<Duplex> => {
    const stream = await listener.accept();
    await listener.close();
    return stream;
  };
  const client = accept();
  // Who reads or writes is told.
  const here = client.catch(() => undefined);
  return {
    read: async (buffer) => await (await here)?.read(buffer) ?? null,
    write: async (bytes) => await (await client).write(bytes),
    closeWrite: async () => await (await here)?.closeWrite(),
    refuse: () => listener.close(),
    close: async () => {
      await listener.close();
      await (await here)?.close();
    },
  };
}
