/**
 * Output of a task that goes to a file of the host: `file://` addresses, as
 * containerd's clients give them (`ctr run --log-uri`).
 *
 * @module
 */

import { closedError, type Duplex } from "./duplex.ts";
import { messageOf, ShimError } from "./errors.ts";

/** Rights of a log file that is made: its owner writes, its group reads. */
const mode = 0o640;

const scheme = /^file:/i;

/** `/C:/dir/file` and `C:/dir/file`; a share of another machine has no drive. */
const windowsPath = /^(?:\/\/)?\/?([A-Za-z]:\/[^?#]*[^/?#])$/;

const unixPath = /^\/\/(\/[^?#]*[^/?#])$/;

/**
 * The path of the file that an address names.
 *
 * @param url What containerd gave for the stream.
 * @param stream Which stream it is for.
 * @param os The operating system of the host: `windows` or another.
 * @returns Undefined when the address names no file but something else.
 * @throws {ShimError} InvalidArgument for input, which no log file gives, and for
 * a file that is not named by an absolute path of this machine.
 */
export function logFilePath(
  url: string,
  stream: string,
  os: string,
): string | undefined {
  if (!scheme.test(url)) return undefined;
  const refusal = (why: string, cause?: unknown): ShimError =>
    new ShimError(
      "InvalidArgument",
      `Cannot open ${stream} "${url}": ${why}`,
      { cause },
    );
  if (stream === "stdin") throw refusal("a log file gives no input");
  const isWindows = os === "windows";
  const form = isWindows ? windowsPath : unixPath;
  const path = form.exec(url.replace(scheme, ""))?.[1];
  if (path === undefined) {
    const example = isWindows
      ? "file:///C:/logs/web.log"
      : "file:///logs/web.log";
    throw refusal(`expected an absolute path of this machine, as ${example}`);
  }
  try {
    const decoded = decodeURIComponent(path);
    return isWindows ? decoded.replaceAll("/", "\\") : decoded;
  } catch (error) {
    throw refusal(messageOf(error), error);
  }
}

/** @throws What the system says, unless there is no such file. */
async function isFifo(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFifo === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Opens a log file at its end; it and its folders are made when they are not there.
 * Several streams may write to one file: each write goes to the end.
 *
 * @param path Its absolute path.
 * @throws {ShimError} InvalidArgument for a FIFO, whose open may never end.
 * @throws What the system says, for example that writing is forbidden.
 */
export async function openLogFile(path: string): Promise<Duplex> {
  const folder = /^(.*[\\/])[^\\/]+$/.exec(path)?.[1];
  if (folder !== undefined) await Deno.mkdir(folder, { recursive: true });
  if (await isFifo(path)) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot open log file "${path}": it is a FIFO; name it by its path alone`,
    );
  }
  const file = await Deno.open(path, { append: true, create: true, mode });
  let pending: Promise<void> | undefined;
  let isClosed = false;
  const writeAll = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
  };
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    // A file takes what is being written; closing under it would lose it.
    await pending?.catch(() => {}); // told to who wrote
    file.close();
  };
  return {
    read: () => Promise.resolve(null),
    write: async (bytes) => {
      if (isClosed) throw closedError(`log file "${path}"`);
      pending = writeAll(bytes);
      await pending;
    },
    closeWrite: close,
    close,
  };
}
