/**
 * The compute service through `vmcompute.dll`: promises over its raw symbols.
 *
 * @module
 */

import { type Clock, systemClock } from "../../../base/clock.ts";
import { formatJson, type Json } from "../../../base/json.ts";
import { type Logger, silentLogger } from "../../../base/log.ts";
import type { Semaphore } from "../../../base/queue.ts";
import { defaultTimeouts, type Timeouts } from "../../../base/timeouts.ts";
import type { ComputeHost, ComputeSystemSummary } from "../../../hcs/ports.ts";
import { VmComputeSystem } from "./compute_system.ts";
import { textMember } from "../library/document.ts";
import { discard } from "./discard.ts";
import { isFailure } from "../library/error_document.ts";
import {
  blockingSlots,
  type CallBounds,
  NativeCalls,
  type Reply,
} from "../library/native_calls.ts";
import { NotificationRouter, NotificationType } from "./notifications.ts";
import { isPending, requiredDocument, unexpectedReply } from "./replies.ts";
import { type HandleContext, SystemHandle } from "./system_handle.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import type {
  VmComputeLibrary,
  VmComputeSymbols,
} from "../library/vmcompute.ts";

/** How a {@linkcode VmCompute} is made. */
export interface VmComputeOptions {
  /** Source of time. */
  readonly clock?: Clock;
  /** `systemCreate`, `systemStart` and `systemCall` are used. */
  readonly timeouts?: Timeouts;
  /** Slots for blocking calls, to be shared by all DLLs. Default: 4, or processors when fewer. */
  readonly slots?: Semaphore;
  /** Takes error documents, crash reports and failed clean-ups. */
  readonly log?: Logger;
}

/**
 * The compute service. Every method rejects with an `HResultError` for
 * what the service answered, and with DeadlineExceeded when it does not answer.
 *
 * @example Over a mock
 * ```ts
 * import { ScriptedVmCompute } from "../../mock/scripted.ts";
 * import { VmCompute } from "./vmcompute.ts";
 * using library = new ScriptedVmCompute();
 * const system = await new VmCompute(library).create("pod1@vm", {});
 * await system.start();
 * await system.close();
 * ```
 */
export class VmCompute implements ComputeHost {
  readonly #calls: NativeCalls<VmComputeSymbols>;
  readonly #timeouts: Timeouts;
  readonly #log: Logger;
  readonly #handles: HandleContext;

