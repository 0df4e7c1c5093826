/**
 * Streams of a task on Linux: FIFOs that containerd's client made.
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import type { StdioName } from "../hcs/ports.ts";
import { openFifo } from "../ffi/linux/fifo.ts";

/**
 * Opens a stream by its path or `fifo://` URL.
 *
 * @throws {ShimError} InvalidArgument when it is none; NotFound when there is no
 * such FIFO.
 */
export async function openStdio(url: string, name: StdioName): Promise<Duplex> {
  const path = url.startsWith("fifo://") ? url.slice("fifo://".length) : url;
  if (!path.startsWith("/")) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot open ${name} "${url}": expected the absolute path of a FIFO`,
    );
  }
  return await openFifo(path, name);
}
