/**
 * Named events of the pretended Windows.
 *
 * @module
 */

import type { Kernel32Symbols } from "../../windows/library/kernel32.ts";
import { readParameter } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import type { KernelObject } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";

/** `ERROR_FILE_NOT_FOUND`. */
const fileNotFound = 2;

/** `WAIT_OBJECT_0`, `WAIT_TIMEOUT` and `WAIT_FAILED`. */
const signalled = 0;
const notSignalled = 258;
const waitFailed = 0xffff_ffff;

/** What all handles of one event share. */
interface EventState {
  readonly name: string;
  readonly manualReset: boolean;
  isSet: boolean;
  references: number;
}

/** A handle of an event. */
class FakeEvent implements KernelObject {
  readonly kind = "event";
  readonly state: EventState;
  readonly #events: Map<string, EventState>;

  constructor(state: EventState, events: Map<string, EventState>) {
    this.state = state;
    this.#events = events;
    state.references++;
  }

  close(): void {
    if (--this.state.references === 0) this.#events.delete(this.state.name);
  }
}

/** The symbols of events. */
export function eventSymbols(
  { calls, handles }: FakeKernel,
): Pick<
  Kernel32Symbols,
  "CreateEventW" | "OpenEventW" | "SetEvent" | "WaitForSingleObject"
> {
  const events = new Map<string, EventState>();
  const add = (state: EventState): bigint =>
    handles.add(new FakeEvent(state, events));
  return {
    CreateEventW: (_attributes, manualReset, isSet, text) =>
      calls.run("CreateEventW", 0n, () => {
        // Names of kernel objects, unlike those of files, are told apart by case.
        const name = readParameter(text);
        const state = events.get(name) ?? {
          name,
          manualReset: manualReset !== 0,
          isSet: isSet !== 0,
          references: 0,
        };
        events.set(name, state);
        return add(state);
      }),
    OpenEventW: (_access, _inherit, text) =>
      calls.run("OpenEventW", 0n, () => {
        const state = events.get(readParameter(text));
        if (state === undefined) throw new CallFailure(fileNotFound);
        return add(state);
      }),
    SetEvent: (handle) =>
      calls.run("SetEvent", 0, () => {
        handles.find("SetEvent", handle, FakeEvent).state.isSet = true;
        return 1;
      }),
    WaitForSingleObject: (handle, _time) =>
      calls.run("WaitForSingleObject", waitFailed, () => {
        const { state } = handles.find(
          "WaitForSingleObject",
          handle,
          FakeEvent,
        );
        if (!state.isSet) return notSignalled;
        state.isSet = state.manualReset;
        return signalled;
      }),
  };
}
