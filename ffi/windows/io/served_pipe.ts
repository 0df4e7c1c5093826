/**
 * A named pipe that this process serves for one client.
 *
 * @module
 */

import { type ServedStream, serveOne } from "../../../base/served_stream.ts";
import { PipeListener, type PipeListenerOptions } from "./pipe_listener.ts";
import type { WindowsIo } from "./windows_io.ts";

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
): ServedStream {
  return serveOne(PipeListener.open(io, name, options));
}
