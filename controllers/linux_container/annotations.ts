/**
 * The annotations of a container, completed by the runtime options.
 *
 * @module
 */

import {
  type Annotations,
  containerAnnotations,
  vmAnnotations,
} from "../../oci/annotations.ts";
import { expandAnnotations, withDefaults } from "../../oci/expand.ts";
import type { RuntimeOptions } from "../vm/options.ts";

/** Runtime options that become annotations of containers. */
export type ContainerOptions =
  & Pick<
    RuntimeOptions,
    | "bootFilesRootPath"
    | "vmProcessorCount"
    | "vmMemorySizeInMb"
    | "defaultContainerAnnotations"
  >
  & {
    /** Address of a network configuration proxy. */
    readonly NCProxyAddr?: string | undefined;
  };

function given(value: string | number | undefined): string {
  return value === 0 || value === undefined ? "" : String(value);
}

/**
 * Writes options as annotations where there are none, then expands and checks.
 *
 * @returns Undefined when there are none at all.
 * @throws {ShimError} InvalidArgument when annotations contradict each other.
 */
export function completeAnnotations(
  options: ContainerOptions,
  annotations: Annotations | undefined,
): Record<string, string> | undefined {
  const fromOptions = Object.entries({
    [vmAnnotations.bootFilesRootPath]: given(options.bootFilesRootPath),
    [vmAnnotations.processorCount]: given(options.vmProcessorCount),
    [vmAnnotations.memorySizeInMb]: given(options.vmMemorySizeInMb),
    [containerAnnotations.ncProxy]: given(options.NCProxyAddr),
  }).filter(([, value]) => value !== "");
  const complete = withDefaults(
    withDefaults(annotations ?? {}, Object.fromEntries(fromOptions)),
    options.defaultContainerAnnotations ?? {},
  );
  const expanded = expandAnnotations(complete);
  const isEmpty = Object.keys(expanded).length === 0;
  return isEmpty && annotations === undefined ? undefined : expanded;
}
