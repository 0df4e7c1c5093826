/**
 * Streams of a task on Linux: FIFOs that containerd's client made, log files, or
 * sockets, as `lcow exec` serves them.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { logFilePath, openLogFile } from "../base/log_file.ts";
import type { StdioName } from "../hcs/stdio.ts";
import { connectTo } from "./endpoint.ts";
import { openFifo } from "../ffi/linux/fifo.ts";

/**
 * Opens a stream by the path or `fifo://` URL of a FIFO, the `file://` URL of a log
 * file, or the `unix://` URL of a socket. A socket ends with its other end, as a
 * named pipe of Windows does; a FIFO says neither that its reader has come nor that
 * its writer will not come back.
 *
 * @throws {ShimError} InvalidArgument when it is none; NotFound when there is no
 * such FIFO; Unavailable when nobody serves the socket.
 */
export async function openStdio(url: string, name: StdioName): Promise<Duplex> {
  const file = logFilePath(url, name, "linux");
  if (file !== undefined) return await openLogFile(file);
  if (url.startsWith("unix://")) return await connectTo(url);
  const path = url.startsWith("fifo://") ? url.slice("fifo://".length) : url;
  if (!path.startsWith("/")) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot open ${name} "${url}": expected the absolute path of a FIFO, or file:///PATH`,
    );
  }
  return await openFifo(path, name);
}
