/**
 * What stands for the host where the policy denies it the streams of a process
 * (`spec/guest-protocol.md` 6.6).
 *
 * @module
 */

import type { Duplex } from "../../base/duplex.ts";

const nothing = (): Promise<void> => Promise.resolve();

/** Gives nothing and takes everything. */
export const nullStream: Duplex = {
  read: () => Promise.resolve(null),
  write: nothing,
  closeWrite: nothing,
  close: nothing,
};

/** Reaches nobody, and never fails. */
export function dialNobody(): Promise<Duplex> {
  return Promise.resolve(nullStream);
}
