/**
 * The Operator service: what `lcow` asks a shim. It answers from the registries,
 * so that a hung guest holds nothing up, except for a moment its own stacks.
 *
 * @module
 */

import { vmSystemId } from "../../hcs/system_id.ts";
import type {
  Operator,
  ProcessDescription,
  SandboxDescription,
  TaskDescription,
} from "../../ttrpc/api/operator.gen.ts";
import type { Handlers } from "../../ttrpc/handlers.ts";
import { guestCalls } from "../guest_calls.ts";
import { askGuest } from "../guest_stacks.ts";
import { metricsText } from "../metrics.ts";
import type { Process } from "../runtime.ts";
import type { Sandbox } from "../sandbox.ts";
import type { Shim } from "../shim.ts";
import { hostStacks } from "../stacks.ts";
import type { Task } from "../task.ts";
import { timestamp } from "../timestamp.ts";
import { shimVersion } from "../version.ts";
import { shareForPeople } from "./diag.ts";

/** Level of the service: 1 more for every method or member that it gets. */
export const operatorLevel = 4;

/** Which shim this is. */
export interface ShimIdentity {
  /** containerd's namespace. */
  readonly namespace: string;
  /** Id of its group. */
  readonly key: string;
}

function describeProcess(id: string, process: Process): ProcessDescription {
  const { pid, status, exitCode, exitedAt } = process.status();
  return {
    id,
    pid,
    status,
    exitCode,
    ...(exitedAt === undefined ? {} : { exitedAt: timestamp(exitedAt) }),
  };
}

function describeTask(task: Task): TaskDescription {
  const { id, request, place, container, isCreating } = task;
  const about = {
    id,
    bundle: request.bundle,
    sandbox: place?.sandbox.id ?? "",
    pod: place?.pod.id ?? "",
    kind: place?.kind ?? "",
  };
  if (container === undefined) {
    return { ...about, state: isCreating ? "Creating" : "Gone", execs: [] };
  }
  return {
    ...about,
    state: container.state,
    init: describeProcess("", container.init),
    execs: [...container.processes()].map(([execId, process]) =>
      describeProcess(execId, process)
    ),
  };
}

function describeSandbox(shim: Shim, sandbox: Sandbox): SandboxDescription {
  const { id, config, vmState } = sandbox;
  const about = {
    id,
    bundle: config.bundle,
    vmState,
    systemId: vmSystemId(id),
    runtimeId: "",
    implicit: config.implicit,
    pods: [...sandbox.pods.keys()],
    guestCalls: guestCalls(shim, sandbox).map(({ since, ...call }) => ({
      ...call,
      since: timestamp(since),
    })),
  };
  if (vmState === "NotCreated") return about;
  const { startedAt, stoppedAt, runtimeId } = sandbox.vm;
  return {
    ...about,
    runtimeId,
    ...(startedAt === undefined ? {} : { startedAt: timestamp(startedAt) }),
    ...(stoppedAt === undefined ? {} : { endedAt: timestamp(stoppedAt) }),
  };
}

/**
 * Handlers of the Operator service.
 *
 * @param shim What is described.
 * @param identity Which shim it is.
 */
export function operatorHandlers(
  shim: Shim,
  { namespace, key }: ShimIdentity,
): Handlers<typeof Operator> {
  return {
    Describe: () =>
      Promise.try(() => ({
        version: shimVersion,
        apiLevel: operatorLevel,
        pid: Deno.pid,
        namespace,
        key,
        startedAt: timestamp(performance.timeOrigin),
        sandboxes: [...shim.sandboxes.values()].map((sandbox) =>
          describeSandbox(shim, sandbox)
        ),
        tasks: [...shim.tasks.values()].map(describeTask),
        calls: shim.calls.underWay.map(({ since, ...call }) => ({
          ...call,
          ids: [...call.ids],
          since: timestamp(since),
        })),
      })),
    Share: async ({ hostPath, readOnly }, { signal }) => ({
      guestPath: await shareForPeople(shim, { hostPath, readOnly }, signal),
    }),
    Stacks: async (_request, { signal }) => {
      const told = hostStacks(shim);
      const { stacks, problem } = await askGuest(shim, signal);
      return { shim: told, guest: stacks, guestProblem: problem };
    },
    Metrics: () => Promise.try(() => ({ text: metricsText(shim) })),
  };
}
