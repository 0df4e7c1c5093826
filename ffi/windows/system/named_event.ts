/**
 * Named events: one bit that processes of this session share.
 *
 * @module
 */

import type { Kernel32Symbols } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { Win32, win32Error } from "../library/win32_error.ts";

/** The symbols of an event. */
export type EventSymbols = Pick<
  Kernel32Symbols,
  | "CreateEventW"
  | "OpenEventW"
  | "SetEvent"
  | "WaitForSingleObject"
  | "CloseHandle"
  | "GetLastError"
>;

/** `EVENT_MODIFY_STATE`. */
const modifyState = 2;

/** `WAIT_OBJECT_0`. */
const signalled = 0;

/** `WAIT_TIMEOUT`. */
const notSignalled = 258;

/** An open event, which closes with {@linkcode NamedEvent.close} or `using`. */
export class NamedEvent implements Disposable {
  readonly #kernel32: EventSymbols;
  readonly #name: string;
  /** 0 once it is closed: the number may be another object's then. */
  #handle: bigint;

  private constructor(kernel32: EventSymbols, name: string, handle: bigint) {
    this.#kernel32 = kernel32;
    this.#name = name;
    this.#handle = handle;
  }

  /**
   * Makes an event that is not signalled and resets itself when somebody sees it.
   * One that exists is opened.
   *
   * @throws {HResultError} What the system answered.
   */
  static create(kernel32: EventSymbols, name: string): NamedEvent {
    const handle = kernel32.CreateEventW(null, 0, 0, encodeUtf16(name));
    if (handle !== 0n) return new NamedEvent(kernel32, name, handle);
    const code = kernel32.GetLastError();
    throw win32Error(code, `Cannot make the event "${name}"`);
  }

  /**
   * Opens an event to signal it.
   *
   * @returns Undefined when there is none.
   * @throws {HResultError} What else the system answered.
   */
  static open(kernel32: EventSymbols, name: string): NamedEvent | undefined {
    const handle = kernel32.OpenEventW(modifyState, 0, encodeUtf16(name));
    if (handle !== 0n) return new NamedEvent(kernel32, name, handle);
    const code = kernel32.GetLastError();
    if (code === Win32.FileNotFound) return undefined;
    throw win32Error(code, `Cannot open the event "${name}"`);
  }

  /** Signals it. @throws {HResultError} What the system answered. */
  set(): void {
    if (this.#kernel32.SetEvent(this.#handle) !== 0) return;
    const code = this.#kernel32.GetLastError();
    throw win32Error(code, `Cannot signal the event "${this.#name}"`);
  }

  /**
   * Sees whether it is signalled, and resets it then. Does not wait.
   *
   * @throws {HResultError} What the system answered.
   */
  take(): boolean {
    const state = this.#kernel32.WaitForSingleObject(this.#handle, 0);
    if (state === signalled) return true;
    if (state === notSignalled) return false;
    const code = this.#kernel32.GetLastError();
    throw win32Error(code, `Cannot see the event "${this.#name}"`);
  }

  /** Lets it go; the last one who does removes the event. Idempotent. */
  close(): void {
    if (this.#handle === 0n) return;
    this.#kernel32.CloseHandle(this.#handle);
    this.#handle = 0n;
  }

  /** The same as {@linkcode NamedEvent.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
