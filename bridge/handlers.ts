/**
 * What a guest agent implements.
 *
 * @module
 */

import type { RpcMessage, RpcName, RpcReply } from "./rpcs.ts";

/** What a handler knows of its call beside the request. */
export interface GuestCallContext {
  /** Target of the call; the null GUID is the VM itself. */
  readonly containerId: string;
  /** Opaque to the guest; a container's notification repeats that of its create. */
  readonly activityId: string;
  /** Aborts when the agent quits. The end of a connection cancels nothing. */
  readonly signal: AbortSignal;
}

/** Calls that a guest agent handles; the bridge itself negotiates. */
export type HandledRpc = Exclude<RpcName, "NegotiateProtocol">;

/** What a handler returns: nothing when its response has no members to fill. */
export type HandlerReply<R extends HandledRpc> = R extends "Create" ? void
  : keyof RpcReply<R> extends never ? void
  : RpcReply<R>;

/**
 * One function per call. Calls run concurrently. What a handler throws becomes
 * the response: the HRESULT of the first `HResultError` in the chain of causes,
 * else `E_FAIL`.
 */
export type GuestHandlers = {
  readonly [R in HandledRpc]: (
    request: RpcMessage<R>,
    context: GuestCallContext,
  ) => Promise<HandlerReply<R>>;
};
