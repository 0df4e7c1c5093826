/**
 * The guest's log as lines of our own, marked `source: guest`.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import {
  type LogFields,
  type Logger,
  type LogLevel,
  parseLogLevel,
} from "../../base/log.ts";
import { limits } from "../../base/timeouts.ts";
import { LogRecords } from "./log_records.ts";

/** What a relay needs. */
export interface LogRelayOptions {
  /** Where the lines go. */
  readonly log: Logger;
  /** Source of time for the rate limit. */
  readonly clock: Clock;
  /** What every line carries, whatever the guest says: ids of the VM. */
  readonly ids: LogFields;
  /** Told how many lines beyond the rate limit were dropped. */
  readonly onDropped?: ((lines: number) => void) | undefined;
}

/** Lets a limited number of lines through per second, and counts the others. */
class RateLimit {
  readonly #clock: Clock;
  #second = 0;
  #passed = 0;
  #dropped = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more line may pass now. */
  pass(): boolean {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#passed = 0;
    }
    if (this.#passed < limits.logRate) {
      this.#passed++;
      return true;
    }
    this.#dropped++;
    return false;
  }

  /** How many lines were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}

/** The text of a record and its fields. */
function splitRecord(
  { time, level, msg, ...fields }: JsonObject,
): { level: LogLevel; text: string; fields: JsonObject; time: unknown } {
  let text = typeof msg === "string" ? msg : "";
  // Events that the guest's kernel tracing forwards carry their text elsewhere.
  if (fields.Source === "ETW") {
    const { message, Message, ...others } = fields;
    text = String(message ?? Message ?? text);
    fields = others;
  }
  const named = typeof level === "string" ? parseLogLevel(level) : undefined;
  return { level: named ?? "info", text, fields, time };
}

/**
 * Copies the guest's log until it ends.
 *
 * Records become lines of their level. Other text, such as the trace of a crash,
 * becomes one error line, when the next record comes or the log ends. Lines
 * beyond the rate limit are counted, not shown.
 *
 * @param stream The stream that the guest dialled; the caller closes it.
 * @returns When the stream has ended; never rejects.
 */
export async function relayGuestLog(
  stream: Pick<Duplex, "read">,
  { log, clock, ids, onDropped }: LogRelayOptions,
): Promise<void> {
  const own = { ...ids, source: "guest" };
  const out = log.child(own);
  const records = new LogRecords(limits.logLine);
  const rate = new RateLimit(clock);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(limits.logLine);

  const reportDropped = (): void => {
    const dropped = rate.takeDropped();
    if (dropped === 0) return;
    out.warn("Lines of the guest's log dropped", { dropped });
    onDropped?.(dropped);
  };
  let printed = "";
  const flush = (message: string): void => {
    if (printed !== "") out.error(message, { stderr: printed });
    printed = "";
  };
  const emit = (portion: string): void => {
    for (const piece of records.push(portion)) {
      if (piece.kind === "text") {
        printed = `${printed}\n${piece.text}`.trim().slice(0, limits.logLine);
        continue;
      }
      if (!rate.pass()) continue;
      flush("gcs printed text");
      reportDropped();
      const { level, text, fields, time } = splitRecord(piece.record);
      const vmTime = time ? { "vm.time": time } : {};
      try {
        // A guest does not say where its lines come from.
        out[level](text, { ...fields, ...vmTime, ...own });
      } catch (error) {
        // Nested too deeply to be written again. The log goes on: a guest whose
        // log nobody reads would stop.
        out.error("gcs logged what cannot be shown", {
          error: messageOf(error),
        });
      }
    }
  };

  try {
    for (;;) {
      const n = await stream.read(buffer);
      if (n === null) break;
      emit(decoder.decode(buffer.subarray(0, n), { stream: true }));
    }
    emit(decoder.decode());
  } catch (error) {
    out.error("gcs log read", { error: messageOf(error) });
  }
  printed = `${printed}\n${records.end()}`.trim();
  flush("gcs terminated");
  reportDropped();
}
