/**
 * Times as protobuf has them.
 *
 * @module
 */

import type { Timestamp } from "../ttrpc/api/any.gen.ts";

/**
 * A protobuf timestamp.
 *
 * @param ms Milliseconds since 1970, fractions included.
 */
export function timestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return {
    seconds: BigInt(seconds),
    nanos: Math.floor((ms - seconds * 1000) * 1e6),
  };
}

/** A timestamp as text for people and JSON: ISO 8601 with milliseconds, in UTC. */
export function isoTime({ seconds, nanos }: Timestamp): string {
  const ms = Number(seconds) * 1000 + Math.floor(nanos / 1e6);
  return new Date(ms).toISOString();
}
