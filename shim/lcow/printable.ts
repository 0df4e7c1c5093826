/**
 * What `lcow` prints for people.
 *
 * @module
 */

import { shimName } from "../args.ts";
import { oneLine } from "../table.ts";

/**
 * Text that a terminal shows and does not act on: guests and other shims have
 * written parts of it.
 */
export function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd");
}

/** A line for standard error. */
export function complaint(message: string): string {
  return `${shimName}: ${printable(oneLine(message))}\n`;
}
