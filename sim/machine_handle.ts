/**
 * Handles of compute systems: on a machine of this process, and on one of another
 * process.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { ComputeSystem, ExitInfo } from "../hcs/ports.ts";
import { ControlGroup } from "./control_group.ts";
import { refusal } from "./hresults.ts";
import type { Machine } from "./machine.ts";
import type { RemotePresence } from "./presence.ts";
import { killProcess } from "./process_identity.ts";
import { machineProperties } from "./properties.ts";
import { readRecord, type SystemRecord } from "./system_record.ts";

/** Counts the handles of one machine; the last one ends it. */
export class HandleCount {
  readonly #machine: Machine;
  #handles = 0;

  /** @param machine Gets its handles here only. */
  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A further handle. */
  open(): ComputeSystem {
    this.#handles++;
    return new MachineHandle(this.#machine, async () => {
      if (--this.#handles > 0) return;
      this.#machine.terminate();
      await this.#machine.exited;
    });
  }
}

/** A handle on a machine of this process. */
class MachineHandle implements ComputeSystem {
  readonly id: string;
  readonly runtimeId: string;
  readonly exited: Promise<ExitInfo>;
  readonly #machine: Machine;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(machine: Machine, release: () => Promise<void>) {
    this.id = machine.record.id;
    this.runtimeId = machine.record.runtimeId;
    this.exited = machine.exited;
    this.#machine = machine;
    this.#release = release;
  }

  #open(): Machine {
    if (this.#closing === undefined) return this.#machine;
    throw refusal("closedHandle", `The handle of "${this.id}" is closed`);
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#open().start(signal);
  }

  async modify(request: Json): Promise<void> {
    await this.#open().modify(request);
  }

  async properties(query: Json): Promise<Json> {
    return await this.#open().properties(query);
  }

  // deno-lint-ignore require-await -- a closed handle is a rejection, not a throw
  async terminate(): Promise<void> {
    this.#open().terminate();
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }
}

/** A handle on a machine of another process: it can be seen and ended. */
export class RemoteHandle implements ComputeSystem {
  readonly id: string;
  readonly runtimeId: string;
  readonly exited: Promise<ExitInfo>;
  readonly #folder: string;
  readonly #presence: RemotePresence;
  readonly #clock: Clock;
  #isClosed = false;

  /** @param presence Taken over. */
  constructor(
    record: SystemRecord,
    folder: string,
    presence: RemotePresence,
    clock: Clock,
  ) {
    this.id = record.id;
    this.runtimeId = record.runtimeId;
    this.exited = presence.ended;
    this.#folder = folder;
    this.#presence = presence;
    this.#clock = clock;
  }

  /** Its record now, or undefined when it has ended. */
  async #record(): Promise<SystemRecord | undefined> {
    if (this.#isClosed) {
      throw refusal("closedHandle", `The handle of "${this.id}" is closed`);
    }
    const record = await readRecord(this.#folder);
    return record?.runtimeId === this.runtimeId ? record : undefined;
  }

  #refuse(action: string): Promise<never> {
    return Promise.reject(refusal(
      "notSupported",
      `Cannot ${action} "${this.id}": only the process that created a simulated machine can`,
    ));
  }

  start(): Promise<void> {
    return this.#refuse("start");
  }

  modify(): Promise<void> {
    return this.#refuse("modify");
  }

  async properties(query: Json): Promise<Json> {
    const record = await this.#record();
    if (record === undefined) {
      throw refusal("systemStopped", `Cannot query "${this.id}": it ended`);
    }
    const { layout, name } = record.cgroup;
    return await machineProperties(query, {
      record,
      now: this.#clock.now(),
      usage: () => new ControlGroup(layout, name).usage(),
    });
  }

  async terminate(): Promise<void> {
    const record = await this.#record();
    if (record === undefined) return;
    await this.#presence.terminate();
    // In case its owner hangs, who takes either for a termination.
    if (record.vm !== undefined) await killProcess(record.vm);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#presence.close();
    return Promise.resolve();
  }
}
