/**
 * A compute system behind `vmcompute.dll`.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import {
  HResult,
  isAlreadyStopped,
  isNotFound,
} from "../../../base/hresult.ts";
import { formatJson, type Json, parseJson } from "../../../base/json.ts";
import type { ComputeSystem, ExitInfo } from "../../../hcs/ports.ts";
import { textMember } from "./document.ts";
import { isFailure } from "./error_document.ts";
import type { NativeCalls } from "../library/native_calls.ts";
import { NotificationType } from "./notifications.ts";
import type { SystemHandle } from "./system_handle.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import type { VmComputeSymbols } from "../library/vmcompute.ts";

/** True for "the call goes on, a notification ends it". */
export function isPending(hresult: number): boolean {
  return hresult === HResult.Pending;
}

/**
 * A document that the service must have sent.
 *
 * @throws {ShimError} Internal when it is missing or no JSON.
 */
export function requiredDocument(subject: string, text: string | null): Json {
  const unexpected = `${subject}: unexpected value returned from hcs`;
  if (text === null || text === "") {
    throw new ShimError("Internal", `${unexpected}: nothing`);
  }
  try {
    return parseJson(text, "the reply");
  } catch (cause) {
    throw new ShimError("Internal", `${unexpected}: no JSON`, { cause });
  }
}

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
    const runtimeId = textMember(properties, "RuntimeId");
    if (runtimeId === "") {
      const subject = handle.subject(querying);
      throw new ShimError(
        "Internal",
        `${subject}: unexpected value returned from hcs: no RuntimeId`,
      );
    }
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

  /** Starts it and waits for the completion. */
  async start(signal?: AbortSignal): Promise<void> {
    const operation = "hcs::System::Start";
    const bounds = { ms: this.#startLimit, signal };
    const completion = this.#handle.events.expect(
      NotificationType.SystemStartCompleted,
    );
    try {
      const reply = await this.#handle.call(
        "HcsStartComputeSystem",
        operation,
        bounds,
        (call, handle, out) => call(handle, encodeUtf16(""), out.result),
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

  /** Sends one modify request. */
  async modify(request: Json): Promise<void> {
    const text = encodeUtf16(formatJson(request));
    await this.#handle.demand(
      "HcsModifyComputeSystem",
      "hcs::System::Modify",
      {},
      (call, handle, out) => call(handle, text, out.result),
    );
  }

  /** Answers a property query document. */
  properties(query: Json): Promise<Json> {
    return queryProperties(this.#handle, query);
  }

  /** Stops it; resolves when the request is accepted. */
  async terminate(): Promise<void> {
    if (this.#handle.closed || this.#handle.events.hasExited) return;
    const reply = await this.#handle.terminate();
    if (!isFailure(reply.hresult) || isPending(reply.hresult)) return;
    const error = this.#calls.error(
      this.#handle.subject("hcs::System::Terminate"),
      reply,
    );
    if (!isAlreadyStopped(error) && !isNotFound(error)) throw error;
  }

  /** Lets the handle go. */
  close(): Promise<void> {
    return this.#handle.close();
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
