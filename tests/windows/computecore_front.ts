/**
 * What the fake `computecore.dll` answers: a call with an operation is accepted
 * at once, and its result comes later.
 *
 * @module
 */

import { HResult, HResultError } from "../../base/hresult.ts";
import { formatJson, isJsonObject } from "../../base/json.ts";
import type { ComputeHost, ExitInfo } from "../../hcs/ports.ts";
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

/** Types of `HCS_EVENT`. */
const eventTypes = {
  systemExited: 1,
  serviceDisconnect: 0x0200_0000,
  groupLiveMigration: 0x8000_0003,
} as const;

/** `HcsEventOptionEnableLiveMigrationEvents`. */
const migrationEvents = 4;

/** `HcsResourceTypeSocket`. */
const socketResource = 4;

const socketUri = "hcs:/VirtualMachine/LiveMigrationSocket";

/** Functions that take a system, an operation and a text; the value is their name in {@linkcode systemWork}. */
const systemFunctions: Readonly<Record<string, string>> = {
  HcsStartComputeSystem: "StartComputeSystem",
  HcsShutDownComputeSystem: "ShutdownComputeSystem",
  HcsTerminateComputeSystem: "TerminateComputeSystem",
  HcsPauseComputeSystem: "PauseComputeSystem",
  HcsResumeComputeSystem: "ResumeComputeSystem",
  HcsSaveComputeSystem: "SaveComputeSystem",
  HcsGetComputeSystemProperties: "GetComputeSystemProperties",
  HcsModifyComputeSystem: "ModifyComputeSystem",
  HcsInitializeLiveMigrationOnSource: "InitializeLiveMigrationOnSource",
  HcsStartLiveMigrationOnSource: "StartLiveMigrationOnSource",
  HcsStartLiveMigrationTransfer: "StartLiveMigrationTransfer",
  HcsFinalizeLiveMigration: "FinalizeLiveMigration",
  HcsCancelLiveMigration: "CancelLiveMigration",
};

function exitEvent(exit: ExitInfo | undefined): SystemEvent {
  if (exit === undefined) return { number: eventTypes.serviceDisconnect };
  const { status, exitType } = exit;
  return {
    number: eventTypes.systemExited,
    data: formatJson({ Status: status | 0, ExitType: exitType }),
  };
}

/** A migration that is set up says so to who wants to know. */
function announceSetUp(open: OpenSystem, text: string): void {
  if ((open.options & migrationEvents) === 0) return;
  const options = text === "" ? {} : documentOf(text);
  const origin = isJsonObject(options) ? options.Origin : undefined;
  open.notify({
    number: eventTypes.groupLiveMigration,
    data: formatJson({
      Origin: origin ?? "Source",
      Event: "SetupDone",
      Result: "Success",
    }),
  });
}

/** The functions of `computecore.dll` over a compute host. */
export function computeCoreFront(host: ComputeHost, emit: Emit): Front {
  const systems = new ComputeSystems(host, emit, exitEvent);
  /** Sockets that were added to an operation, by its id. */
  const operations = new Map<bigint, bigint[]>();

  /** Accepts a call; the operation gets the result. */
  const accept = (
    { context }: NativeCall,
    work: Promise<string | void>,
  ): NativeReply => {
    const end = (hresult: number, data: string | null): void =>
      emit({ context, number: 0, hresult, data });
    work.then((value) => end(0, value ?? null), (error) => {
      const { hresult = HResult.Fail, result } = failedReply(error);
      end(hresult, result ?? null);
    });
    return {};
  };
  const callSystem = (call: NativeCall): NativeReply => {
    const open = systems.find(call.handle);
    const text = textOf(call);
    const name = systemFunctions[call.function]!;
    if (name === "StartLiveMigrationOnSource") requireSocket(call);
    const work = systemWork[name]!(open, text);
    const reply = accept(call, work);
    if (name === "InitializeLiveMigrationOnSource") {
      work.then(() => announceSetUp(open, text), () => {});
    }
    return reply;
  };
  const requireSocket = ({ context }: NativeCall): void => {
    if ((operations.get(context)?.length ?? 0) > 0) return;
    throw new HResultError(
      HResult.InvalidArgument,
      "The operation has no socket",
    );
  };
  const functions: Functions = {
    HcsCreateOperation: ({ context }) => {
      operations.set(context, []);
      return {};
    },
    HcsCloseOperation: ({ context }) => {
      operations.delete(context);
      return {};
    },
    HcsAddResourceToOperation: (call) => {
      const { context, number, handle } = call;
      const isSocket = number === socketResource && textOf(call) === socketUri;
      if (!isSocket || handle === 0n) {
        throw new HResultError(
          HResult.InvalidArgument,
          `No resource of type ${number} at "${textOf(call)}"`,
        );
      }
      operations.get(context)?.push(handle);
      return {};
    },
    HcsEnumerateComputeSystems: (call) =>
      accept(call, host.enumerate(documentOf(textOf(call))).then(formatJson)),
    HcsGetServiceProperties: async (call) => ({
      result: formatJson(
        await host.serviceProperties(documentOf(textOf(call))),
      ),
    }),
    HcsCreateComputeSystem: (call) => {
      const { handle, open } = systems.create(textOf(call), textOf(call, 1));
      return { ...accept(call, open.ready.then(() => {})), handle };
    },
    HcsOpenComputeSystem: async (call) => ({
      handle: await systems.open(textOf(call)),
    }),
    HcsSetComputeSystemCallback: ({ handle, context, number }) => {
      systems.find(handle).register(context, number);
      return {};
    },
    HcsCloseComputeSystem: async ({ handle }) => {
      await systems.close(handle);
      return {};
    },
    ...Object.fromEntries(
      Object.keys(systemFunctions).map((name) => [name, callSystem]),
    ),
  };
  return {
    call: (call) => callFunction(functions, call),
    openHandles: () => ({
      system: systems.size,
      operation: operations.size,
    }),
    close: () => systems.closeAll(),
  };
}
