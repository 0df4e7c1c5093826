/**
 * What all parts of the pretended Windows share.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { FakeCalls } from "./calls.ts";
import { FakeHandles } from "./handles.ts";
import { FakeMemory } from "./memory.ts";
import { FakeOperations } from "./operations.ts";
import type { FakePort } from "./port.ts";

/** Accounts of calls, memory, handles and operations. */
export class FakeKernel {
  /** What the real Windows would punish, for example a second close. */
  readonly misuse: string[] = [];
  /** Calls and their failures. */
  readonly calls: FakeCalls = new FakeCalls();
  /** Native memory. */
  readonly memory: FakeMemory = new FakeMemory(this.misuse);
  /** Open handles. */
  readonly handles: FakeHandles = new FakeHandles(this.misuse);
  /** Operations under way. */
  readonly operations: FakeOperations = new FakeOperations(
    this.calls,
    this.memory,
    this.misuse,
  );

  /** Completion ports that were made, in order. */
  readonly ports: FakePort[] = [];

  /** What was taken and not given back, and what the real Windows would punish. */
  leftovers(): string[] {
    const { size } = this.operations;
    const operations = size === 0 ? [] : [`${size} operations under way`];
    return [
      ...operations,
      ...this.handles.leftovers(),
      ...this.memory.leftovers(),
      ...this.misuse,
    ];
  }
}

/**
 * Functions for the symbols of a DLL that a fake does not have: they throw, so
 * that nobody believes what they answer.
 */
export function unfaked(
  symbols: Deno.ForeignLibraryInterface,
): Record<string, () => never> {
  const refuse = (name: string) => (): never => {
    throw new ShimError("NotImplemented", `${name} is not faked`);
  };
  const names = Object.keys(symbols);
  return Object.fromEntries(names.map((name) => [name, refuse(name)]));
}
