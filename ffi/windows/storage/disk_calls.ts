/**
 * Calls of `virtdisk.dll`: in slots, bounded in time, every handle closed.
 *
 * @module
 */

import { type Clock, systemClock } from "../../../base/clock.ts";
import { messageOf } from "../../../base/errors.ts";
import { HResult, HResultError } from "../../../base/hresult.ts";
import { type Logger, silentLogger } from "../../../base/log.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import { isFailure } from "../library/error_document.ts";
import type { VmComputeOptions } from "../compute/vmcompute.ts";
import {
  blockingSlots,
  NativeCalls,
  type Outputs,
  type Reply,
  within,
} from "../library/native_calls.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import {
  diskInfo,
  type VirtDiskLibrary,
  type VirtDiskSymbols,
} from "../library/virtdisk.ts";
import {
  answeredSize,
  anyType,
  creation,
  opening,
  resizing,
  sizeQuery,
  vhdxType,
} from "./disk_structures.ts";

/** One piece of work on a disk. */
export interface Work {
  /** What fails, for messages. */
  readonly subject: string;
  /** The caller's time is over: no further call is begun, except a close. */
  readonly limit: AbortSignal;
}

/** The calls. */
export class DiskCalls {
  readonly #calls: NativeCalls<VirtDiskSymbols>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limit: number;

  /** @param library The DLL, or a mock of it. */
  constructor(library: VirtDiskLibrary, options: VmComputeOptions) {
    const { clock = systemClock, log = silentLogger } = options;
    const slots = options.slots ??
      blockingSlots(navigator.hardwareConcurrency);
    this.#clock = clock;
    this.#log = log;
    this.#limit = (options.timeouts ?? defaultTimeouts).systemCall;
    this.#calls = new NativeCalls({ library, slots, clock, log });
  }

  /**
   * Bounds a piece of work; it goes on to its close when nobody waits any more.
   *
   * @throws {ShimError} DeadlineExceeded.
   * @throws The signal's reason when it aborts first.
   */
  run<T>(
    subject: string,
    signal: AbortSignal | undefined,
    task: (work: Work) => Promise<T>,
  ): Promise<T> {
    const bounds = { ms: this.#limit, signal };
    return within(
      this.#clock,
      subject,
      "virtdisk.dll",
      bounds,
      (limit) => task({ subject, limit }),
    );
  }

  /** Makes a disk. @throws {HResultError} what Windows answered. */
  create(work: Work, path: string, bytes: bigint): Promise<void> {
    const text = encodeUtf16(path);
    return this.#withHandle(
      work,
      "CreateVirtualDisk",
      (call, out) =>
        call(vhdxType(), text, 0, null, 0, 0, creation(bytes), 0n, out),
      () => Promise.resolve(),
    );
  }

  /** Opens a disk for a task. @throws {HResultError} what Windows answered. */
  withDisk<T>(
    work: Work,
    path: string,
    infoOnly: boolean,
    task: (handle: bigint) => Promise<T>,
  ): Promise<T> {
    const text = encodeUtf16(path);
    return this.#withHandle(
      work,
      "OpenVirtualDisk",
      (call, out) => call(anyType(), text, 0, 0, opening(infoOnly), out),
      task,
    );
  }

  /** The size of an open disk. @throws {HResultError} what Windows answered. */
  async size(work: Work, handle: bigint): Promise<bigint> {
    const info = sizeQuery();
    const room = new Uint32Array([diskInfo.size]);
    await this.#demand(
      work,
      "GetVirtualDiskInformation",
      (call) => call(handle, room, info, null),
    );
    return answeredSize(info);
  }

  /** Gives an open disk another size. @throws {HResultError} what Windows answered. */
  async resize(work: Work, handle: bigint, bytes: bigint): Promise<void> {
    await this.#demand(
      work,
      "ResizeVirtualDisk",
      (call) => call(handle, 0, resizing(bytes), 0n),
    );
  }

  async #withHandle<T, K extends "CreateVirtualDisk" | "OpenVirtualDisk">(
    work: Work,
    symbol: K,
    invoke: (
      call: NonNullable<VirtDiskSymbols[K]>,
      out: Outputs["handle"],
    ) => Promise<number>,
    task: (handle: bigint) => Promise<T>,
  ): Promise<T> {
    const { handle } = await this.#demand(
      work,
      symbol,
      (call, out) => invoke(call, out.handle),
    );
    try {
      return await task(handle);
    } finally {
      await this.#close(work.subject, handle);
    }
  }

  /** @throws {HResultError} what Windows answered. */
  async #demand<K extends keyof VirtDiskSymbols>(
    { subject, limit }: Work,
    symbol: K,
    invoke: (
      call: NonNullable<VirtDiskSymbols[K]>,
      out: Outputs,
    ) => Promise<number>,
  ): Promise<Reply> {
    const reply = await this.#calls.run(
      symbol,
      async (call, out) => asHResult(await invoke(call, out)),
      limit,
    );
    if (isFailure(reply.hresult)) throw this.#calls.error(subject, reply);
    return reply;
  }

  /** Never rejects: what the caller wanted to know is known. */
  async #close(subject: string, handle: bigint): Promise<void> {
    try {
      const { hresult } = await this.#calls.run(
        "CloseHandle",
        async (call) => (await call(handle)) === 0 ? HResult.InvalidHandle : 0,
      );
      if (isFailure(hresult)) throw new HResultError(hresult, "CloseHandle");
    } catch (error) {
      this.#log.warn("Cannot close a virtual disk", {
        subject,
        error: messageOf(error),
      });
    }
  }
}

/** A Win32 code as an HRESULT. Those of virtual disks (`0xC03A…`) are failures as they are. */
function asHResult(code: number): number {
  return code === 0 || code > 0xffff ? code : 0x8007_0000 | code;
}
