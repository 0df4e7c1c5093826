/**
 * The Task service, versions 2 and 3.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { Process as ProcessSpec } from "../../oci/spec.gen.ts";
import type {
  ExecProcessRequest,
  StateResponse,
  TaskV2,
} from "../../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import type { Handlers } from "../../ttrpc/handlers.ts";
import {
  notExited,
  type ProcessStatus,
} from "../../controllers/process/mod.ts";
import type { Shim } from "../shim.ts";
import { timestamp } from "../timestamp.ts";
import { createTask } from "./create_task.ts";
import { processInfos } from "./process_info.ts";
import { packStatistics } from "./statistics.ts";
import { updateTask } from "./update_task.ts";

/** When a process ended, for a reply; absent before its end. */
function exitedAt(
  at: number | undefined,
): { exitedAt?: ReturnType<typeof timestamp> } {
  return at === undefined ? {} : { exitedAt: timestamp(at) };
}

function stateOf(id: string, execId: string, status: ProcessStatus): Partial<
  StateResponse
> {
  const { bundle, pid, stdio, exitCode } = status;
  return {
    id,
    execId,
    bundle,
    pid,
    status: TaskStatus[status.status],
    ...stdio,
    exitStatus: exitCode,
    ...exitedAt(status.exitedAt),
  };
}

/**
 * Refuses what needs a running VM. An unknown id is told only when the VM runs.
 *
 * @throws {ShimError} FailedPrecondition `vm is not running (state: …)`.
 */
function requireRunning(shim: Shim, id: string): void {
  const sandbox = shim.tasks.get(id)?.place?.sandbox ?? shim.sandbox;
  if (sandbox !== undefined) return sandbox.requireRunning();
  throw new ShimError(
    "FailedPrecondition",
    "vm is not running (state: NotCreated)",
  );
}

async function exec(
  shim: Shim,
  request: ExecProcessRequest,
  signal: AbortSignal,
): Promise<void> {
  const { id, execId, terminal, stdin, stdout, stderr, spec } = request;
  requireRunning(shim, id);
  const task = shim.task(id);
  const container = task.require("execute a process in");
  if (execId === "") {
    throw new ShimError("InvalidArgument", "The exec id cannot be empty");
  }
  const text = new TextDecoder().decode(spec?.value);
  const process = container.newProcess(execId);
  try {
    await process.create({
      bundle: task.request.bundle,
      spec: ProcessSpec.parse(text),
      stdio: { terminal, stdin, stdout, stderr },
    }, signal);
  } catch (error) {
    container.forgetProcess(execId);
    throw error;
  }
  task.added(execId, process);
}

/** Kills a process; `all` on a pod's sandbox reaches every container of the pod. */
async function kill(
  shim: Shim,
  id: string,
  execId: string,
  signal: number,
  all: boolean,
): Promise<void> {
  const task = shim.task(id);
  const container = task.require("kill");
  const reachesPod = all && execId === "" && task.place?.kind === "sandbox";
  if (reachesPod) await task.place?.pod.killAll(signal);
  else await container.kill(execId, signal, all);
}

function notImplemented(what: string): () => Promise<never> {
  return () =>
    Promise.reject(
      new ShimError("NotImplemented", `${what} is not supported for Linux VMs`),
    );
}

/**
 * Handlers of the Task service. Versions 2 and 3 have the same messages, so the
 * same handlers serve both.
 */
export function taskHandlers(shim: Shim): Handlers<typeof TaskV2> {
  return {
    Create: async (request, { signal }) => {
      await createTask(shim, request, signal);
      return { pid: 0 };
    },
    Start: async ({ id, execId }, { signal }) => {
      requireRunning(shim, id);
      return { pid: await shim.task(id).start(execId, signal) };
    },
    State: ({ id, execId }) =>
      Promise.try(() => {
        const task = shim.task(id);
        if (task.isCreating) {
          const { bundle, terminal, stdin, stdout, stderr } = task.request;
          return {
            id,
            bundle,
            terminal,
            stdin,
            stdout,
            stderr,
            exitStatus: notExited,
          };
        }
        return stateOf(id, execId, task.process(execId, "show").status());
      }),
    Wait: async ({ id, execId }, { signal }) => {
      const { exitCode, exitedAt: at } = await shim.task(id).wait(
        execId,
        signal,
      );
      return { exitStatus: exitCode, ...exitedAt(at) };
    },
    Exec: async (request, { signal }) => {
      await exec(shim, request, signal);
      return {};
    },
    Kill: async ({ id, execId, signal, all }) => {
      await kill(shim, id, execId, signal, all);
      return {};
    },
    Delete: async ({ id, execId }) => {
      const task = shim.task(id);
      if (execId === "") requireLastOfPod(shim, id);
      const { pid, exitCode, exitedAt: at } = await task.delete(
        execId,
        () => shim.removeTask(task),
      );
      return { pid, exitStatus: exitCode, ...exitedAt(at) };
    },
    Pids: async ({ id }) => ({
      processes: await processInfos(shim.task(id), shim),
    }),
    ResizePty: async ({ id, execId, width, height }) => {
      requireRunning(shim, id);
      const process = shim.task(id).process(execId, "resize");
      await process.resize(width & 0xffff, height & 0xffff);
      return {};
    },
    CloseIO: async ({ id, execId }) => {
      requireRunning(shim, id);
      await shim.task(id).process(execId, "close the input of").closeIo();
      return {};
    },
    Update: async (request) => {
      requireRunning(shim, request.id);
      await updateTask(shim.task(request.id), request);
      return {};
    },
    Stats: async ({ id }, { signal }) => {
      requireRunning(shim, id);
      const task = shim.task(id);
      const metrics = await task.require("measure").stats(signal);
      const vm = task.place?.kind === "workload"
        ? undefined
        : await task.place?.sandbox.vm.stats();
      const { platform } = await shim.runtime;
      return { stats: packStatistics(metrics, vm, platform.os) };
    },
    Connect: () =>
      Promise.resolve({ shimPid: Deno.pid, taskPid: Deno.pid, version: "" }),
    Shutdown: async ({ now }, call) => {
      if (shim.isSpent) {
        call.afterReply(() => shim.end("Shutdown"));
        await shim.vacate("Shutdown", shim.timeouts.shutdownReply);
      } else if (now) {
        // Only our own `delete` says so: nobody will ever delete the tasks.
        call.afterReply(() => shim.endWithVms());
      }
      return {};
    },
    Pause: notImplemented("Pause"),
    Resume: notImplemented("Resume"),
    Checkpoint: notImplemented("Checkpoint"),
  };
}

/**
 * A pod's sandbox container goes last, unless its VM is gone anyway.
 *
 * @throws {ShimError} FailedPrecondition with the number of those that are left.
 */
function requireLastOfPod(shim: Shim, id: string): void {
  const place = shim.task(id).place;
  if (place?.kind !== "sandbox" || place.sandbox.vmState !== "Running") return;
  const others = shim.tasksOfPod(place.pod.id).length - 1;
  if (others === 0) return;
  throw new ShimError(
    "FailedPrecondition",
    `Cannot delete sandbox container "${id}": ${others} containers of its pod are left`,
  );
}
