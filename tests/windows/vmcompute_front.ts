/**
 * What the fake `vmcompute.dll` answers: calls that end at once, and calls that a
 * notification ends.
 *
 * @module
 */

import { HResult } from "../../base/hresult.ts";
import { formatJson } from "../../base/json.ts";
import type { ComputeHost, ExitInfo } from "../../hcs/ports.ts";
import { NotificationType } from "../../ffi/windows/compute/notifications.ts";
import {
  ComputeSystems,
  documentOf,
  type OpenSystem,
  type SystemEvent,
  systemWork,
} from "./compute_systems.ts";
import { type NativeCall, type NativeReply, textOf } from "./frames.ts";
import {
  callFunction,
  type Emit,
  failedReply,
  type Front,
  type Functions,
} from "./front.ts";

const pending: NativeReply = { hresult: HResult.Pending };

/** The notification that ends a call which was answered with "pending". */
const completions: Readonly<Record<string, number>> = {
  StartComputeSystem: NotificationType.SystemStartCompleted,
  PauseComputeSystem: NotificationType.SystemPauseCompleted,
  ResumeComputeSystem: NotificationType.SystemResumeCompleted,
  SaveComputeSystem: NotificationType.SystemSaveCompleted,
};

/** Calls that the end of the system ends. */
const endings: readonly string[] = [
  "ShutdownComputeSystem",
  "TerminateComputeSystem",
];

function exitEvent(exit: ExitInfo | undefined): SystemEvent {
  if (exit === undefined) return { number: NotificationType.ServiceDisconnect };
  const { status, exitType } = exit;
  const crashed = exitType === "UnexpectedExit";
  return {
    number: NotificationType.SystemExited,
    hresult: crashed ? HResult.UnexpectedExit : 0,
    data: formatJson({ Status: status | 0, ExitType: exitType }),
  };
}

function report(open: OpenSystem, work: Promise<unknown>, type: number): void {
  work.then(
    () => open.notify({ number: type }),
    (error) => {
      const { hresult = 0, result } = failedReply(error);
      open.notify({ number: type, hresult, data: result ?? null });
    },
  );
}

async function callSystem(
  systems: ComputeSystems,
  call: NativeCall,
): Promise<NativeReply> {
  const name = call.function.slice("Hcs".length);
  const open = systems.find(call.handle);
  const running = systemWork[name]!(open, textOf(call));
  const completion = completions[name];
  if (completion !== undefined) {
    report(open, running, completion);
    return pending;
  }
  const value = await running;
  return endings.includes(name) ? pending : { value: value ?? null };
}

/** The functions of `vmcompute.dll` over a compute host. */
export function vmComputeFront(host: ComputeHost, emit: Emit): Front {
  const systems = new ComputeSystems(host, emit, exitEvent);
  const onSystem = (call: NativeCall): Promise<NativeReply> =>
    callSystem(systems, call);
  /** Receivers that are registered. */
  const callbacks = new Set<bigint>();
  const functions: Functions = {
    HcsEnumerateComputeSystems: async (call) => ({
      value: formatJson(await host.enumerate(documentOf(textOf(call)))),
    }),
    HcsCreateComputeSystem: (call) => {
      const { handle, open } = systems.create(textOf(call), textOf(call, 1));
      report(open, open.ready, NotificationType.SystemCreateCompleted);
      return { ...pending, handle };
    },
    HcsOpenComputeSystem: async (call) => ({
      handle: await systems.open(textOf(call)),
    }),
    HcsCloseComputeSystem: async ({ handle }) => {
      await systems.close(handle);
      return {};
    },
    HcsStartComputeSystem: onSystem,
    HcsShutdownComputeSystem: onSystem,
    HcsTerminateComputeSystem: onSystem,
    HcsPauseComputeSystem: onSystem,
    HcsResumeComputeSystem: onSystem,
    HcsSaveComputeSystem: onSystem,
    HcsGetComputeSystemProperties: onSystem,
    HcsModifyComputeSystem: onSystem,
    HcsRegisterComputeSystemCallback: ({ handle, context }) => {
      const open = systems.find(handle);
      callbacks.add(context);
      open.register(context);
      return {};
    },
    HcsUnregisterComputeSystemCallback: ({ handle, context }) => {
      callbacks.delete(context);
      systems.find(handle).register(0n);
      return {};
    },
    HcsGetServiceProperties: async (call) => ({
      value: formatJson(
        await host.serviceProperties(documentOf(textOf(call))),
      ),
    }),
    GrantVmAccess: async (call) => {
      await host.grantAccess(textOf(call), textOf(call, 1));
      return {};
    },
    RevokeVmAccess: async (call) => {
      await host.revokeAccess(textOf(call), textOf(call, 1));
      return {};
    },
  };
  return {
    call: (call) => callFunction(functions, call),
    openHandles: () => ({ system: systems.size, callback: callbacks.size }),
    close: () => systems.closeAll(),
  };
}
