/**
 * Which kind of container an OCI specification describes.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { type Annotations, cri, wrongAnnotation } from "./annotations.ts";

/** A container's place: the sandbox of a pod, one of its workloads, or alone. */
export type ContainerKind = "sandbox" | "workload" | "standalone";

/** Kind and pod of a container. */
export interface Classification {
  /** Its place. */
  readonly kind: ContainerKind;
  /** Id of its pod; undefined for a standalone container, which is its own. */
  readonly sandboxId: string | undefined;
}

/**
 * Classifies by the annotations of containerd's CRI plugin.
 *
 * @param annotations The annotations of the specification, if it has any.
 * @throws {ShimError} InvalidArgument when they contradict each other.
 *
 * @example A container of a pod
 * ```ts
 * import { classifyContainer } from "./classify.ts";
 * const { kind } = classifyContainer({
 *   "io.kubernetes.cri.container-type": "container",
 *   "io.kubernetes.cri.sandbox-id": "pod1",
 * });
 * console.assert(kind === "workload");
 * ```
 */
export function classifyContainer(
  annotations: Annotations = {},
): Classification {
  const type = annotations[cri.containerType] ?? "";
  const sandboxId = annotations[cri.sandboxId] ?? "";
  if (type === "" && sandboxId === "") {
    return { kind: "standalone", sandboxId: undefined };
  }
  if (type !== "" && type !== "sandbox" && type !== "container") {
    throw new ShimError(
      "InvalidArgument",
      `Unsupported container type: ${
        wrongAnnotation(cri.containerType, type, '"sandbox" or "container"')
      }`,
    );
  }
  const missing = type === ""
    ? cri.containerType
    : sandboxId === ""
    ? cri.sandboxId
    : undefined;
  if (missing !== undefined) {
    throw new ShimError(
      "InvalidArgument",
      `Annotation ${missing} is missing beside ${
        missing === cri.sandboxId ? cri.containerType : cri.sandboxId
      }`,
    );
  }
  return { kind: type === "sandbox" ? "sandbox" : "workload", sandboxId };
}
