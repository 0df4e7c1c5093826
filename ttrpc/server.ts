/**
 * The ttrpc server.
 *
 * @module
 */

import { abortable, type Clock } from "../base/clock.ts";
import type { Duplex, DuplexListener } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type ConnectionContext, ServerConnection } from "./connection.ts";
import { type Handlers, ServiceTable } from "./handlers.ts";
import { type TtrpcLimits, ttrpcLimits } from "./limits.ts";
import type { ServiceType } from "./message.ts";

/** Pauses after failed accepts, in milliseconds: doubled from the first up to the last (ttrpc). */
const acceptPause = { first: 1, last: 1000 };

/** How a {@linkcode TtrpcServer} is made. */
export interface TtrpcServerOptions {
  /** Log of the server. */
  readonly log: Logger;
  /** Time of the calls' timeouts. */
  readonly clock: Clock;
  /** Bounds that differ from {@linkcode ttrpcLimits}. */
  readonly limits?: Partial<TtrpcLimits>;
}

/**
 * Serves services on any number of connections.
 *
 * Requests run concurrently and are answered in the order in which they
 * complete. Nothing that one client sends disturbs another connection.
 */
export class TtrpcServer {
  readonly #services = new ServiceTable();
  readonly #context: ConnectionContext;
  readonly #connections = new Set<ServerConnection>();
  readonly #listeners = new Set<DuplexListener>();
  readonly #stopping = new AbortController();

  /**
   * A server without services and connections.
   *
   * @param options Log, clock and bounds.
   */
  constructor(options: TtrpcServerOptions) {
    const { log, clock, limits } = options;
    this.#context = {
      services: this.#services,
      log,
      clock,
      limits: { ...ttrpcLimits, ...limits },
    };
  }

  /** Handlers that have not settled, over all connections, lost ones included. */
  get activeCalls(): number {
    let calls = 0;
    for (const { activeCalls } of this.#connections) calls += activeCalls;
    return calls;
  }

  /** Connections that are open, or closed but with handlers still running. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Adds a service; requests that come later find it.
   *
   * @param service Generated description of the service.
   * @param handlers One function per method; the rest is Unimplemented.
   * @param waits The methods that wait, maybe for ever, for what clients can bring
   * about by other calls: theirs leave room for those, see
   * {@linkcode ttrpcLimits}.
   * @throws {ShimError} AlreadyExists when the service's name is taken.
   */
  register<S extends ServiceType>(
    service: S,
    handlers: Handlers<S>,
    waits: readonly (keyof S["methods"])[] = [],
  ): void {
    this.#services.add(service, handlers, waits);
  }

  /**
   * Accepts connections until the server or the listener is closed.
   *
   * @param listener The server's from now on; it is closed at the end.
   */
  async serve(listener: DuplexListener): Promise<void> {
    const { signal } = this.#stopping;
    this.#listeners.add(listener);
    try {
      for (let pause = 0; !signal.aborted;) {
        try {
          const stream = await listener.accept(signal);
          pause = 0;
          this.handle(stream);
        } catch (error) {
          if (signal.aborted || isClosed(error)) return;
          pause = Math.min(
            Math.max(acceptPause.first, pause * 2),
            acceptPause.last,
          );
          await this.#pause(pause, error);
        }
      }
    } finally {
      this.#listeners.delete(listener);
      await listener.close();
    }
  }

  /** Waits between half of `ms` and `ms`, or until the server is stopped. */
  async #pause(ms: number, error: unknown): Promise<void> {
    const { log, clock } = this.#context;
    log.warn("Cannot accept a connection", { error: messageOf(error) });
    const { signal } = this.#stopping;
    const jittered = ms * (1 + Math.random()) / 2;
    await clock.sleep(jittered, signal).catch(() => {}); // the caller looks at the signal
  }

  /**
   * Serves one connection; resolves when it is closed, never rejects.
   *
   * @param stream The server's from now on.
   */
  async handle(stream: Duplex): Promise<void> {
    const connection = new ServerConnection(stream, this.#context);
    this.#connections.add(connection);
    connection.settled.then(() => this.#connections.delete(connection));
    if (this.#stopping.signal.aborted) {
      await connection.close("the server is closed");
    }
    await connection.run();
  }

  /**
   * Ends gracefully: accepts nothing more, closes idle connections, lets calls
   * under way finish and their replies leave. A handler that ends its server
   * does so in {@linkcode CallContext.afterReply}.
   *
   * @param signal Ends the wait: what is left is cut off, as by
   * {@linkcode TtrpcServer.close}.
   */
  async shutdown(signal?: AbortSignal): Promise<void> {
    await this.#stopAccepting();
    const settled = [...this.#connections].map((connection) => {
      connection.drain();
      return connection.settled;
    });
    try {
      await abortable(Promise.all(settled), signal);
    } catch {
      this.#context.log.warn("Shutdown cuts off calls", {
        calls: this.activeCalls,
      });
      await this.close();
    }
  }

  /**
   * Ends at once: closes all connections and aborts the signals of their calls,
   * but does not wait for the handlers.
   */
  async close(): Promise<void> {
    await this.#stopAccepting();
    await Promise.all(
      [...this.#connections].map((connection) =>
        connection.close("the server is closed")
      ),
    );
  }

  async #stopAccepting(): Promise<void> {
    this.#stopping.abort(
      new ShimError("Unavailable", "the server is closed"),
    );
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
  }
}

/** A listener says that it is closed with this class, see `DuplexListener`. */
function isClosed(error: unknown): boolean {
  return error instanceof ShimError && error.code === "Unavailable";
}
