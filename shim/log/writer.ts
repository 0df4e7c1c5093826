/**
 * Writes the log file of a sandbox, in generations of limited size.
 *
 * Every line is written at once: it costs some microseconds, and what a shim said
 * last is there however it ended.
 *
 * @module
 */

import { jsonLogger, type LogSink } from "../../base/log.ts";
import { generationsOf, logFileName, type LogName } from "./names.ts";

/** How a log file is written. */
export interface LogWriterOptions {
  /** The folder. */
  readonly folder: string;
  /** Whose log it is. */
  readonly name: LogName;
  /** Bytes of one generation. */
  readonly limit: number;
  /** Hears of the first line that could not be written. */
  readonly onFailure: (error: unknown) => void;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

const encoder = new TextEncoder();

/** Rights of the files: their owner reads and writes. */
const mode = 0o600;

/** What stands where lines are missing. */
export const missingLines = "Lines of the log are missing here";

/** A log file that is being written. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #generation: number;
  #file: Deno.FsFile | undefined;
  /** Bytes of the generation. */
  #size = 0;
  /** A line was written in part: the next one has to begin anew. */
  #isTorn = false;
  /** Lines that could not be written since the last that could. */
  #dropped = 0;
  #hasFailed = false;
  readonly #ownLog;

  private constructor(options: LogWriterOptions, generation: number) {
    this.#options = options;
    this.#generation = generation;
    const { now = Date.now } = options;
    this.#ownLog = jsonLogger((line) => this.#append(line), { now });
  }

  /**
   * Goes on with the highest generation that is there.
   *
   * @throws What the system says about the folder.
   */
  static async open(options: LogWriterOptions): Promise<LogWriter> {
    const present = await generationsOf(options.folder, options.name);
    return new LogWriter(options, present.at(-1) ?? 1);
  }

  /**
   * Writes a line. Lines that cannot be written are dropped; their number stands
   * before the next one that can.
   */
  readonly sink: LogSink = (line) => {
    try {
      this.#makeRoom(line);
      if (this.#dropped > 0) {
        this.#ownLog.warn(missingLines, { dropped: this.#dropped });
        this.#dropped = 0;
      }
      this.#append(line);
    } catch (error) {
      this.#fail(error);
    }
  };

  /** Closes the file; a later line would open it again. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  #fail(error: unknown): void {
    this.#dropped++;
    // The next line looks anew at what is there.
    this.close();
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onFailure(error);
  }

  #path(generation: number): string {
    const { folder, name } = this.#options;
    return `${folder}/${logFileName(name, generation)}`;
  }

  #open(generation: number): Deno.FsFile {
    const path = this.#path(generation);
    const file = Deno.openSync(path, { append: true, create: true, mode });
    this.#generation = generation;
    this.#size = file.statSync().size;
    // Whoever wrote before may have ended within a line. Readers skip empty ones.
    this.#isTorn = this.#size > 0;
    this.#file = file;
    return file;
  }

  /** Begins a new generation when a line does not fit into this one. */
  #makeRoom(line: string): void {
    const { limit } = this.#options;
    const length = encoder.encode(line).length;
    if (length > limit) {
      throw new RangeError(`A line of ${length} bytes exceeds ${limit}`);
    }
    if (this.#file === undefined) this.#open(this.#generation);
    if (this.#size === 0 || this.#size + length <= limit) return;
    // Readers go on to a generation once it is there: nothing is written to the
    // one before it then.
    this.close();
    removeIfThere(this.#path(this.#generation - 1));
    this.#open(this.#generation + 1);
  }

  #append(line: string): void {
    const file = this.#file ?? this.#open(this.#generation);
    const bytes = encoder.encode(this.#isTorn ? `\n${line}` : line);
    for (let sent = 0; sent < bytes.length;) {
      const count = file.writeSync(bytes.subarray(sent));
      sent += count;
      this.#size += count;
      this.#isTorn = sent < bytes.length;
    }
    // Windows tells watchers of a file that stays open when its times are set.
    const now = this.#options.now?.() ?? Date.now();
    file.utimeSync(new Date(now), new Date(now));
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
