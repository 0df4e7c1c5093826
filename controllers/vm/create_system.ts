/**
 * The compute system of a VM: how it is created, and why it ended.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { HResult, HResultError, sameCondition } from "../../base/hresult.ts";
import { noTracer } from "../../base/trace.ts";
import { ComputeSystemDocument } from "../../hcs/documents.gen.ts";
import type { ComputeHost, ComputeSystem } from "../../hcs/ports.ts";
import type { CreateVm, VmDependencies } from "./dependencies.ts";
import type { VmDocument } from "./document.ts";
import { planVm, putFiles } from "./plan.ts";

/** Names the owner of a system whose id we cannot have. */
async function takenBy(
  compute: Pick<ComputeHost, "enumerate">,
  id: string,
  cause: HResultError,
): Promise<ShimError> {
  const rows = await compute.enumerate({ Ids: [id] }).catch(() => []);
  const owner = rows.find((row) => row.Id === id)?.Owner;
  return new ShimError(
    "AlreadyExists",
    `Cannot create VM "${id}": a compute system of this id exists already${
      owner ? `, owned by "${owner}"` : ""
    }`,
    { cause },
  );
}

/** A compute system and what it was planned to be. */
interface PlannedSystem {
  readonly system: ComputeSystem;
  readonly plan: VmDocument;
}

/**
 * Decides on the document of a VM and creates its system.
 *
 * @throws {ShimError} AlreadyExists naming the owner when the id is taken; else
 * what is wrong with options, boot files or host. Nothing is left.
 */
export function createSystem(
  deps: Pick<VmDependencies, "host" | "log" | "tracer">,
  request: CreateVm,
  signal: AbortSignal,
): Promise<PlannedSystem> {
  const { tracer = noTracer } = deps;
  const ids = { "uvm-id": request.id };
  return tracer.span("vm", "create", ids, () => create(deps, request, signal));
}

async function create(
  { host, log }: Pick<VmDependencies, "host" | "log">,
  request: CreateVm,
  signal: AbortSignal,
): Promise<PlannedSystem> {
  const { id, bundle } = request;
  const plan = await planVm(host, request, bundle, log);
  signal.throwIfAborted();
  await putFiles(host.files, plan.copies);
  signal.throwIfAborted();
  const { compute } = host;
  try {
    const document = ComputeSystemDocument.encode(plan.document);
    return { system: await compute.create(id, document, signal), plan };
  } catch (error) {
    const isTaken = error instanceof HResultError &&
      sameCondition(error.hresult, HResult.SystemAlreadyExists);
    throw isTaken ? await takenBy(compute, id, error) : error;
  }
}

/**
 * Waits for the end of a system. Never rejects.
 *
 * @returns Why it ended, unless that was in order.
 */
export async function exitError(
  system: Pick<ComputeSystem, "id" | "exited">,
): Promise<Error | undefined> {
  try {
    const { status, exitType } = await system.exited;
    if (exitType !== "UnexpectedExit") return undefined;
    return new HResultError(
      status || HResult.UnexpectedExit,
      `VM "${system.id}" ended unexpectedly`,
    );
  } catch (cause) {
    return new ShimError("Unavailable", messageOf(cause), { cause });
  }
}
