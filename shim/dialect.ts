/**
 * Which form of answer the calling containerd understands.
 *
 * containerd reads the answer of `start` in four ways, depending on its
 * version, and does not say which version it is. This table goes from the
 * evidence to the answer; it is data, so that a test enumerates it.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** What is known about the caller, cheapest first. */
export interface Evidence {
  /** Standard input was `BootstrapParams` of this instance and namespace (containerd ≥ 2.3). */
  readonly params: boolean;
  /** The environment has `MAX_SHIM_VERSION` (containerd ≥ 1.7). */
  readonly maxShimVersion: boolean;
  /** Major version that `containerd --version` reports; undefined when it is unusable. */
  readonly major: number | undefined;
}

/** How to answer. */
export interface Answer {
  /** Form of the text on standard output. */
  readonly form: "protobuf" | "json" | "plain";
  /** Version of the Task service that containerd shall speak. */
  readonly version: 2 | 3;
  /** The file `address` must be in the bundle, or a reload loses the task. */
  readonly writesAddress: boolean;
}

/** One row: the first row whose given members equal the evidence wins. */
interface Row {
  readonly params: boolean;
  readonly maxShimVersion?: boolean;
  readonly major?: "1" | "2+" | "unknown";
  readonly answer: Answer;
}

const rows: readonly Row[] = [
  // containerd ≥ 2.3
  {
    params: true,
    answer: { form: "protobuf", version: 3, writesAddress: false },
  },
  // containerd ≤ 1.6: the whole text is the address
  {
    params: false,
    maxShimVersion: false,
    answer: { form: "plain", version: 2, writesAddress: true },
  },
  // containerd 1.7 refuses version 3
  {
    params: false,
    maxShimVersion: true,
    major: "1",
    answer: { form: "json", version: 2, writesAddress: true },
  },
  // containerd 2.0 – 2.2
  {
    params: false,
    maxShimVersion: true,
    major: "2+",
    answer: { form: "json", version: 3, writesAddress: false },
  },
  // 1.7 – 2.2: version 2 is taken by all of them
  {
    params: false,
    maxShimVersion: true,
    major: "unknown",
    answer: { form: "json", version: 2, writesAddress: true },
  },
];

function majorClass(major: number | undefined): "1" | "2+" | "unknown" {
  if (major === 1) return "1";
  return major !== undefined && major >= 2 ? "2+" : "unknown";
}

/**
 * Reads the operator's setting `LCOW_BOOTSTRAP_VERSION`.
 *
 * @param text Value of the variable; undefined or empty when it is not set.
 * @throws {ShimError} InvalidArgument when it is neither 2 nor 3.
 */
export function forcedVersion(text: string | undefined): 2 | 3 | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "2") return 2;
  if (text === "3") return 3;
  throw new ShimError(
    "InvalidArgument",
    `LCOW_BOOTSTRAP_VERSION is "${text}": it may be 2 or 3`,
  );
}

/** True when only `containerd --version` can decide. */
export function needsMajor(
  evidence: Pick<Evidence, "params" | "maxShimVersion">,
  forced: 2 | 3 | undefined,
): boolean {
  return !evidence.params && evidence.maxShimVersion && forced === undefined;
}

/**
 * The answer for this evidence.
 *
 * @param evidence What is known about the caller.
 * @param forced Version that the operator forces: it replaces the version of a
 * JSON answer; the other forms have only one.
 */
export function chooseAnswer(
  evidence: Evidence,
  forced?: 2 | 3,
): Answer {
  const major = majorClass(evidence.major);
  const row = rows.find((row) =>
    row.params === evidence.params &&
    (row.maxShimVersion ?? evidence.maxShimVersion) ===
      evidence.maxShimVersion &&
    (row.major ?? major) === major
  );
  if (row === undefined) throw new TypeError("The table of answers has a gap");
  if (forced === undefined || row.answer.form !== "json") return row.answer;
  return { form: "json", version: forced, writesAddress: forced === 2 };
}
