/**
 * The shim as a provider of events for Event Tracing for Windows (ETW).
 *
 * @module
 */

import { guidBytes } from "../../../base/guid.ts";
import { type Advapi32Symbols, enableCallback } from "../library/advapi32.ts";
import { win32Error } from "../library/win32_error.ts";
import {
  encodeEvent,
  eventDescriptor,
  type EventFields,
  eventLevels,
  providerTraits,
} from "./trace_logging.ts";

/** Name under which the provider is known (hcsshim's). */
export const providerName = "Microsoft.Virtualization.containerd-shim-lcow-v2";

/** Its id, which is made of the name. */
export const providerId = "a6bd4b70-8a0b-5913-5c8e-e2780dc7f06f";

/** `EVENT_CONTROL_CODE_CAPTURE_STATE` (evntprov.h). */
const captureState = 2;

/** `EventProviderSetTraits`. */
const setTraits = 2;

/** Bytes of an event at most; ETW drops larger ones (64 KiB with headers). */
const maxText = 60 * 1024;

/** What an {@linkcode EventProvider} calls. */
export interface EventLibrary {
  /** Writes events. */
  readonly advapi32: Pick<
    Advapi32Symbols,
    "EventRegister" | "EventSetInformation" | "EventWriteTransfer"
  >;
  /** Makes a function that any thread may call. */
  readonly onEnable: (
    receiver: (code: number) => void,
  ) => Deno.PointerObject;
}

/** The library of this machine. */
export function systemEventLibrary(
  libraries: { readonly advapi32: Advapi32Symbols },
): EventLibrary {
  return {
    get advapi32() {
      return libraries.advapi32;
    },
    // Never closed: a late invocation of a closed callback ends the process.
    onEnable: (receiver) => {
      const callback = Deno.UnsafeCallback.threadSafe(
        enableCallback,
        (_source, code) => receiver(code),
      );
      callback.unref();
      return callback.pointer;
    },
  };
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** Cut so that the event fits, at a whole character. */
function fitted(fields: EventFields): EventFields {
  const room = Math.floor(maxText / Math.max(1, Object.keys(fields).length));
  const cut = (value: string): string =>
    value.length * 3 <= room ? value : value.slice(0, Math.floor(room / 3));
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? cut(value) : value,
    ]),
  );
}

/** A registered provider. It stays registered until the process ends. */
export class EventProvider {
  readonly #library: EventLibrary;
  readonly #handle: bigint;
  readonly #traits = providerTraits(providerName);

  /**
   * Registers the provider.
   *
   * The system calls back on a thread of its own, which waits until JavaScript has
   * taken note: only that is done there.
   *
   * @param library What it calls.
   * @param onCaptureState Somebody asks for the state of everything; called in a
   * turn of its own, and must not throw.
   * @throws {HResultError} What the system answered.
   */
  constructor(library: EventLibrary, onCaptureState: () => void) {
    this.#library = library;
    const { advapi32 } = library;
    const out = new BigUint64Array(1);
    const callback = library.onEnable((code) => {
      if (code === captureState) queueMicrotask(onCaptureState);
    });
    const code = advapi32.EventRegister(
      guidBytes(providerId),
      callback,
      null,
      out,
    );
    if (code !== 0) throw win32Error(code, "Cannot register for event tracing");
    this.#handle = out[0]!;
    // Without it a session still gets the events, each with the name in it.
    advapi32.EventSetInformation(
      this.#handle,
      setTraits,
      this.#traits,
      this.#traits.length,
    );
  }

  /**
   * Writes an event. Never throws: nobody may listen, and a session that is full
   * loses events.
   *
   * @param name Its name, for example `ShimLaunched`.
   * @param fields Its members, cut so that it fits.
   */
  write(
    name: string,
    fields: EventFields,
    level: keyof typeof eventLevels = "info",
  ): void {
    const { count, bytes } = encodeEvent(
      this.#traits,
      name,
      fitted(fields),
      addressOf,
    );
    this.#library.advapi32.EventWriteTransfer(
      this.#handle,
      eventDescriptor(eventLevels[level]),
      null,
      null,
      count,
      bytes,
    );
  }
}
