/**
 * A model of "reserve, map, unmap" for any device controller, and random
 * interleavings of its users against host and guest that answer when, and as,
 * the test says.
 *
 * @module
 */

import fc from "fast-check";
import { classify } from "../../base/errors.ts";
import type { DevicePeers } from "../device/peers.ts";
import {
  type Answer,
  type ModelSubject,
  parkDevices,
  type ParkedDevices,
  settle,
} from "./parked_devices.ts";

/** What a user does or has done. */
type Phase =
  | "reserving"
  | "reserved"
  | "mapping"
  | "mapped"
  | "failed"
  | "unmapping"
  | "ended";

interface User {
  readonly thing: number;
  id: string;
  phase: Phase;
  place: string;
}

/** The model: who holds what, and on which things something failed. */
interface Model {
  readonly users: User[];
  /** True once a call failed; only then may a map or a reserve be refused. */
  isSpoiled: boolean;
}

/** What must hold between any two commands. */
function check({ users }: Model, { world, subject }: ParkedDevices): void {
  if (world.objections.length > 0) {
    throw new TypeError(world.objections.join("; "));
  }
  for (const { phase, place } of users) {
    if (phase !== "mapped" || world.places.has(place)) continue;
    throw new TypeError(`${place} was taken from a user`);
  }
  const holding = users.filter(({ phase }) =>
    phase !== "ended" && phase !== "reserving"
  );
  const { reservations } = subject.held();
  if (reservations !== holding.length) {
    throw new TypeError(
      `${reservations} reservations for ${holding.length} users`,
    );
  }
}

function reserve(
  model: Model,
  { subject }: ParkedDevices,
  thing: number,
  isOtherWay: boolean,
): void {
  const others = model.users.filter((user) =>
    user.phase !== "ended" &&
    (user.thing === thing || subject.isPartOf?.(user.thing, thing))
  );
  const user: User = { thing, id: "", phase: "reserving", place: "" };
  model.users.push(user);
  subject.reserve(thing, isOtherWay).then((id) => {
    user.id = id;
    user.phase = "reserved";
  }, (error) => {
    user.phase = "ended";
    const isConflict = classify(error) === "AlreadyExists";
    if (others.length > 0 && (isConflict || model.isSpoiled)) return;
    user.phase = "reserving"; // makes the check of the end fail
  });
}

function map(model: Model, { subject }: ParkedDevices, user: User): void {
  user.phase = "mapping";
  subject.map(user.id).then((place) => {
    user.place = place;
    user.phase = "mapped";
  }, () => {
    user.phase = model.isSpoiled ? "failed" : "mapping";
  });
}

function unmap(_: Model, { subject }: ParkedDevices, user: User): void {
  user.phase = "unmapping";
  subject.unmap(user.id).then(
    () => user.phase = "ended",
    () => user.phase = "failed",
  );
}

/** A command that always checks what must hold. */
function command(
  name: string,
  isPossible: (model: Readonly<Model>) => boolean,
  run: (model: Model, real: ParkedDevices) => void,
): fc.AsyncCommand<Model, ParkedDevices> {
  return {
    toString: () => name,
    check: isPossible,
    run: async (model, real) => {
      run(model, real);
      await settle(model.users.length);
      check(model, real);
    },
  };
}

/** The n-th of the users who wait for nothing. */
function idle({ users }: Readonly<Model>, n: number): User | undefined {
  const fit = users.filter(({ phase }) =>
    ["reserved", "mapped", "failed"].includes(phase)
  );
  return fit[n % fit.length];
}

/** A command of the n-th idle user. */
function ofIdle(
  name: string,
  n: number,
  act: (model: Model, real: ParkedDevices, user: User) => void,
): fc.AsyncCommand<Model, ParkedDevices> {
  return command(
    name,
    (model) => idle(model, n) !== undefined,
    (model, real) => act(model, real, idle(model, n)!),
  );
}

const small = fc.nat({ max: 7 });

const commands = [
  fc.tuple(fc.constantFrom(0, 0, 0, 1, 2), fc.boolean(), fc.boolean()).map((
    [n, a, b],
  ) =>
    command(
      `reserve ${n}${a && b ? " otherwise" : ""}`,
      () => true,
      (m, r) => reserve(m, r, n, a && b),
    )
  ),
  small.map((n) => ofIdle(`map ${n}`, n, map)),
  small.map((n) => ofIdle(`unmap ${n}`, n, unmap)),
  fc.tuple(small, fc.constantFrom<Answer>("ok", "ok", "fail", "gone"))
    .map(([n, answer]) =>
      command(`answer ${n} ${answer}`, () => true, (model, { parked }) => {
        const [call] = parked.splice(n % Math.max(1, parked.length), 1);
        if (call === undefined) return;
        if (answer !== "ok") model.isSpoiled = true;
        call(answer);
      })
    ),
];

/** Answers everything, has everybody give back, and starts once more. */
async function finish(model: Model, real: ParkedDevices): Promise<void> {
  const { world, subject, parked } = real;
  for (let round = 0; round < 200; round++) {
    for (const call of parked.splice(0)) call("ok");
    const user = idle(model, 0);
    if (user !== undefined) unmap(model, real, user);
    await settle(model.users.length);
    check(model, real);
  }
  const left = model.users.filter(({ phase }) => phase !== "ended");
  if (left.length > 0) {
    throw new TypeError(`users never end: ${JSON.stringify(left)}`);
  }
  const { things, reservations } = subject.held();
  if (things + reservations > 0 || !world.isEmpty) {
    throw new TypeError(
      `left behind: ${[...world.attached.keys(), ...world.places.keys()]}`,
    );
  }
}

/**
 * Runs random interleavings: users reserve, map and unmap, and a call to host or
 * guest is answered when a command says so, with a success, a failure, or "gone".
 * After every command nothing may be taken from a user who has it mapped; in the
 * end nothing may be left, and everything can be had again.
 *
 * @param make Makes the controller.
 * @param numRuns How many interleavings.
 */
export async function checkInterleavings(
  make: (peers: DevicePeers) => ModelSubject,
  numRuns = 250,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.commands(commands, { maxCommands: 100, size: "max" }),
      async (run) => {
        const model: Model = { users: [], isSpoiled: false };
        const it = parkDevices(make);
        await fc.asyncModelRun(() => ({ model, real: it }), run);
        await finish(model, it);
        const again: Model = { users: [], isSpoiled: false };
        for (const thing of [0, 1, 2]) reserve(again, it, thing, true);
        await settle(again.users.length);
        for (const user of again.users) map(again, it, user);
        await finish(again, it);
      },
    ),
    { numRuns },
  );
}
