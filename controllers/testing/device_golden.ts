/**
 * Plays recorded sequences of "reserve, map, unmap" against a device controller,
 * for tests.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { messageOf, ShimError } from "../../base/errors.ts";
import {
  formatJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import type { DevicePeers } from "../device/peers.ts";
import type { Side } from "./device_world.ts";
import { type GoldenCase, quotedValues } from "./golden.ts";

/** A controller under test. */
export interface Sequenced {
  /** Reserves what a recorded step names. */
  reserve(step: JsonObject): Promise<string>;
  /** Maps a reservation. @returns Where the guest has it. */
  map(id: string): Promise<string>;
  /** Gives it back. */
  unmap(id: string): Promise<void>;
}

/** What one step gave. */
export interface StepResult {
  /** The requests to both sides. */
  readonly calls: readonly Json[];
  /** What `map` gave. */
  readonly mapped?: string;
  /** What went wrong. */
  readonly error?: string;
}

/** An object, or an empty one. */
export function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** A list, or an empty one. */
export function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** As it is on the wire: numbers that fit are numbers. */
export function plain(value: unknown): Json {
  return parseJson(formatJson(value));
}

/**
 * Plays the steps of a case.
 *
 * @param entry The case; its `failures` name calls that fail, as `vm#1`.
 * @param make Makes the controller.
 */
export async function playSteps(
  { input }: GoldenCase,
  make: (peers: DevicePeers) => Sequenced,
): Promise<StepResult[]> {
  const failures = list(input.failures);
  const counts = { vm: 0, guest: 0 };
  let calls: Json[] = [];
  const peer = (to: Side) => ({
    modify: (request: unknown): Promise<void> => {
      const fails = failures.includes(`${to}#${++counts[to]}`);
      calls.push({
        to,
        request: plain(request),
        ...(fails ? { fails: "injected failure" } : {}),
      });
      return fails
        ? Promise.reject(new ShimError("Unknown", "injected failure"))
        : Promise.resolve();
    },
  });
  const controller = make({ vm: peer("vm"), guest: peer("guest") });
  const ids = new Map<string, string>();
  const results: StepResult[] = [];
  for (const step of list(input.steps).map(object)) {
    calls = [];
    const id = ids.get(String(step.ref)) ?? "";
    let outcome: { mapped?: string; error?: string } = {};
    try {
      if (step.op === "reserve") {
        ids.set(String(step.as), await controller.reserve(step));
      } else if (step.op === "map") {
        outcome = { mapped: await controller.map(id) };
      } else await controller.unmap(id);
    } catch (error) {
      outcome = { error: messageOf(error) };
    }
    results.push({ ...outcome, calls });
  }
  return results;
}

/**
 * Compares results with the recorded ones: requests, paths, whether a step
 * failed, and the values that an error quotes.
 */
export function assertAgrees(
  { name, output }: GoldenCase,
  ours: readonly StepResult[],
): void {
  const steps = list(output.steps).map(object);
  assertEquals(ours.length, steps.length, name);
  for (const [index, theirs] of steps.entries()) {
    const where = `${name}, step ${index}`;
    const { calls, mapped, error } = ours[index]!;
    assertEquals(calls, list(theirs.calls), where);
    if (theirs.guestPath !== undefined) {
      assertEquals(mapped, theirs.guestPath, where);
    }
    assertEquals(error === undefined, theirs.error === undefined, where);
    for (const value of quotedValues(String(theirs.error ?? ""))) {
      assertEquals(error?.includes(value), true, where);
    }
  }
}
