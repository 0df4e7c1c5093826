/**
 * Task.Pids: the processes of a task, in the type that the client knows.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { classify, messageOf } from "../../base/errors.ts";
import { hasLeft } from "../../base/hresult.ts";
import type { ContainerPid } from "../../controllers/linux_container/mod.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import { ProcessDetails as RuncDetails } from "../../ttrpc/api/runc_details.gen.ts";
import { ProcessDetails } from "../../ttrpc/api/runhcs_options.gen.ts";
import type { ProcessInfo } from "../../ttrpc/api/task_types.gen.ts";
import type { Shim } from "../shim.ts";
import type { Task } from "../task.ts";

/**
 * Details of a process. Clients on Windows know this family's own type; those on
 * Linux fail on it, and know runc's, which names execs only.
 */
function detailsOf(
  { pid, execId = "" }: ContainerPid,
  os: string,
): Any | undefined {
  if (os === "windows") {
    return {
      typeUrl: ProcessDetails.typeName,
      value: ProcessDetails.encode({ processId: pid, execId }),
    };
  }
  return execId === "" ? undefined : {
    typeUrl: RuncDetails.typeName,
    value: RuncDetails.encode({ execId }),
  };
}

/** The processes that the guest lists; at least init, whatever its state is. */
async function listOf(
  task: Task,
  { clock, timeouts, log }: Shim,
): Promise<readonly ContainerPid[]> {
  const init = task.container?.init.status();
  const known = [{ pid: init?.pid ?? 0 }];
  if (init?.status !== "RUNNING") return known;
  try {
    const listed = await deadline(
      clock,
      timeouts.processList,
      "The list of processes",
      (signal) => task.require("list").pids(signal),
    );
    return listed.length === 0 ? known : listed;
  } catch (error) {
    // It ends, or has ended: that happens every day.
    const ends = hasLeft(error) || classify(error) === "FailedPrecondition";
    log[ends ? "debug" : "warn"](
      "The guest does not list the processes of a container",
      { cid: task.id, error: messageOf(error) },
    );
    return known;
  }
}

/**
 * The processes of a task. Succeeds soon for every existing task: a containerd that
 * was restarted deletes tasks without processes, and waits for this answer.
 *
 * @param task The task.
 * @param shim Its shim.
 */
export async function processInfos(
  task: Task,
  shim: Shim,
): Promise<ProcessInfo[]> {
  const list = await listOf(task, shim);
  const { platform } = await shim.runtime;
  return list.map((process) => {
    const { pid } = process;
    const info = detailsOf(process, platform.os);
    return info === undefined ? { pid } : { pid, info };
  });
}
