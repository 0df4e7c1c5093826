/**
 * The kernel's messages in the agent's log (`spec/guest-runtime.md` 16.1).
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { KernelLog } from "../../ffi/linux/kernel_log.ts";

/** One message of the kernel. */
export interface KernelMessage {
  /** 0 emergency … 7 debug, as in syslog(3). */
  readonly priority: number;
  /** Counts the messages since boot. */
  readonly sequence: number;
  /** Microseconds since boot. */
  readonly uptime: number;
  /** The text. */
  readonly text: string;
}

/** Bytes that the kernel cannot print are `\xNN`. */
function unescape(text: string): string {
  return text.replace(
    /\\x([0-9a-f]{2})/g,
    (_, digits) => String.fromCharCode(parseInt(digits, 16)),
  );
}

/**
 * Reads a record of `/dev/kmsg`: `priority,sequence,microseconds,…;text`, then
 * lines of properties that begin with a blank
 * (Linux `Documentation/ABI/testing/dev-kmsg`).
 *
 * @returns Undefined for what is no record.
 */
export function parseKernelMessage(record: string): KernelMessage | undefined {
  const [, prefix, sequence, uptime, text] =
    record.match(/^(\d+),(\d+),(\d+)[^;]*;([^\n]*)/) ?? [];
  if (text === undefined) return undefined;
  return {
    // The bits above are the facility: who speaks.
    priority: Number(prefix) & 7,
    sequence: Number(sequence),
    uptime: Number(uptime),
    text: unescape(text),
  };
}

const levels = [
  "error", // emergency
  "error", // alert
  "error", // critical
  "error",
  "warn",
  "info", // notice
  "info",
  "debug",
] as const;

/**
 * Copies messages up to a priority into a log, until the kernel's log is closed
 * or fails. Never rejects.
 *
 * @param source The kernel's log.
 * @param lowest The least urgent priority that is copied.
 */
export async function forwardKernelLog(
  source: KernelLog,
  lowest: number,
  log: Logger,
): Promise<void> {
  const kernel = log.child({ from: "kernel" });
  try {
    for (let record; (record = await source.next()) !== null;) {
      const message = parseKernelMessage(record);
      if (message === undefined || message.priority > lowest) continue;
      const { text, ...fields } = message;
      kernel[levels[message.priority]!](text, fields);
    }
  } catch (error) {
    log.warn("Cannot read the kernel's log", { error: messageOf(error) });
    source.close();
  }
}
