/**
 * The guest's side of the bridge: dials the host again and again, answers its
 * calls and reports the end of containers.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { abortable, type Clock, deadline, systemClock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { isGuid, nullGuid } from "../base/guid.ts";
import type { Logger } from "../base/log.ts";
import { defaultTimeouts, limits, type Timeouts } from "../base/timeouts.ts";
import type { Tracer } from "../base/trace.ts";
import type { BridgeEnd } from "./errors.ts";
import { FrameReader, FrameWriter } from "./frames.ts";
import type { GuestHandlers } from "./handlers.ts";
import { containerNotificationType, responseType } from "./message_types.ts";
import { type Capabilities, ContainerNotification } from "./messages.gen.ts";
import { type Answer, RequestDispatcher } from "./request_dispatcher.ts";
import { formatResponse } from "./response_limit.ts";

/** How a {@linkcode GuestBridge} works. */
export interface GuestBridgeOptions {
  /** Where failed calls and lost connections are told. */
  readonly log: Logger;
  /** Source of time for the pauses. Default: the real time. */
  readonly clock?: Clock;
  /** `guestRedial` is the pause between dials, `guestQuit` bounds the end. */
  readonly timeouts?: Timeouts;
  /** What the guest says that it can do. Default: all of this agent's features. */
  readonly capabilities?: Capabilities;
  /** Gets a span per call, as part of the host's trace. Default: none. */
  readonly tracer?: Tracer;
  /** Versions to speak; none makes every call "not implemented". Default: 4. */
  readonly versions?: readonly number[];
}

/** Frames that may wait for a host that does not read; then we stop reading too. */
const maxBacklog = 256;

/** One connection to the host. */
interface Session {
  readonly writer: FrameWriter;
  /** Rejects when a write has failed. */
  readonly broken: PromiseWithResolvers<never>;
  /** 0 before the negotiation. */
  version: number;
}

/**
 * The bridge of a guest agent.
 *
 * Containers, processes and calls under way outlive a connection: an answer goes
 * to the connection that is there when it is ready, or nowhere.
 */
export class GuestBridge {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  readonly #dispatcher: RequestDispatcher;
  readonly #quit = new AbortController();
  /** Texts of notifications that no connection has taken yet, one per container. */
  readonly #notifications: string[] = [];
  #session: Session | undefined;

