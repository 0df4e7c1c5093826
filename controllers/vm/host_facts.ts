/**
 * Asks the host for what a document depends on.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  ProcessorTopology,
  ServiceProperties,
} from "../../hcs/documents.gen.ts";
import type { ComputeHost, HostFiles, Platform } from "../../hcs/ports.ts";
import type { HostFacts } from "./options.ts";

/** The part of the platform that a VM depends on. */
export type VmPlatform = Pick<
  Platform,
  "arch" | "build" | "cpus" | "vmMemory"
>;

async function logicalProcessors(
  compute: Pick<ComputeHost, "serviceProperties">,
): Promise<number> {
  const reply = ServiceProperties.decode(
    await compute.serviceProperties({ PropertyTypes: ["ProcessorTopology"] }),
  );
  const [topology] = reply.Properties;
  if (topology === undefined || reply.Properties.length !== 1) {
    throw new ShimError(
      "Internal",
      `Wrong number of service properties present: asked the compute service for its processors and got ${reply.Properties.length} answers instead of 1`,
    );
  }
  return ProcessorTopology.decode(topology).LogicalProcessorCount;
}

/** Collects the facts about a host. */
export async function hostFacts(
  compute: Pick<ComputeHost, "serviceProperties">,
  files: Pick<HostFiles, "join">,
  { arch, build, cpus }: Pick<VmPlatform, "arch" | "build" | "cpus">,
): Promise<HostFacts> {
  return {
    arch,
    build,
    cpus,
    logicalProcessors: await logicalProcessors(compute),
    join: (...parts) => files.join(...parts),
  };
}
