/**
 * From a request to the document of a VM: looks at the host, decides, and puts
 * files where the document says that they are.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type { ComputeHost, HostFiles } from "../../hcs/ports.ts";
import { findBootDirectory } from "./boot_directory.ts";
import type { CreateVm } from "./dependencies.ts";
import {
  effectiveAnnotations,
  hcsDocument,
  namedBootDirectory,
  type VmDocument,
} from "./document.ts";
import { hostFacts, type VmPlatform } from "./host_facts.ts";
import type { FileCopy } from "./options.ts";

/** What of the host decides about a document. */
export interface PlanningHost {
  /** Is asked for the processors. */
  readonly compute: Pick<ComputeHost, "serviceProperties">;
  /** Is asked for the boot files. */
  readonly files: Pick<
    HostFiles,
    "join" | "defaultBootDirectory" | "bootFiles"
  >;
  /** Architecture, Windows build, processors of the shim. */
  readonly platform: Pick<VmPlatform, "arch" | "build" | "cpus">;
}

/**
 * Decides on the document of a VM. Changes nothing.
 *
 * @param host Is asked for what the decision depends on.
 * @param request What the VM is made of. Without options it gets the platform of
 * the host, and defaults for everything else.
 * @param base What a relative boot directory is relative to: the bundle, in which
 * containerd starts the shim.
 * @param log Where warnings about ignored settings go.
 * @throws {ShimError} what is wrong with options, boot files or host.
 */
export async function planVm(
  { compute, files, platform }: PlanningHost,
  { owner, bundle, options, annotations, devices }: Omit<CreateVm, "id">,
  base: string,
  log: Logger = silentLogger,
): Promise<VmDocument> {
  const chosen = options ?? { sandboxPlatform: `linux/${platform.arch}` };
  const named = namedBootDirectory(
    chosen,
    effectiveAnnotations(chosen, annotations),
  );
  const [boot, host] = await Promise.all([
    findBootDirectory(files, named, base),
    hostFacts(compute, files, platform),
  ]);
  return hcsDocument({
    owner,
    bundle,
    options: chosen,
    annotations,
    devices,
    boot,
    host,
  }, log);
}

/**
 * Puts the files of an isolated VM into its bundle, and lets the VM open them. They
 * stay when the VM cannot be created: the bundle is containerd's, which deletes it
 * then.
 *
 * @throws {ShimError} with the class of what the host answered, naming the path
 * that cannot be copied or opened.
 */
export async function putFiles(
  files: Pick<HostFiles, "copy" | "grantVmGroup">,
  copies: readonly FileCopy[],
): Promise<void> {
  for (const { from, to } of copies) {
    await put(`copy "${from}" to "${to}"`, () => files.copy(from, to));
    await put(
      `let the virtual machine open "${to}"`,
      () => files.grantVmGroup(to),
    );
  }
}

async function put(what: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (cause) {
    throw new ShimError(
      classify(cause),
      `Cannot ${what}: ${messageOf(cause)}`,
      { cause },
    );
  }
}
