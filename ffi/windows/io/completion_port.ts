/**
 * The completion port: all sockets and pipes of the process wait in one native
 * call, however many they are. A thread per stream would use up the few threads
 * that Deno has for blocking calls and for files together.
 *
 * @module
 */

import type { Kernel32Symbols } from "../library/kernel32.ts";
import { invalidHandle } from "../library/kernel32.ts";
import type { NtdllSymbols } from "../library/ntdll.ts";
import { allocate, free, type NativeMemory } from "./native_memory.ts";
import { Win32, win32Error } from "../library/win32_error.ts";

/** Bytes of a slot: `OVERLAPPED` (32), then room for the caller's parameters. */
const slotSize = 64;

/** Slots of one slab. */
const slabSlots = 1024;

/** `OVERLAPPED_ENTRY`. */
const entrySize = 32;

/** Completions taken by one call. */
const batch = 64;

/**
 * Batches taken without giving other work of the process (timers, files, foreign
 * calls) a turn.
 */
const batchesPerTurn = 16;

/** `INFINITE`. */
const infinite = 0xffff_ffff;

/** Where one operation has its `OVERLAPPED`. */
export interface Slot {
  /** Address of the `OVERLAPPED`. */
  readonly overlapped: bigint;
  /** Address of 32 bytes for parameters that must live as long as the operation. */
  readonly parameters: bigint;
  /** The same 32 bytes, at {@linkcode Slot.at}. */
  readonly view: DataView;
  /** Offset of the parameters in {@linkcode Slot.view}. */
  readonly at: number;
}

interface Slab {
  readonly memory: NativeMemory;
  readonly view: DataView;
  /** As a number: addresses have at most 47 bits. */
  readonly start: number;
}

interface OwnSlot extends Slot {
  /** Offset of the `OVERLAPPED` in its slab. */
  readonly offset: number;
  /** Ends the operation under way. */
  settle: ((result: number) => void) | undefined;
}

/** The DLLs of a completion port. */
export interface CompletionLibraries {
  /** Makes the port and waits on it. */
  readonly kernel32: Kernel32Symbols;
  /** Translates the results. */
  readonly ntdll: NtdllSymbols;
}

/**
 * One I/O completion port and the operations under way on it.
 *
 * A result is the number of bytes, or the negated Win32 code: the end of a stream
 * is an everyday result and shall not cost an exception.
 */
export class CompletionPort {
  readonly #libraries: CompletionLibraries;
  readonly #port: bigint;
  readonly #slabs: Slab[] = [];
  readonly #slots: OwnSlot[][] = [];
  readonly #free: OwnSlot[] = [];
  readonly #entries: NativeMemory;
  readonly #entriesView: DataView;
  #pending = 0;
  #looping = false;
  /**
   * Batches since other work had its turn. It outlives the loop: who has one
   * operation at a time ends the loop with each of them.
   */
  #batches = 0;
  /** The port was closed by somebody else. */
  #gone = false;

