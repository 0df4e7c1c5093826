/**
 * The calls of the bridge as a table: type number, codecs of both directions,
 * and how a call may end.
 *
 * @module
 */

import type { Codec } from "../base/codec.ts";
import { requestTypes } from "./message_types.ts";
import {
  CreateRequest,
  CreateResponse,
  DumpStacksResponse,
  ExecuteProcessRequest,
  ExecuteProcessResponse,
  GetPropertiesRequest,
  GetPropertiesResponse,
  ModifySettingsRequest,
  NegotiateRequest,
  NegotiateResponse,
  RequestBase,
  ResizeConsoleRequest,
  ResponseBase,
  SignalProcessRequest,
  WaitForProcessRequest,
  WaitForProcessResponse,
} from "./messages.gen.ts";

/** Whether the caller's signal ends the wait for the answer. */
export type Cancelable = "yes" | "no" | "null container";

/** One call. */
export interface Rpc<Req extends RequestBase, Res extends ResponseBase> {
  /** Type of the request. */
  readonly type: number;
  /** Codec of the request. */
  readonly request: Codec<Req>;
  /** Codec of the response. */
  readonly response: Codec<Res>;
  /**
   * Whether the caller may leave before the answer (hcsshim: what changes the
   * guest's state is waited for).
   */
  readonly cancelable: Cancelable;
  /** False for the one call that lasts as long as a process does. */
  readonly bounded: boolean;
}

function rpc<Req extends RequestBase, Res extends ResponseBase>(
  name: keyof typeof requestTypes,
  request: Codec<Req>,
  response: Codec<Res>,
  cancelable: Cancelable,
  bounded = true,
): Rpc<Req, Res> {
  return { type: requestTypes[name], request, response, cancelable, bounded };
}

/** Requests and responses of all calls that a Linux guest answers. */
export interface Rpcs {
  /** Agrees on the version; the first call of a connection, and the only one then. */
  readonly NegotiateProtocol: Rpc<NegotiateRequest, NegotiateResponse>;
  /** Creates a container; the user's program does not run yet. */
  readonly Create: Rpc<CreateRequest, CreateResponse>;
  /** Always succeeds: `ExecuteProcess` is what starts a container. */
  readonly Start: Rpc<RequestBase, ResponseBase>;
  /** Sends SIGTERM to the init process; of the VM itself, powers it off. */
  readonly ShutdownGraceful: Rpc<RequestBase, ResponseBase>;
  /** Sends SIGKILL to the init process; of the VM itself, powers it off. */
  readonly ShutdownForced: Rpc<RequestBase, ResponseBase>;
  /** Starts the init process of a container, a further one, or one of the VM. */
  readonly ExecuteProcess: Rpc<ExecuteProcessRequest, ExecuteProcessResponse>;
  /** Answers when the process has ended. */
  readonly WaitForProcess: Rpc<WaitForProcessRequest, WaitForProcessResponse>;
  /** Sends a signal to a process of a container. */
  readonly SignalProcess: Rpc<SignalProcessRequest, ResponseBase>;
  /** Sets the size of the terminal of a process. */
  readonly ResizeConsole: Rpc<ResizeConsoleRequest, ResponseBase>;
  /** Asks for processes and statistics of a container. */
  readonly GetProperties: Rpc<GetPropertiesRequest, GetPropertiesResponse>;
  /** Adds, removes or changes a resource of the VM, or limits of a container. */
  readonly ModifySettings: Rpc<ModifySettingsRequest, ResponseBase>;
  /** Asks what the agent is doing. */
  readonly DumpStacks: Rpc<RequestBase, DumpStacksResponse>;
  /** Deletes a container; its id is unknown from then on. */
  readonly DeleteContainerState: Rpc<RequestBase, ResponseBase>;
}

/** All calls that a Linux guest answers. */
export const rpcs: Rpcs = {
  NegotiateProtocol: rpc(
    "NegotiateProtocol",
    NegotiateRequest,
    NegotiateResponse,
    "yes",
  ),
  Create: rpc("Create", CreateRequest, CreateResponse, "null container"),
  Start: rpc("Start", RequestBase, ResponseBase, "null container"),
  ShutdownGraceful: rpc("ShutdownGraceful", RequestBase, ResponseBase, "yes"),
  ShutdownForced: rpc("ShutdownForced", RequestBase, ResponseBase, "yes"),
  ExecuteProcess: rpc(
    "ExecuteProcess",
    ExecuteProcessRequest,
    ExecuteProcessResponse,
    "no",
  ),
  WaitForProcess: rpc(
    "WaitForProcess",
    WaitForProcessRequest,
    WaitForProcessResponse,
    "yes",
    false,
  ),
  SignalProcess: rpc("SignalProcess", SignalProcessRequest, ResponseBase, "no"),
  ResizeConsole: rpc(
    "ResizeConsole",
    ResizeConsoleRequest,
    ResponseBase,
    "yes",
  ),
  GetProperties: rpc(
    "GetProperties",
    GetPropertiesRequest,
    GetPropertiesResponse,
    "yes",
  ),
  ModifySettings: rpc(
    "ModifySettings",
    ModifySettingsRequest,
    ResponseBase,
    "no",
  ),
  DumpStacks: rpc("DumpStacks", RequestBase, DumpStacksResponse, "no"),
  DeleteContainerState: rpc(
    "DeleteContainerState",
    RequestBase,
    ResponseBase,
    "no",
  ),
};

/** Name of a call. */
export type RpcName = keyof Rpcs;

/** The whole request of a call, as the guest receives it. */
export type RpcMessage<R extends RpcName> = Rpcs[R] extends
  Rpc<infer Req, ResponseBase> ? Req : never;

/** What the caller says in a request; the connection adds the rest. */
export type RpcRequest<R extends RpcName> = Omit<
  RpcMessage<R>,
  keyof RequestBase
>;

/** The response of a call. */
export type RpcResponse<R extends RpcName> = Rpcs[R] extends
  Rpc<infer _Req, infer Res> ? Res : never;

/** What the guest's handler says in a response; the bridge adds the rest. */
export type RpcReply<R extends RpcName> = Omit<
  RpcResponse<R>,
  keyof ResponseBase
>;

/** The row of a call, with the types of this very call. */
export function rpcNamed<R extends RpcName>(
  name: R,
): Rpc<RequestBase & RpcRequest<R>, ResponseBase & RpcResponse<R>> {
  // True of every single row; the compiler cannot see it while R is open.
  return rpcs[name] as unknown as Rpc<
    RequestBase & RpcRequest<R>,
    ResponseBase & RpcResponse<R>
  >;
}

const byType = new Map<number, RpcName>(
  (Object.entries(rpcs) as [RpcName, { type: number }][])
    .map(([name, { type }]) => [type, name]),
);

/** The call that a request type means, or undefined. */
export function rpcOfType(type: number): RpcName | undefined {
  return byType.get(type);
}
