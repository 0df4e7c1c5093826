/**
 * The ShimDiag service: what people ask a shim when something is wrong.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../base/errors.ts";
import type {
  Exec,
  ExecProcessRequest,
  ShimDiag,
  Task as DiagTask,
} from "../../ttrpc/api/shimdiag.gen.ts";
import type { Handlers } from "../../ttrpc/handlers.ts";
import { guestStacks, runningSandbox } from "../guest_stacks.ts";
import type { SharedPath } from "../runtime.ts";
import type { Shim } from "../shim.ts";
import { hostStacks } from "../stacks.ts";
import type { Task } from "../task.ts";

/** @throws {ShimError} With the class of what went wrong. */
async function execInVm(
  shim: Shim,
  { args, workdir, terminal, stdin, stdout, stderr }: ExecProcessRequest,
  signal: AbortSignal,
): Promise<number> {
  const { vm, config } = runningSandbox(shim);
  const stdio = { terminal, stdin, stdout, stderr };
  try {
    const runtime = await shim.runtime;
    return await runtime.runInVm(
      vm,
      config.options,
      { args, workdir, stdio },
      signal,
    );
  } catch (cause) {
    throw new ShimError(
      classify(cause),
      `failed to exec into host: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** The processes of a task beside init. */
function execsOf({ container }: Task): Exec[] {
  return [...container?.processes() ?? []].map(([id, process]) => ({
    id,
    state: process.status().status,
  }));
}

function listTasks(shim: Shim, withExecs: boolean): DiagTask[] {
  runningSandbox(shim);
  return [...shim.tasks.values()].map((task) => ({
    id: task.id,
    execs: withExecs ? execsOf(task) : [],
  }));
}

/**
 * Shares a path of the host with the VM that runs, until its end.
 *
 * @returns The path in the guest.
 * @throws {ShimError} FailedPrecondition when no VM runs; `failed to open source
 * path` when there is none.
 */
export async function shareForPeople(
  shim: Shim,
  shared: SharedPath,
  signal: AbortSignal,
): Promise<string> {
  const { id, vm } = runningSandbox(shim);
  const runtime = await shim.runtime;
  const path = await runtime.share(vm, shared, signal);
  shim.log.info("A path of the host is shared", {
    "sandbox-id": id,
    hostPath: shared.hostPath,
    path,
  });
  return path;
}

/** Handlers of the ShimDiag service. */
export function diagHandlers(shim: Shim): Handlers<typeof ShimDiag> {
  return {
    DiagExecInHost: async (request, { signal }) => ({
      exitCode: await execInVm(shim, request, signal),
    }),
    DiagStacks: async (_request, { signal }) => {
      const stacks = hostStacks(shim);
      return { stacks, guestStacks: await guestStacks(shim, signal) };
    },
    DiagTasks: ({ execs }) =>
      Promise.try(() => ({ tasks: listTasks(shim, execs) })),
    // The guest decides where a share is: the request's `uvmPath` counts nothing.
    DiagShare: async ({ hostPath, readOnly }, { signal }) => {
      await shareForPeople(shim, { hostPath, readOnly }, signal);
      return {};
    },
    DiagPid: () => Promise.resolve({ pid: Deno.pid }),
  };
}
