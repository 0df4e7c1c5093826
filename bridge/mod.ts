/**
 * The bridge between host and guest: frames of JSON over one stream that the
 * guest dials.
 *
 * The host opens a {@linkcode GuestConnection} on that stream and gives it to a
 * {@linkcode BridgeGuest}, which is what the controllers call. The guest agent
 * gives its {@linkcode GuestHandlers} to a {@linkcode GuestBridge}. Each side
 * works with the other half of another implementation (protocol version 4), and
 * neither trusts the other: bad frames end the connection, never the program.
 *
 * Messages are described in `schema/bridge`; `messages.gen.ts` is generated.
 * Tests of what stands above the bridge use `fake_guest.ts`.
 *
 * @example Both sides in one program
 * ```ts
 * import { memoryPair } from "../base/duplex.ts";
 * import { silentLogger as log } from "../base/log.ts";
 * import { fakeHandlers } from "./fake_handlers.ts";
 * import { GuestBridge, GuestConnection } from "./mod.ts";
 *
 * const handlers = fakeHandlers({
 *   DumpStacks: () => Promise.resolve({ GuestStacks: "all is quiet" }),
 * });
 * const [host, guest] = memoryPair();
 * const bridge = new GuestBridge(handlers, { log });
 * const served = bridge.serve(guest);
 *
 * const connection = await GuestConnection.open(host, { log });
 * const vm = "00000000-0000-0000-0000-000000000000";
 * const { GuestStacks } = await connection.call("DumpStacks", vm, {});
 * console.assert(GuestStacks === "all is quiet");
 *
 * await connection.close();
 * await served;
 * ```
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type { Clock } from "../base/clock.ts";
export type { Codec } from "../base/codec.ts";
export type { Member, Members, ObjectCodec } from "../base/codec_shapes.ts";
export type { Duplex } from "../base/duplex.ts";
export { type ErrorCode, ShimError } from "../base/errors.ts";
export { HResultError } from "../base/hresult.ts";
export type { Json, JsonObject } from "../base/json.ts";
export type { LogFields, Logger } from "../base/log.ts";
export { defaultTimeouts, type Timeouts } from "../base/timeouts.ts";
export type {
  SpanAttributes,
  SpanKind,
  TraceHeaders,
  Tracer,
} from "../base/trace.ts";

export {
  type ConnectionOptions,
  type GuestCall,
  GuestConnection,
} from "./connection.ts";
export type { ContainerWatch } from "./container_watches.ts";
export {
  bridgeClosed,
  type BridgeEnd,
  errorOfResponse,
  responseOfError,
} from "./errors.ts";
export {
  BridgeGuest,
  type BridgeGuestOptions,
  type Guest,
  type GuestContainer,
  type GuestProcess,
  type GuestStdio,
} from "./guest.ts";
export type {
  GuestCallContext,
  GuestHandlers,
  HandledRpc,
  HandlerReply,
} from "./handlers.ts";
export { protocolVersion } from "./message_types.ts";
export * from "./messages.gen.ts";
export type {
  Cancelable,
  Rpc,
  RpcMessage,
  RpcName,
  RpcReply,
  RpcRequest,
  RpcResponse,
  Rpcs,
} from "./rpcs.ts";
export { GuestBridge, type GuestBridgeOptions } from "./server.ts";
