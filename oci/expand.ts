/**
 * What happens to annotations before anybody reads them: defaults, groups that
 * stand for several annotations, and combinations that exclude each other.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import {
  type Annotations,
  parseBool,
  rejectedAnnotations,
  vmAnnotations,
} from "./annotations.ts";

/** Annotations that stand for several others with the same value. */
const groups: Readonly<Record<string, readonly string[]>> = {
  "io.microsoft.disable-unsafe-operations": [
    "io.microsoft.container.wcow.gmsa.disable",
    vmAnnotations.disableWritableFileShares,
    "io.microsoft.virtualmachine.wcow.virtualSMB.nodirectmap",
    "microsoft.com/disable-hostprocess-container",
  ],
};

const hostProcess = "microsoft.com/hostprocess-container";
const noHostProcess = "microsoft.com/disable-hostprocess-container";

/** Adds defaults for absent annotations. */
export function withDefaults(
  annotations: Annotations,
  defaults: Annotations,
): Record<string, string> {
  return { ...defaults, ...annotations };
}

/**
 * Expands groups and refuses contradictions.
 *
 * @returns A new record; the argument is left alone.
 * @throws {ShimError} InvalidArgument naming both annotations and their values.
 */
export function expandAnnotations(
  annotations: Annotations,
): Record<string, string> {
  const result = { ...annotations };
  const conflicts: { names: string; values: string }[] = [];
  for (const [group, members] of Object.entries(groups)) {
    const value = annotations[group];
    if (value === undefined) continue;
    for (const member of members) {
      const explicit = result[member];
      if (explicit !== undefined && explicit !== value) {
        conflicts.push({
          names: `"${group}" and "${member}"`,
          values: `"${value}" and "${explicit}"`,
        });
      } else result[member] = value;
    }
  }
  if (conflicts.length > 0) {
    const listed = (part: "names" | "values"): string =>
      conflicts.map((conflict) => conflict[part]).join("; ");
    // The values last, as in `wrongAnnotation`.
    throw new ShimError(
      "InvalidArgument",
      `Annotation expansion conflict: expected the same value of ${
        listed("names")
      }, got ${listed("values")}`,
    );
  }
  const isTrue = (name: string): boolean =>
    parseBool(result[name] ?? "") === true;
  if (isTrue(hostProcess) && isTrue(noHostProcess)) {
    throw new ShimError(
      "InvalidArgument",
      `Specified annotations conflict: expected only one of "${noHostProcess}" and "${hostProcess}", got "${
        result[noHostProcess]
      }" and "${result[hostProcess]}"`,
    );
  }
  return result;
}

/**
 * Refuses annotations that ask for what this shim does not do.
 *
 * @throws {ShimError} InvalidArgument naming the first one that has a value.
 */
export function rejectUnsupported(annotations: Annotations): void {
  for (const name of rejectedAnnotations) {
    if (annotations[name]) {
      throw new ShimError(
        "InvalidArgument",
        `${name} annotation is not supported`,
      );
    }
  }
}