  /**
   * A bridge that serves no connection yet.
   *
   * @param handlers What the agent does.
   * @param options How the bridge works.
   */
  constructor(handlers: GuestHandlers, options: GuestBridgeOptions) {
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#timeouts = options.timeouts ?? defaultTimeouts;
    this.#dispatcher = new RequestDispatcher(handlers, {
      log: options.log,
      signal: this.#quit.signal,
      ...(options.tracer && { tracer: options.tracer }),
      ...(options.capabilities && { capabilities: options.capabilities }),
      ...(options.versions && { versions: options.versions }),
    });
  }

  /**
   * Dials and serves, again and again, until the agent quits.
   *
   * @param dial Reaches the host.
   * @param signal Makes the agent quit.
   */
  async run(dial: () => Promise<Duplex>, signal?: AbortSignal): Promise<void> {
    const onAbort = (): void => this.quit();
    if (signal?.aborted) this.quit();
    signal?.addEventListener("abort", onAbort, { once: true });
    const stop = this.#quit.signal;
    try {
      for (let failures = 0; !stop.aborted;) {
        try {
          const stream = await this.#dial(dial);
          failures = 0;
          const { error } = await this.serve(stream);
          this.#log.info("Bridge ended", error === undefined ? {} : { error });
        } catch (error) {
          if (stop.aborted) break;
          // Ten dials a second: only the first failure is worth a warning.
          if (failures++ === 0) {
            this.#log.warn("Cannot reach the host; dialling on", { error });
          } else this.#log.debug("Cannot reach the host", { error, failures });
        }
        await this.#clock.sleep(this.#timeouts.guestRedial, stop).catch(
          () => {}, // the agent quits
        );
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** @throws the signal's reason when the agent quits; a late stream is closed. */
  async #dial(dial: () => Promise<Duplex>): Promise<Duplex> {
    const stop = this.#quit.signal;
    const dialled = dial();
    try {
      return await abortable(dialled, stop);
    } catch (error) {
      if (stop.aborted) {
        dialled.then((stream) => stream.close()).catch((error) =>
          this.#log.debug("Dial ended after quit", { error })
        );
      }
      throw error;
    }
  }

  /**
   * Serves one connection until either side ends it or the agent quits.
   *
   * @param stream The connection; owned from here on.
   * @returns How it ended; never rejects for what the host does.
   * @throws {ShimError} FailedPrecondition while another connection is served.
   */
  async serve(stream: Duplex): Promise<BridgeEnd> {
    if (this.#session !== undefined) {
      await stream.close();
      throw new ShimError(
        "FailedPrecondition",
        "Cannot serve a second bridge connection: one is being served",
      );
    }
    const session: Session = {
      writer: new FrameWriter(stream, {
        limit: limits.guestFrame,
        lineFeed: false,
      }),
      broken: Promise.withResolvers(),
      version: 0,
    };
    session.broken.promise.catch(() => {}); // raced below
    this.#session = session;
    this.#flush();
    const reading = this.#read(stream, session);
    let end: BridgeEnd = {};
    try {
      const served = Promise.race([reading, session.broken.promise]);
      await abortable(served, this.#quit.signal);
    } catch (error) {
      if (this.#quit.signal.aborted) await this.#drain(session);
      else end = { error: asError(error) };
    }
    this.#session = undefined;
    await stream.close();
    await reading.catch(() => {}); // its failure is `end.error`, or the close
    return end;
  }

  /** Lets what is written go out, for a bounded time. */
  async #drain({ writer }: Session): Promise<void> {
    const { guestQuit } = this.#timeouts;
    try {
      await deadline(
        this.#clock,
        guestQuit,
        "Writing the last answers",
        () => writer.drained(),
      );
    } catch (error) {
      this.#log.debug("Quit before all answers were written", { error });
    }
  }

  async #read(stream: Duplex, session: Session): Promise<void> {
    const reader = new FrameReader(stream, limits.hostFrame);
    for (;;) {
      const frame = await reader.next();
      if (frame === undefined || this.#quit.signal.aborted) return;
      // Negotiation takes effect here, before the next frame is read.
      const answer = this.#dispatcher.dispatch(frame, session);
      if (answer instanceof Promise) {
        answer.then((answer) => this.#answer(frame.type, frame.id, answer));
      } else this.#answer(frame.type, frame.id, answer);
      if (session.writer.backlog > maxBacklog) await session.writer.drained();
    }
  }

  /** Answers on the connection of now; without one the answer is dropped. */
  #answer(requestType: number, id: bigint, answer: Answer): void {
    const session = this.#session;
    if (session === undefined) {
      this.#log.debug("No connection for an answer", { id: String(id) });
      return;
    }
    const text = formatResponse(answer, limits.guestFrame);
    this.#send(session, responseType(requestType), id, text);
  }

  #send(session: Session, type: number, id: bigint, text: string): void {
    session.writer.send(type, id, text).catch((error) =>
      session.broken.reject(error)
    );
  }

  /**
   * Reports the end of a container, once per successful create. Waits for a
   * connection when there is none. Answers whose handlers have returned go first,
   * so that the host learns the exit code of the init process before.
   */
  notify(notification: ContainerNotification): void {
    const { ActivityId, ContainerId } = notification;
    const text = ContainerNotification.format({
      ...notification,
      ActivityId: isGuid(ActivityId) ? ActivityId : nullGuid, // hosts parse it
    });
    if (text.length * 3 > limits.guestFrame) {
      const containerId = ContainerId.slice(0, 100);
      this.#log.error("Container id too long to be reported", {
        cid: containerId,
      });
      return;
    }
    setImmediate(() => {
      this.#notifications.push(text);
      this.#flush();
    });
  }

  #flush(): void {
    const session = this.#session;
    if (session === undefined) return;
    for (const text of this.#notifications.splice(0)) {
      this.#send(session, containerNotificationType, 0n, text);
    }
  }

  /** Ends `run` and `serve`; answers that are ready are still written. Idempotent. */
  quit(): void {
    this.#quit.abort(new ShimError("Canceled", "The guest agent quits"));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
