/**
 * A stream that this process serves for one client.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "./duplex.ts";

/** The server's end of a stream, from before its client has come. */
export interface ServedStream extends Duplex {
  /**
   * No client comes any more: reads give the end, writes reject. One that is
   * there stays.
   */
  refuse(): Promise<void>;
}

/**
 * Serves a stream for one client. Reads and writes wait until it has come; nobody
 * else can connect then.
 *
 * @param listener Closed with the stream, or when its client has come.
 */
export function serveOne(listener: DuplexListener): ServedStream {
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