  /**
   * @param libraries Their symbols.
   * @throws {HResultError} When the system cannot make a port.
   */
  constructor(libraries: CompletionLibraries) {
    this.#libraries = libraries;
    const { kernel32 } = libraries;
    // The entries, and behind them their number.
    this.#entries = allocate(kernel32, entrySize * batch + 8);
    this.#port = kernel32.CreateIoCompletionPort(invalidHandle, 0n, 0n, 0);
    if (this.#port === 0n) {
      const code = kernel32.GetLastError();
      free(kernel32, this.#entries);
      throw win32Error(code, "Cannot make a completion port");
    }
    this.#entriesView = new DataView(this.#entries.bytes.buffer);
  }

  /** Operations under way. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Has the operations of a handle complete here. Once per handle.
   *
   * @param what The thing behind the handle, for the error.
   * @throws {HResultError} When the handle cannot be attached.
   */
  attach(handle: bigint, what: string): void {
    const { kernel32 } = this.#libraries;
    if (kernel32.CreateIoCompletionPort(handle, this.#port, 0n, 0) === 0n) {
      throw win32Error(kernel32.GetLastError(), `Cannot wait for ${what}`);
    }
  }

  /**
   * Begins an operation.
   *
   * @param issue Calls the native function with the slot's `OVERLAPPED`. Returns 0
   *   when the operation succeeded or goes on (it completes on the port then), else
   *   the Win32 code with which it failed at once.
   * @returns Its bytes, or its negated Win32 code. Never rejects, unless `issue`
   *   throws or there is no memory (ShimError ResourceExhausted).
   */
  submit(issue: (slot: Slot) => number): Promise<number> {
    if (this.#gone) return Promise.resolve(-Win32.AbandonedWait);
    let slot: OwnSlot | undefined;
    let code: number;
    try {
      slot = this.#free.pop() ?? this.#addSlab();
      const { view, offset } = slot;
      for (let at = 0; at < 32; at += 8) {
        view.setBigUint64(offset + at, 0n, true);
      }
      code = issue(slot);
    } catch (error) {
      if (slot !== undefined) this.#free.push(slot);
      return Promise.reject(error);
    }
    if (code !== 0) {
      this.#free.push(slot);
      return Promise.resolve(-code);
    }
    const issued = slot;
    this.#pending++;
    const result = new Promise<number>((resolve) => issued.settle = resolve);
    if (!this.#looping) {
      this.#looping = true;
      queueMicrotask(() => this.#loop());
    }
    return result;
  }

  /** Asks all operations of a handle to end; each still completes, with ERROR_OPERATION_ABORTED. */
  cancel(handle: bigint): void {
    // When it fails, there was nothing to cancel.
    this.#libraries.kernel32.CancelIoEx(handle, 0n);
  }

  /** Closes the port; no operation may be under way. */
  close(): void {
    const { kernel32 } = this.#libraries;
    kernel32.CloseHandle(this.#port);
    free(kernel32, this.#entries);
    for (const { memory } of this.#slabs.splice(0)) free(kernel32, memory);
    this.#free.length = 0;
  }

  #addSlab(): OwnSlot {
    const memory = allocate(this.#libraries.kernel32, slotSize * slabSlots);
    const view = new DataView(memory.bytes.buffer);
    const slots = Array.from({ length: slabSlots }, (_, index): OwnSlot => {
      const offset = index * slotSize;
      const overlapped = memory.address + BigInt(offset);
      return {
        overlapped,
        parameters: overlapped + 32n,
        view,
        at: offset + 32,
        offset,
        settle: undefined,
      };
    });
    this.#slabs.push({ memory, view, start: Number(memory.address) });
    this.#slots.push(slots);
    this.#free.push(...slots.slice(1));
    return slots[0]!;
  }

  async #loop(): Promise<void> {
    while (this.#pending > 0) {
      if (++this.#batches >= batchesPerTurn || !this.#poll()) {
        if (!await this.#wait()) {
          this.#abandon();
          break;
        }
        this.#batches = 0;
      }
      this.#dispatch();
      // Who got a result may begin its next operation before the next look.
      await undefined;
    }
    this.#looping = false;
  }

  #poll(): boolean {
    const { address } = this.#entries;
    const number = address + BigInt(entrySize * batch);
    return this.#libraries.kernel32.GetQueuedCompletionStatusEx(
      this.#port,
      address,
      batch,
      number,
      0,
      0,
    ) !== 0;
  }

  async #wait(): Promise<boolean> {
    const { address } = this.#entries;
    const number = address + BigInt(entrySize * batch);
    return await this.#libraries.kernel32.WaitForCompletions(
      this.#port,
      address,
      batch,
      number,
      infinite,
      0,
    ) !== 0;
  }

  #dispatch(): void {
    const view = this.#entriesView;
    const count = view.getUint32(entrySize * batch, true);
    for (let index = 0; index < count; index++) {
      const at = index * entrySize;
      // OVERLAPPED_ENTRY: lpCompletionKey, lpOverlapped, Internal, bytes.
      const address = view.getUint32(at + 8, true) +
        view.getUint32(at + 12, true) * 0x1_0000_0000;
      const slot = this.#slotAt(address);
      if (slot?.settle === undefined) continue;
      const status = slot.view.getInt32(slot.offset, true);
      const result = status >= 0
        ? view.getUint32(at + 24, true)
        : -this.#libraries.ntdll.RtlNtStatusToDosError(status);
      this.#free.push(slot);
      this.#settle(slot, result);
    }
  }

  #slotAt(address: number): OwnSlot | undefined {
    const index = this.#slabs.findIndex(({ start }) =>
      address >= start && address < start + slotSize * slabSlots
    );
    const slab = this.#slabs[index];
    if (slab === undefined) return undefined;
    return this.#slots[index]?.[(address - slab.start) / slotSize];
  }

  #settle(slot: OwnSlot, result: number): void {
    const { settle } = slot;
    slot.settle = undefined;
    this.#pending--;
    settle?.(result);
  }

  /**
   * The port is gone: nothing completes any more. Windows may still write to the
   * slots that are in use, so they are not used again.
   */
  #abandon(): void {
    this.#gone = true;
    for (const slot of this.#slots.flat()) {
      if (slot.settle !== undefined) this.#settle(slot, -Win32.AbandonedWait);
    }
  }
}
