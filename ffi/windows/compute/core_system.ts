/**
 * A compute system behind `computecore.dll`, which can do what the older DLL
 * cannot: live migration.
 *
 * @module
 */

import { formatJson, type Json } from "../../../base/json.ts";
import type { ExitInfo } from "../../../hcs/ports.ts";
import type { NativeCalls } from "../library/native_calls.ts";
import type { ComputeCoreSymbols } from "../library/computecore.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import type { CoreHandle } from "./core_handle.ts";
import { acceptStop, requiredDocument, requiredRuntimeId } from "./replies.ts";

/** Functions that take a system, an operation and options. */
const optionCalls = {
  Start: "HcsStartComputeSystem",
  InitializeLiveMigrationOnSource: "HcsInitializeLiveMigrationOnSource",
  StartLiveMigrationOnSource: "HcsStartLiveMigrationOnSource",
  StartLiveMigrationTransfer: "HcsStartLiveMigrationTransfer",
  FinalizeLiveMigration: "HcsFinalizeLiveMigration",
  CancelLiveMigration: "HcsCancelLiveMigration",
} as const;

/** Bounds of a request, and what it needs beside its options. */
interface Extras {
  readonly ms?: number;
  readonly signal?: AbortSignal | undefined;
  readonly socket?: bigint | undefined;
}

const querying = "hcs::System::Properties";

/**
 * A system over one open handle, which it owns. Every method rejects with an
 * `HResultError` for what the service answered, and with a `ShimError` of the
 * class DeadlineExceeded when it does not answer, FailedPrecondition when the
 * handle is closed, Unavailable when the service is lost, NotImplemented when
 * this version of Windows lacks the function.
 */
export class CoreSystem {
  /** GUID by which Hyper-V sockets and access grants name the VM. */
  readonly runtimeId: string;
  readonly #handle: CoreHandle;
  readonly #calls: NativeCalls<ComputeCoreSymbols>;
  readonly #startLimit: number;

  private constructor(
    handle: CoreHandle,
    calls: NativeCalls<ComputeCoreSymbols>,
    startLimit: number,
    runtimeId: string,
  ) {
    this.#handle = handle;
    this.#calls = calls;
    this.#startLimit = startLimit;
    this.runtimeId = runtimeId;
  }

  /**
   * Learns what the service knows of a registered handle's system.
   *
   * @param startLimit Milliseconds for a start.
   * @throws {ShimError} when the service does not tell its RuntimeId.
   */
  static async of(
    handle: CoreHandle,
    calls: NativeCalls<ComputeCoreSymbols>,
    startLimit: number,
    signal?: AbortSignal,
  ): Promise<CoreSystem> {
    const properties = await queryProperties(handle, {}, signal);
    const runtimeId = requiredRuntimeId(handle.subject(querying), properties);
    return new CoreSystem(handle, calls, startLimit, runtimeId);
  }

  /** The id it was created with. */
  get id(): string {
    return this.#handle.id;
  }

  /** Settles once, when the system has ended; rejects when the service or the handle is lost. */
  get exited(): Promise<ExitInfo> {
    return this.#handle.events.system.exited;
  }

  /**
   * Documents `{Origin, Event, Result, AdditionalDetails}` of live migrations, for
   * one reader. 16 wait for it; further ones are dropped with a warning. Ends when
   * the handle is closed or the service is lost.
   */
  get events(): AsyncIterable<Json> {
    return this.#handle.events.migrations;
  }

  /**
   * Starts it and waits until it runs.
   *
   * @param options A start document; `{DestinationMigrationOptions}` at the destination of a migration.
   * @param socket SOCKET to the other host; stays the caller's.
   */
  start(options?: Json, socket?: bigint, signal?: AbortSignal): Promise<void> {
    return this.#request("Start", options, {
      ms: this.#startLimit,
      socket,
      signal,
    });
  }

  /** Sends one modify request. */
  async modify(request: Json, signal?: AbortSignal): Promise<void> {
    const text = encodeUtf16(formatJson(request));
    await this.#handle.demand({
      symbol: "HcsModifyComputeSystem",
      operation: "hcs::System::Modify",
      signal,
      invoke: (call, system, operation) => call(system, operation, text, 0n),
    });
  }

  /**
   * Answers a property query document.
   *
   * @throws {ShimError} Internal when the answer is no JSON.
   */
  properties(query: Json, signal?: AbortSignal): Promise<Json> {
    return queryProperties(this.#handle, query, signal);
  }

  /** Stops it; resolves when the request is accepted. */
  async terminate(): Promise<void> {
    if (this.#handle.closed || this.#handle.events.system.hasExited) return;
    const reply = await this.#handle.terminate();
    const subject = this.#handle.subject("hcs::System::Terminate");
    acceptStop(reply.hresult, () => this.#calls.error(subject, reply));
  }

  /** Prepares it to leave this host. @param options `{Origin, MemoryTransport, …}`. */
  initializeMigration(options: Json, signal?: AbortSignal): Promise<void> {
    return this.#request("InitializeLiveMigrationOnSource", options, {
      signal,
    });
  }

  /**
   * Connects it, the source, with its destination.
   *
   * @param options `{NetworkSettings}`.
   * @param socket SOCKET to the other host; stays the caller's.
   */
  startMigration(
    options: Json,
    socket?: bigint,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#request("StartLiveMigrationOnSource", options, {
      socket,
      signal,
    });
  }

  /**
   * Moves its memory. Takes as long as that takes: only `signal` bounds it.
   *
   * @param options `{Origin}`.
   */
  transferMigration(options: Json, signal?: AbortSignal): Promise<void> {
    return this.#request("StartLiveMigrationTransfer", options, {
      ms: Infinity,
      signal,
    });
  }

  /** Ends its migration. @param options `{Origin, FinalizedOperation}`. */
  finalizeMigration(options: Json, signal?: AbortSignal): Promise<void> {
    return this.#request("FinalizeLiveMigration", options, { signal });
  }

  /** Gives its migration up, also during a transfer. @param options `{Origin}`. */
  cancelMigration(options: Json, signal?: AbortSignal): Promise<void> {
    return this.#request("CancelLiveMigration", options, { signal });
  }

  /** Lets the handle go. */
  close(): Promise<void> {
    return this.#handle.close();
  }

  async #request(
    name: keyof typeof optionCalls,
    options: Json | undefined,
    extras: Extras,
  ): Promise<void> {
    const text = encodeUtf16(options === undefined ? "" : formatJson(options));
    await this.#handle.demand({
      symbol: optionCalls[name],
      operation: `hcs::System::${name}`,
      ...extras,
      invoke: (call, system, operation) => call(system, operation, text),
    });
  }
}

async function queryProperties(
  handle: CoreHandle,
  query: Json,
  signal?: AbortSignal,
): Promise<Json> {
  const text = encodeUtf16(formatJson(query));
  const document = await handle.demand({
    symbol: "HcsGetComputeSystemProperties",
    operation: querying,
    signal,
    invoke: (call, system, operation) => call(system, operation, text),
  });
  return requiredDocument(handle.subject(querying), document);
}
