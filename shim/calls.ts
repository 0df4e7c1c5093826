/**
 * The calls of clients that are under way: what a shim is doing, and for how
 * long.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { CallContext, Handlers } from "../ttrpc/handlers.ts";
import type { ServiceType } from "../ttrpc/message.ts";

/** A call that is not answered yet. */
export interface CallUnderWay {
  /** Full name of the service. */
  readonly service: string;
  /** Name of the method. */
  readonly method: string;
  /** Ids that the request names, for example `web` and the exec id `probe`. */
  readonly ids: readonly string[];
  /** When it came, in milliseconds since 1970. */
  readonly since: number;
  /** Whether anybody waits for the answer still. */
  readonly hasClient: boolean;
}

/** Members of requests that say what a call is about. */
const idMembers = ["sandboxId", "id", "execId"] as const;

/** A handler, its messages no longer known. */
type AnyHandler = (
  request: Readonly<Record<string, unknown>>,
  context: CallContext,
  ...rest: readonly unknown[]
) => Promise<unknown>;

/** A call, as it is kept. */
interface Entry extends Omit<CallUnderWay, "hasClient"> {
  readonly signal: AbortSignal;
}

/** The registry of the calls under way. */
export class Calls {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();

  /** @param clock Source of time. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The calls under way, in the order in which they came. */
  get underWay(): readonly CallUnderWay[] {
    return [...this.#entries].map(({ signal, ...call }) => ({
      ...call,
      hasClient: !signal.aborted,
    }));
  }

  /** The same handlers; their calls are listed from now on. */
  watch<S extends ServiceType>(handlers: Handlers<S>): Handlers<S> {
    const watched = Object.entries<AnyHandler>(
      handlers as unknown as Record<string, AnyHandler>,
    ).map(([name, handler]) => [name, this.#watch(handler)]);
    return Object.fromEntries(watched);
  }

  #watch(handler: AnyHandler): AnyHandler {
    return async (request, context, ...rest) => {
      const { service, method, signal } = context;
      const ids = idMembers.map((member) => request[member])
        .filter((id) => typeof id === "string" && id !== "") as string[];
      const since = this.#clock.now();
      const entry = { service, method, ids, since, signal };
      this.#entries.add(entry);
      try {
        return await handler(request, context, ...rest);
      } finally {
        this.#entries.delete(entry);
      }
    };
  }
}
