/**
 * The client's side of the streams of a process on Linux: sockets in a folder of
 * their own, which goes with them.
 *
 * @module
 */

import { serveStdio } from "../hcs/served_stdio.ts";
import type { ServedStdio } from "../hcs/stdio.ts";
import { listenAt } from "./endpoint.ts";

/** Serves streams, as {@linkcode Platform.serveStdio} says. */
export async function serveSockets(terminal: boolean): Promise<ServedStdio> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-stdio-" }); // mode 0700
  return await serveStdio({
    terminal,
    addressOf: (stream) => `unix://${folder}/${stream}`,
    listen: listenAt,
    release: () => Deno.remove(folder, { recursive: true }),
  });
}
