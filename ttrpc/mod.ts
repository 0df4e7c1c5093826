/**
 * ttrpc: the remote calls between containerd and its shims, over any stream.
 *
 * A {@linkcode TtrpcServer} runs the handlers that were registered for a
 * generated service; a {@linkcode TtrpcClient} calls them. Both speak over a
 * `Duplex`, so that a named pipe, a Unix socket and memory look the same.
 *
 * | concern | rule |
 * |---|---|
 * | reading and writing | the reader never waits for the writer; a peer that does not read is dropped once {@linkcode ttrpcLimits} are exceeded |
 * | errors | whatever a handler throws becomes a class and a message ({@linkcode toStatus}); the client throws a `ShimError` of that class |
 * | bad frames | are answered on their stream, the connection stays, other connections notice nothing |
 * | time | a request's timeout aborts the handler's signal, as does the loss of the connection |
 * | end | `shutdown()` lets calls finish and their replies leave; `close()` does not |
 *
 * @example A server and a client
 * ```ts
 * import { memoryPair } from "../base/duplex.ts";
 * import { systemClock } from "../base/clock.ts";
 * import { ShimError } from "../base/errors.ts";
 * import { silentLogger } from "../base/log.ts";
 * import { TaskV2 } from "./api/task.gen.ts";
 * import { TtrpcClient, TtrpcServer } from "./mod.ts";
 *
 * const server = new TtrpcServer({ log: silentLogger, clock: systemClock });
 * server.register(TaskV2, {
 *   Connect({ id }) {
 *     if (id !== "web") throw new ShimError("NotFound", `No task "${id}"`);
 *     return Promise.resolve({ shimPid: 7, version: "2" });
 *   },
 * });
 *
 * const [near, far] = memoryPair();
 * server.handle(far);
 * const client = new TtrpcClient(near);
 * const { shimPid } = await client.call(TaskV2, "Connect", { id: "web" });
 * console.assert(shimPid === 7);
 *
 * const error = await client.call(TaskV2, "Connect", { id: "db" }, {
 *   timeoutMs: 1000,
 * }).catch((error) => error);
 * console.assert(error.code === "NotFound");
 *
 * await client.close();
 * await server.shutdown();
 * ```
 *
 * @module
 */

// Of other rooms: what the signatures below name.
export type { Clock } from "../base/clock.ts";
export type { Duplex, DuplexListener } from "../base/duplex.ts";
export { type ErrorCode, ShimError } from "../base/errors.ts";
export type { LogFields, Logger } from "../base/log.ts";

export type { Any, RpcStatus } from "./api/any.gen.ts";
export {
  type CallOptions,
  type StreamMethod,
  TtrpcClient,
  type TtrpcClientOptions,
  type UnaryMethod,
} from "./client.ts";
export type {
  CallContext,
  Handler,
  Handlers,
  MessageOf,
  RequestOf,
  ResponseOf,
  ServerStreamHandler,
  UnaryHandler,
} from "./handlers.ts";
export { type TtrpcLimits, ttrpcLimits } from "./limits.ts";
export type {
  MessageType,
  MethodType,
  Reader,
  ServiceType,
  Writer,
} from "./message.ts";
export { TtrpcServer, type TtrpcServerOptions } from "./server.ts";
export { errorCode, fromStatus, statusCodes, toStatus } from "./status.ts";
