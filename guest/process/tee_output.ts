/**
 * Output that the host gets and that is kept in a file of the VM as well
 * (`spec/guest-protocol.md` 6.7).
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { close, open, OpenFlag } from "../../ffi/linux/files.ts";

/**
 * Opens a file to append to; made when missing, with mode 0666 and the umask.
 * Containers may write to the folders above it: a link or a FIFO that stands in
 * the way is refused.
 *
 * @param path Absolute and clean.
 * @returns The file, which the caller closes.
 * @throws {ErrnoError} What the kernel refuses.
 * @throws {ShimError} InvalidArgument for what is not this very file.
 */
export async function openLogFile(path: string): Promise<Deno.FsFile> {
  const flags = OpenFlag.WriteOnly | OpenFlag.Append | OpenFlag.Create |
    OpenFlag.NonBlocking;
  const fd = open(path, flags, 0o666);
  const own = `/proc/self/fd/${fd}`;
  try {
    const isRight = await Deno.readLink(own) === path &&
      (await Deno.stat(own)).isFile;
    if (isRight) return await Deno.open(own, { append: true });
  } finally {
    close(fd);
  }
  throw new ShimError(
    "InvalidArgument",
    `Cannot log to "${path}": it is not a file, or behind a symbolic link`,
  );
}

/** A file in which the output of a process is kept. */
export class OutputLog {
  readonly #file: Deno.FsFile;
  readonly #log: Logger;
  #failed = false;
  #last: Promise<void> = Promise.resolve();

  /** @param file Owned from here on. */
  constructor(file: Deno.FsFile, log: Logger) {
    this.#file = file;
    this.#log = log;
  }

  /** Appends bytes, whole. After the first failure, which is told, nothing. */
  async write(bytes: Uint8Array): Promise<void> {
    // Two streams share the file: one's bytes do not come between the other's.
    const turn = this.#last.then(() => this.#append(bytes));
    this.#last = turn;
    await turn;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length && !this.#failed;) {
        at += await this.#file.write(bytes.subarray(at));
      }
    } catch (error) {
      this.#failed = true;
      const message = messageOf(error);
      this.#log.warn("Output is not logged any more", { error: message });
    }
  }

  /** Closes the file after what is being written. */
  async close(): Promise<void> {
    await this.#last;
    this.#failed = true;
    this.#file.close();
  }
}

/**
 * A stream to the host whose writes go into a log afterwards. The log gets all
 * output: also when the host names no stream, or is lost. (REF logs what the host
 * has taken.)
 */
export class TeeOutput implements Duplex {
  readonly #host: Duplex | undefined;
  readonly #kept: OutputLog;
  readonly #log: Logger;
  #isLost: boolean;

  /**
   * @param host The stream; owned.
   * @param kept Where the output is kept; the caller's.
   * @param log Where the loss of the host is told.
   */
  constructor(host: Duplex | undefined, kept: OutputLog, log: Logger) {
    this.#host = host;
    this.#kept = kept;
    this.#log = log;
    this.#isLost = host === undefined;
  }

  /** Reads from the host; a missing one has nothing to say. */
  async read(buffer: Uint8Array): Promise<number | null> {
    return this.#host === undefined ? null : await this.#host.read(buffer);
  }

  /** Hands all bytes to the host, then to the log. Never rejects. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (!this.#isLost) await this.#host?.write(bytes);
    } catch (error) {
      this.#isLost = true;
      const message = messageOf(error);
      this.#log.warn("Output goes to the log alone", { error: message });
    }
    await this.#kept.write(bytes);
  }

  /** Ends the output to the host. */
  async closeWrite(): Promise<void> {
    await this.#host?.closeWrite();
  }

  /** Closes the stream to the host. */
  async close(): Promise<void> {
    await this.#host?.close();
  }
}