  /** @param library The DLL, or a mock of it. */
  constructor(library: VmComputeLibrary, options: VmComputeOptions = {}) {
    const { clock = systemClock, log = silentLogger } = options;
    const slots = options.slots ??
      blockingSlots(navigator.hardwareConcurrency);
    this.#timeouts = options.timeouts ?? defaultTimeouts;
    this.#log = log;
    this.#calls = new NativeCalls({ library, slots, clock, log });
    this.#handles = {
      calls: this.#calls,
      router: new NotificationRouter(library),
      clock,
      log,
      callLimit: this.#timeouts.systemCall,
    };
  }

  /** Creates a compute system and waits for its completion. */
  async create(
    id: string,
    document: Json,
    signal?: AbortSignal,
  ): Promise<VmComputeSystem> {
    const operation = "hcs::CreateComputeSystem";
    const subject = `${operation} ${id}`;
    const name = encodeUtf16(id);
    const text = encodeUtf16(formatJson(document));
    const bounds = { ms: this.#timeouts.systemCreate, signal };
    const reply = await this.#calls.call(
      "HcsCreateComputeSystem",
      subject,
      { ...bounds, late: (reply) => this.#discardLate(reply, id, true) },
      (call, out) => call(name, text, 0n, out.handle, out.result),
    );
    const pending = isPending(reply.hresult);
    if (isFailure(reply.hresult) && !pending) {
      throw this.#calls.error(subject, reply);
    }
    const handle = this.#adopt(reply, subject, id);
    const completion = handle.events.expect(
      NotificationType.SystemCreateCompleted,
    );
    // A create that was reported as failed made no system: the handle may name
    // somebody else's, which must not be ended.
    let terminate = true;
    try {
      await handle.register(signal);
      const failure = pending
        ? await handle.completion(completion, operation, bounds)
        : undefined;
      terminate = failure === undefined;
      if (failure !== undefined) throw failure;
      return await this.#identify(handle, signal);
    } catch (error) {
      await this.#discard(handle, terminate);
      throw error;
    } finally {
      completion.forget();
    }
  }

  /** Opens an existing compute system. */
  async open(id: string): Promise<VmComputeSystem> {
    const subject = `hcs::OpenComputeSystem ${id}`;
    const name = encodeUtf16(id);
    const reply = await this.#calls.demand(
      "HcsOpenComputeSystem",
      subject,
      this.#bounds({ late: (reply) => this.#discardLate(reply, id, false) }),
      (call, out) => call(name, out.handle, out.result),
    );
    const handle = this.#adopt(reply, subject, id);
    try {
      await handle.register();
      return await this.#identify(handle);
    } catch (error) {
      await this.#discard(handle, false);
      throw error;
    }
  }

  /** Lists compute systems; query `{Ids, Owners, Types, Names}`, all optional. */
  async enumerate(query: Json): Promise<ComputeSystemSummary[]> {
    const subject = "hcs::EnumerateComputeSystems";
    const text = encodeUtf16(formatJson(query));
    const reply = await this.#calls.demand(
      "HcsEnumerateComputeSystems",
      subject,
      this.#bounds(),
      (call, out) => call(text, out.value, out.result),
    );
    const rows = requiredDocument(subject, reply.value);
    if (!Array.isArray(rows)) throw unexpectedReply(subject, "no list");
    return rows.map((row) => ({
      Id: textMember(row, "Id"),
      Owner: textMember(row, "Owner"),
      RuntimeId: textMember(row, "RuntimeId"),
      State: textMember(row, "State"),
    })).filter((row) => row.Id !== "");
  }

  /** Answers a service query, for example `{"PropertyTypes":["ProcessorTopology"]}`. */
  async serviceProperties(query: Json): Promise<Json> {
    const subject = "hcs::GetServiceProperties";
    const text = encodeUtf16(formatJson(query));
    const reply = await this.#calls.demand(
      "HcsGetServiceProperties",
      subject,
      this.#bounds(),
      (call, out) => call(text, out.value, out.result),
    );
    return requiredDocument(subject, reply.value);
  }

  /** Lets a VM open a file. */
  grantAccess(vmId: string, path: string): Promise<void> {
    return this.#access("GrantVmAccess", vmId, path);
  }

  /** Takes the access back. */
  revokeAccess(vmId: string, path: string): Promise<void> {
    return this.#access("RevokeVmAccess", vmId, path);
  }

  async #access(
    symbol: "GrantVmAccess" | "RevokeVmAccess",
    vmId: string,
    path: string,
  ): Promise<void> {
    const vm = encodeUtf16(vmId);
    const file = encodeUtf16(path);
    await this.#calls.demand(
      symbol,
      `hcs::${symbol} ${vmId} "${path}"`,
      this.#bounds(),
      (call) => call(vm, file),
    );
  }

  #bounds(more: Partial<CallBounds> = {}): CallBounds {
    return { ms: this.#timeouts.systemCall, ...more };
  }

  #adopt(reply: Reply, subject: string, id: string): SystemHandle {
    if (reply.handle === 0n) throw unexpectedReply(subject, "no handle");
    return new SystemHandle(this.#handles, reply.handle, id);
  }

  #identify(
    handle: SystemHandle,
    signal?: AbortSignal,
  ): Promise<VmComputeSystem> {
    const { systemStart } = this.#timeouts;
    return VmComputeSystem.of(handle, this.#calls, systemStart, signal);
  }

  /** Lets go what a call made after its caller had given up. */
  #discardLate(reply: Reply, id: string, terminate: boolean): void {
    if (reply.handle === 0n) return;
    const handle = new SystemHandle(this.#handles, reply.handle, id);
    const made = !isFailure(reply.hresult) || isPending(reply.hresult);
    void this.#discard(handle, terminate && made);
  }

  #discard(handle: SystemHandle, terminate: boolean): Promise<void> {
    return discard(handle, terminate, this.#log);
  }
}
