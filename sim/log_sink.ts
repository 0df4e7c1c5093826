/**
 * The `log` FIFO of a bundle, which containerd reads.
 *
 * @module
 */

import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { LogSink } from "../base/log.ts";

const encoder = new TextEncoder();

/**
 * Opens the FIFO for writing. Read access comes with it, so that the open does
 * not wait for containerd and its end does not raise SIGPIPE; lines that do not
 * fit in the pipe are dropped.
 *
 * @param bundle Folder of the FIFO; without one there the lines go nowhere.
 * @throws When the file exists and cannot be opened.
 */
export function openLogSink(bundle: string): LogSink {
  let fd: number | undefined;
  try {
    fd = openSync(`${bundle}/log`, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
  let torn = false;
  return (line) => {
    if (fd === undefined) return false;
    try {
      // A line beyond PIPE_BUF may have fitted in part only.
      const bytes = encoder.encode(torn ? `\n${line}` : line);
      torn = writeSync(fd, bytes) < bytes.length;
      return !torn;
    } catch (error) {
      // A log that fails must not fail what it reports on: full is skipped, any
      // other failure ends it.
      if (!isCode(error, "EAGAIN")) {
        closeSync(fd);
        fd = undefined;
      }
      return false;
    }
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
