/**
 * Every size and count of this package in one table, so that neither end can
 * exhaust the other.
 *
 * @module
 */

/** The bounds of a connection; see {@linkcode ttrpcLimits} for each row. */
export type TtrpcLimits = { readonly [K in keyof typeof ttrpcLimits]: number };

/** Defaults of all bounds. */
export const ttrpcLimits = {
  /** Bytes of data in one frame, without its header (ttrpc: `messageLengthMax`, 4 MiB). */
  data: 4 << 20,
  /** Calls under way on one connection. A client parks one `Wait` per process. */
  calls: 8192,
  /**
   * Calls of these that a long wait may not take. ttrpc cannot cancel: a wait that
   * its client gave up stays, and what ends it must still be called.
   */
  callsBesideWaits: 1024,
  /** Bytes of the requests of all calls under way on one connection. */
  requestBytes: 64 << 20,
  /** Frames that wait for a peer that does not read; beyond, it is dropped. */
  unsentFrames: 16_384,
  /** Bytes that wait for a peer that does not read; beyond, it is dropped. */
  unsentBytes: 64 << 20,
  /** Messages of one stream that the client has not taken (ttrpc since 1.2.9: 64). */
  streamMessages: 64,
  /** Characters of a status message; the rest is cut. */
  statusMessage: 16_384,
} as const;
