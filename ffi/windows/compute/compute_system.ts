/**
 * A compute system behind `vmcompute.dll`.
 *
 * @module
 */

import { formatJson, type Json } from "../../../base/json.ts";
import type { ComputeSystem, ExitInfo } from "../../../hcs/ports.ts";
import type { CallBounds, NativeCalls } from "../library/native_calls.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import type { VmComputeSymbols } from "../library/vmcompute.ts";
import { isFailure } from "../library/error_document.ts";
import { NotificationType } from "./notifications.ts";
import {
  acceptStop,
  isPending,
  requiredDocument,
  requiredRuntimeId,
} from "./replies.ts";
import type { SystemHandle } from "./system_handle.ts";

/** The calls that a notification completes. */
const completions = {
  Start: NotificationType.SystemStartCompleted,
  Pause: NotificationType.SystemPauseCompleted,
  Resume: NotificationType.SystemResumeCompleted,
  Save: NotificationType.SystemSaveCompleted,
} as const;

/** A {@linkcode ComputeSystem} over one open handle, which it owns. */
export class VmComputeSystem implements ComputeSystem {
  /** GUID by which Hyper-V sockets and access grants name the VM. */
  readonly runtimeId: string;
  readonly #handle: SystemHandle;
  readonly #calls: NativeCalls<VmComputeSymbols>;
  readonly #startLimit: number;

  private constructor(
    handle: SystemHandle,
    calls: NativeCalls<VmComputeSymbols>,
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
    handle: SystemHandle,
    calls: NativeCalls<VmComputeSymbols>,
    startLimit: number,
    signal?: AbortSignal,
  ): Promise<VmComputeSystem> {
    const properties = await queryProperties(handle, {}, signal);
    const runtimeId = requiredRuntimeId(handle.subject(querying), properties);
    return new VmComputeSystem(handle, calls, startLimit, runtimeId);
  }

  /** The id it was created with. */
  get id(): string {
    return this.#handle.id;
  }

  /** Settles once, when the system has ended; rejects when the service or the handle is lost. */
  get exited(): Promise<ExitInfo> {
    return this.#handle.events.exited;
  }

  /**
   * Starts it and waits for the completion.
   *
   * @throws {HResultError} what the service answered.
   * @throws {ShimError} DeadlineExceeded; Aborted when it ends meanwhile; FailedPrecondition on a closed handle.
   */
  start(signal?: AbortSignal): Promise<void> {
    const bounds = { ms: this.#startLimit, signal };
    return this.#complete("Start", undefined, bounds);
  }

  /**
   * Stops its processors and waits for the completion.
   *
   * @param options A pause document.
   * @throws As {@linkcode VmComputeSystem.start} does.
   */
  pause(options?: Json, signal?: AbortSignal): Promise<void> {
    return this.#complete("Pause", options, { signal });
  }

  /**
   * Lets a paused system go on and waits for the completion.
   *
   * @param options A resume document.
   * @throws As {@linkcode VmComputeSystem.start} does.
   */
  resume(options?: Json, signal?: AbortSignal): Promise<void> {
    return this.#complete("Resume", options, { signal });
  }

  /**
   * Saves its state and waits for the completion.
   *
   * @param options `{SaveType, SaveStateFilePath}`.
   * @throws As {@linkcode VmComputeSystem.start} does.
   */
  save(options: Json, signal?: AbortSignal): Promise<void> {
    return this.#complete("Save", options, { signal });
  }

  /**
   * Sends one modify request.
   *
   * @throws {HResultError} what the service answered.
   * @throws {ShimError} DeadlineExceeded; FailedPrecondition on a closed handle.
   */
  async modify(request: Json): Promise<void> {
    const text = encodeUtf16(formatJson(request));
    await this.#handle.demand(
      "HcsModifyComputeSystem",
      "hcs::System::Modify",
      {},
      (call, handle, out) => call(handle, text, out.result),
    );
  }

  /**
   * Answers a property query document.
   *
   * @throws {HResultError} what the service answered.
   * @throws {ShimError} Internal when it answered no JSON; DeadlineExceeded; FailedPrecondition on a closed handle.
   */
  properties(query: Json): Promise<Json> {
    return queryProperties(this.#handle, query);
  }

  /**
   * Asks its guest to shut down; resolves when the request is accepted. The end
   * comes with {@linkcode VmComputeSystem.exited}.
   *
   * @throws {HResultError} what the service answered.
   * @throws {ShimError} DeadlineExceeded.
   */
  async shutdown(): Promise<void> {
    if (this.#ended) return;
    const operation = "hcs::System::Shutdown";
    const reply = await this.#handle.stop(
      "HcsShutdownComputeSystem",
      operation,
    );
    acceptStop(
      reply.hresult,
      () => this.#calls.error(this.#handle.subject(operation), reply),
    );
  }

  /**
   * Stops it; resolves when the request is accepted.
   *
   * @throws {HResultError} what the service answered.
   * @throws {ShimError} DeadlineExceeded.
   */
  async terminate(): Promise<void> {
    if (this.#ended) return;
    const reply = await this.#handle.terminate();
    const subject = this.#handle.subject("hcs::System::Terminate");
    acceptStop(reply.hresult, () => this.#calls.error(subject, reply));
  }

  /**
   * Lets the handle go.
   *
   * @throws {HResultError} what the DLL answered; the handle is open then.
   * @throws {ShimError} DeadlineExceeded; the close goes on.
   */
  close(): Promise<void> {
    return this.#handle.close();
  }

  get #ended(): boolean {
    return this.#handle.closed || this.#handle.events.hasExited;
  }

  async #complete(
    name: keyof typeof completions,
    options: Json | undefined,
    bounds: Partial<CallBounds>,
  ): Promise<void> {
    const operation = `hcs::System::${name}`;
    const text = encodeUtf16(options === undefined ? "" : formatJson(options));
    const completion = this.#handle.events.expect(completions[name]);
    try {
      const reply = await this.#handle.call(
        `Hcs${name}ComputeSystem`,
        operation,
        bounds,
        (call, handle, out) => call(handle, text, out.result),
      );
      if (isPending(reply.hresult)) {
        const failure = await this.#handle.completion(
          completion,
          operation,
          bounds,
        );
        if (failure !== undefined) throw failure;
      } else if (isFailure(reply.hresult)) {
        throw this.#calls.error(this.#handle.subject(operation), reply);
      }
    } finally {
      completion.forget();
    }
  }
}

const querying = "hcs::System::Properties";

async function queryProperties(
  handle: SystemHandle,
  query: Json,
  signal?: AbortSignal,
): Promise<Json> {
  const text = encodeUtf16(formatJson(query));
  const reply = await handle.demand(
    "HcsGetComputeSystemProperties",
    querying,
    { signal },
    (call, system, out) => call(system, text, out.value, out.result),
  );
  return requiredDocument(handle.subject(querying), reply.value);
}
