/**
 * What a service is made of: handlers, typed by the generated description of
 * their service.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { MessageType, MethodType, ServiceType } from "./message.ts";

/** What a handler knows about its call beside the request. */
export interface CallContext {
  /**
   * Aborts when the client is gone, its timeout has passed or the server is
   * closed. The reply is still whatever the handler then returns or throws.
   */
  readonly signal: AbortSignal;
  /** Metadata of the request by key (lower case), for example `traceparent`. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /** Full name of the service. */
  readonly service: string;
  /** Name of the method. */
  readonly method: string;
  /**
   * Runs `action` once the reply has been written, or can no longer be because
   * the connection is gone. This is where a service may end its own server.
   */
  readonly afterReply: (action: () => void | Promise<void>) => void;
}

/** The message of a {@linkcode MessageType}. */
export type MessageOf<T> = T extends MessageType<infer M> ? M : never;

/** The request of a method. */
export type RequestOf<M extends MethodType> = MessageOf<M["request"]>;

/** The response of a method. */
export type ResponseOf<M extends MethodType> = MessageOf<M["response"]>;

/** Answers a request with one response; members left out are zero. */
export type UnaryHandler<Req, Res> = (
  request: Req,
  context: CallContext,
) => Promise<Partial<Res>>;

/**
 * Answers a request with any number of responses, and ends the stream by
 * returning.
 *
 * `send` resolves when the message has been written; awaiting it is the flow
 * control. It rejects when the message is too large or the stream is over.
 */
export type ServerStreamHandler<Req, Res> = (
  request: Req,
  context: CallContext,
  send: (message: Partial<Res>) => Promise<void>,
) => Promise<void>;

/** The handler of a method. */
export type Handler<M extends MethodType> = M extends
  { readonly serverStream: true }
  ? ServerStreamHandler<RequestOf<M>, ResponseOf<M>>
  : UnaryHandler<RequestOf<M>, ResponseOf<M>>;

/** Handlers of a service; a method without one is Unimplemented. */
export type Handlers<S extends ServiceType> = {
  readonly [M in keyof S["methods"]]?: Handler<S["methods"][M]>;
};

/** A method that can be called, its message types no longer known. */
export type RegisteredMethod =
  & {
    readonly request: MessageType<unknown>;
    readonly response: MessageType<unknown>;
    /** Whether its calls may last as long as what they wait for. */
    readonly isWait: boolean;
  }
  & (
    | {
      readonly kind: "unary";
      readonly handle: UnaryHandler<unknown, unknown>;
    }
    | {
      readonly kind: "serverStream";
      readonly handle: ServerStreamHandler<unknown, unknown>;
    }
  );

/** The services of a server, by name. */
export class ServiceTable {
  readonly #services = new Map<string, Map<string, RegisteredMethod>>();

  /**
   * Adds a service.
   *
   * @param service Generated description of the service.
   * @param handlers One function per method; the rest is Unimplemented.
   * @param waits The methods whose calls are long waits.
   * @throws {ShimError} AlreadyExists when the name is taken.
   */
  add<S extends ServiceType>(
    service: S,
    handlers: Handlers<S>,
    waits: readonly (keyof S["methods"])[],
  ): void {
    if (this.#services.has(service.name)) {
      throw new ShimError(
        "AlreadyExists",
        `Service "${service.name}" is already registered`,
      );
    }
    const methods = new Map<string, RegisteredMethod>();
    for (const [name, type] of Object.entries<MethodType>(service.methods)) {
      const handle = handlers[name];
      if (handle === undefined) continue;
      methods.set(
        name,
        {
          request: type.request,
          response: type.response,
          isWait: waits.includes(name),
          kind: type.serverStream ? "serverStream" : "unary",
          handle,
        } as RegisteredMethod,
      );
    }
    this.#services.set(service.name, methods);
  }

  /**
   * Finds a method.
   *
   * @throws {ShimError} NotImplemented when the service or the method is unknown.
   */
  find(service: string, method: string): RegisteredMethod {
    const methods = this.#services.get(service);
    if (methods === undefined) {
      throw new ShimError("NotImplemented", `service ${service}`);
    }
    const found = methods.get(method);
    if (found === undefined) {
      throw new ShimError("NotImplemented", `method ${method}`);
    }
    return found;
  }
}
