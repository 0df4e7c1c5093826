/**
 * The client's side of the streams of one process, made of listeners.
 *
 * @module
 */

import type { Duplex, DuplexListener } from "../base/duplex.ts";
import { type ServedStream, serveOne } from "../base/served_stream.ts";
import type { ServedStdio, StdioName } from "./stdio.ts";

/** What streams are served with. */
export interface ServedStdioParts {
  /** Whether the process has a terminal: then errors are output. */
  readonly terminal: boolean;
  /** The address of a stream. */
  addressOf(stream: StdioName): string;
  /** Serves an address. */
  listen(address: string): Promise<DuplexListener>;
  /** Called when all are closed, or when one cannot be served. */
  release(): Promise<void>;
}

/**
 * Its `closeWrite()` closes the stream, once the shim is there: a named pipe has no
 * other end. What was written can still be read.
 */
function input(stream: ServedStream): Duplex {
  return {
    read: (buffer) => stream.read(buffer),
    write: (bytes) => stream.write(bytes),
    closeWrite: async () => {
      await stream.closeWrite();
      await stream.close();
    },
    close: () => stream.close(),
  };
}

/**
 * Serves the streams of one process.
 *
 * @throws What a listener says; nothing is left then.
 */
export async function serveStdio(
  { terminal, addressOf, listen, release }: ServedStdioParts,
): Promise<ServedStdio> {
  await using made = new AsyncDisposableStack();
  made.defer(release);
  const serve = async (name: StdioName): Promise<ServedStream> =>
    made.adopt(
      serveOne(await listen(addressOf(name))),
      (stream) => stream.close(),
    );
  const stdin = await serve("stdin");
  const stdout = await serve("stdout");
  const stderr = terminal ? undefined : await serve("stderr");
  const all = made.move();
  return {
    addresses: {
      stdin: addressOf("stdin"),
      stdout: addressOf("stdout"),
      stderr: terminal ? "" : addressOf("stderr"),
    },
    stdin: input(stdin),
    stdout,
    stderr,
    refuse: async () => {
      await stdin.close();
      await stdout.refuse();
      await stderr?.refuse();
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
