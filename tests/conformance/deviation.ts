/**
 * The form of a row in the table of deviations.
 *
 * @module
 */

import type { JsonObject } from "../../base/json.ts";
import type { PeerDefectId } from "../golden/peer_defects.ts";

/** What a row sees of a case. */
export interface Judged {
  /** What the peer was given. */
  readonly input: JsonObject;
  /** What is expected, as the rows before left it. */
  readonly output: JsonObject;
  /** What looks like a fault of the peer, in words. */
  readonly defects: readonly string[];
}

/** One difference. */
export interface Deviation {
  /** The set to which it applies. */
  readonly set:
    | "hcs-doc"
    | "container-doc"
    | "hcs-modify"
    | "guest-agent"
    | "trace";
  /** What we do. */
  readonly ours: string;
  /** Why. */
  readonly reason: string;
  /** The fault of the peer from which it follows, if it follows from one. */
  readonly defect?: PeerDefectId;
  /** What we give instead; undefined where the row says nothing. */
  readonly expected?: (judged: Judged) => JsonObject | undefined;
  /** The input for which we give the same; undefined where the row says nothing. */
  readonly sameAs?: (input: JsonObject) => JsonObject | undefined;
}
