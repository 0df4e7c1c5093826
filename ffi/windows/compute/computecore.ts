/**
 * The compute service through `computecore.dll`: promises over its raw symbols.
 * The product uses it for what `vmcompute.dll` lacks, live migration; both take
 * the same documents.
 *
 * @module
 */

import { systemClock } from "../../../base/clock.ts";
import { formatJson, type Json } from "../../../base/json.ts";
import { silentLogger } from "../../../base/log.ts";
import { defaultTimeouts, type Timeouts } from "../../../base/timeouts.ts";
import type { ComputeCoreLibrary } from "../library/computecore.ts";
import { blockingSlots, NativeCalls } from "../library/native_calls.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { CoreCallbacks } from "./core_callbacks.ts";
import { type CoreContext, CoreHandle } from "./core_handle.ts";
import { CoreSystem } from "./core_system.ts";
import { discard } from "./discard.ts";
import { isFailure } from "../library/error_document.ts";
import { Operations } from "./operations.ts";
import { unexpectedReply } from "./replies.ts";
import type { VmComputeOptions } from "./vmcompute.ts";

/** `GENERIC_ALL`. */
const fullAccess = 0x10000000;

/** What a create knows of its handle; the call may return after everybody has gone. */
interface Creation {
  handle?: CoreHandle;
  abandoned: boolean;
}

/**
 * The compute service. Every method rejects with an `HResultError` for
 * what the service answered, and with DeadlineExceeded when it does not answer.
 *
 * @example Over a mock
 * ```ts
 * import { ScriptedComputeCore } from "../../mock/scripted_core.ts";
 * import { ComputeCore } from "./computecore.ts";
 * using library = new ScriptedComputeCore();
 * const system = await new ComputeCore(library).open("pod1@vm");
 * await system.initializeMigration({ Origin: "Source" });
 * await system.close();
 * ```
 */
export class ComputeCore {
  readonly #context: CoreContext;
  readonly #timeouts: Timeouts;

  /** @param library The DLL, or a mock of it. */
  constructor(library: ComputeCoreLibrary, options: VmComputeOptions = {}) {
    const { clock = systemClock, log = silentLogger } = options;
    const slots = options.slots ??
      blockingSlots(navigator.hardwareConcurrency);
    this.#timeouts = options.timeouts ?? defaultTimeouts;
    const context = {
      calls: new NativeCalls({ library, slots, clock, log }),
      callbacks: new CoreCallbacks(library),
      clock,
      log,
      callLimit: this.#timeouts.systemCall,
    };
    const operations = new Operations(context, clock);
    this.#context = { ...context, operations };
  }

  /**
   * Creates a compute system and waits for its completion.
   *
   * @throws {HResultError} what the service answered; nothing is left behind.
   */
  async create(
    id: string,
    document: Json,
    signal?: AbortSignal,
  ): Promise<CoreSystem> {
    const { calls, log } = this.#context;
    const subject = `hcs::CreateComputeSystem ${id}`;
    const creation: Creation = { abandoned: false };
    // A create that was reported as failed made no system: the handle may name
    // somebody else's, which must not be ended.
    let terminate = true;
    try {
      const reply = await this.#create(subject, id, document, creation, signal);
      if (isFailure(reply.hresult)) {
        terminate = false;
        throw calls.error(subject, reply);
      }
      const { handle } = creation;
      if (handle === undefined) throw unexpectedReply(subject, "no handle");
      return await this.#identify(handle, signal);
    } catch (error) {
      creation.abandoned = true;
      const { handle } = creation;
      if (handle !== undefined) await discard(handle, terminate, log);
      throw error;
    }
  }

  /**
   * Opens an existing compute system.
   *
   * @throws {HResultError} NotFound class when there is none.
   */
  async open(id: string, signal?: AbortSignal): Promise<CoreSystem> {
    const { calls, callLimit, log } = this.#context;
    const subject = `hcs::OpenComputeSystem ${id}`;
    const name = encodeUtf16(id);
    const adopt = (handle: bigint): CoreHandle =>
      new CoreHandle(this.#context, handle, id);
    const reply = await calls.demand(
      "HcsOpenComputeSystem",
      subject,
      {
        ms: callLimit,
        signal,
        late: ({ handle }) => {
          if (handle !== 0n) void discard(adopt(handle), false, log);
        },
      },
      (call, out) => call(name, fullAccess, out.handle),
    );
    if (reply.handle === 0n) throw unexpectedReply(subject, "no handle");
    const handle = adopt(reply.handle);
    try {
      return await this.#identify(handle, signal);
    } catch (error) {
      await discard(handle, false, log);
      throw error;
    }
  }

  #create(
    subject: string,
    id: string,
    document: Json,
    creation: Creation,
    signal: AbortSignal | undefined,
  ): ReturnType<Operations["run"]> {
    const { operations, log } = this.#context;
    const name = encodeUtf16(id);
    const text = encodeUtf16(formatJson(document));
    return operations.run({
      symbol: "HcsCreateComputeSystem",
      subject,
      ms: this.#timeouts.systemCreate,
      signal,
      invoke: async (call, operation, out) => {
        const hresult = await call(name, text, operation, null, out.handle);
        const made = out.handle[0] ?? 0n;
        if (made === 0n) return hresult;
        creation.handle = new CoreHandle(this.#context, made, id);
        if (creation.abandoned) {
          void discard(creation.handle, !isFailure(hresult), log);
        }
        return hresult;
      },
    });
  }

  async #identify(
    handle: CoreHandle,
    signal: AbortSignal | undefined,
  ): Promise<CoreSystem> {
    await handle.register(signal);
    const { systemStart } = this.#timeouts;
    return await CoreSystem.of(
      handle,
      this.#context.calls,
      systemStart,
      signal,
    );
  }
}
