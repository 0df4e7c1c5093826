/**
 * The shims under test, as data: what each one is, and what it does not claim to
 * do.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { isJsonObject, parseJson } from "../../../base/json.ts";
import { type Daemon, isDaemon } from "./command.ts";

/** What shims may differ in without being wrong. */
export interface Abilities {
  /** Answers `start` in the form that the calling containerd reads (1.7: JSON 2, 2.0: JSON 3, 2.3: protobuf). */
  readonly answerForms: boolean;
  /** Refuses a bad specification or bad options already in `start`. */
  readonly readsBundleInStart: boolean;
  /** Has `-info` (containerd 2.0). */
  readonly info: boolean;
  /** Has version 3 of the Task service (containerd 2.0). */
  readonly taskV3: boolean;
  /** Has the Sandbox service (containerd 1.7). */
  readonly sandboxes: boolean;
  /** Can pause a container. */
  readonly pause: boolean;
  /** Tells when the kernel ended a process for want of memory. */
  readonly tellsOom: boolean;
  /** Runs init's parent on this machine: Create answers a process id. */
  readonly pidAtCreate: boolean;
  /** Delete of a running init waits for its end instead of refusing. */
  readonly deleteWaits: boolean;
  /** Exit status in the answer of the command `delete`. */
  readonly lostStatus: number;
  /** SIGTERM ends the shim with everything that it runs. */
  readonly endsAtSignal: boolean;
}

/** What every ability of a shim is called. */
export type Ability = keyof Abilities;

/** A shim under test. */
export interface Target {
  /** Head of its column. */
  readonly name: string;
  /** Its executable. */
  readonly path: string;
  /** Environment that it needs beside containerd's. */
  readonly env: Readonly<Record<string, string>>;
  /** The containerd that calls it when a case does not say otherwise. */
  readonly daemon: Daemon;
  /** What it can. */
  readonly has: Abilities;
  /** Cases in which it does something else, by name: what, and why that is no fault of the suite. */
  readonly differs: Readonly<Record<string, string>>;
}

const root = new URL("../../../", import.meta.url).pathname;

/** Our shim. */
export const ours: Target = {
  name: "containerd-shim-lcow-v2",
  path: `${root}bin/containerd-shim-lcow-v2`,
  env: {},
  daemon: "2.3",
  has: {
    answerForms: true,
    readsBundleInStart: true,
    info: true,
    taskV3: true,
    sandboxes: true,
    pause: false,
    tellsOom: false,
    pidAtCreate: false,
    deleteWaits: true,
    lostStatus: 255,
    endsAtSignal: true,
  },
  differs: {},
};

/** Debian's shim for runc, of containerd 1.6. */
export const control: Target = {
  name: "containerd-shim-runc-v2",
  path: "containerd-shim-runc-v2",
  env: {},
  daemon: "1.6",
  has: {
    answerForms: false,
    readsBundleInStart: false,
    info: false,
    taskV3: false,
    sandboxes: false,
    pause: true,
    tellsOom: true,
    pidAtCreate: true,
    deleteWaits: false,
    lostStatus: 137,
    endsAtSignal: false,
  },
  differs: {
    "start takes packed options of a type that is not the shim's":
      "it refuses a type that its libraries do not know",
    "delete of an id that no shim has answers a DeleteResponse":
      "it needs the file in which its Create noted the runtime",
    "calls are answered while nobody takes the events":
      "its calls are, but Shutdown waits for half a minute until it gives up on the events",
    "a second Create with the id of a container is AlreadyExists":
      "it is refused by runc, whose error has no class",
    "State of an exec names it, and tells its process id":
      "it has the exec id in the place of the container's",
    "a stream id that was used is InvalidArgument, the connection stays":
      "ttrpc of containerd 1.6 does not look at the order",
    "data for a stream that is not open is refused, the connection stays":
      "ttrpc of containerd 1.6 knows no data and ignores it",
    "a Wait whose time is over is DeadlineExceeded or Canceled":
      "its Wait has no end but that of the process",
  },
};

/** Why a case is not run with a shim that lacks an ability, or has it. */
export const missing: Readonly<
  Record<Ability, { readonly lacks: string; readonly has: string }>
> = {
  answerForms: {
    lacks: "it answers every containerd with a plain address",
    has: "it answers each containerd in its own form",
  },
  readsBundleInStart: {
    lacks: "its start reads neither options nor config.json",
    has: "its start reads options and config.json",
  },
  info: { lacks: "it has no -info", has: "it has -info" },
  taskV3: {
    lacks: "it has no version 3 of the Task service",
    has: "it has version 3 of the Task service",
  },
  sandboxes: {
    lacks: "it has no Sandbox service",
    has: "it has the Sandbox service",
  },
  pause: { lacks: "it cannot pause a container", has: "it can pause" },
  tellsOom: {
    lacks: "it hears of the ends of init and execs only",
    has: "it hears of every process of a container",
  },
  pidAtCreate: {
    lacks: "init has no process before it is started",
    has: "init has a process when it is created",
  },
  deleteWaits: {
    lacks: "a Delete does not wait for the end of init",
    has: "a Delete waits for the end of init",
  },
  lostStatus: { lacks: "", has: "" },
  endsAtSignal: {
    lacks: "a signal does not end what it runs",
    has: "a signal ends it with what it runs",
  },
};

/**
 * Reads the description of another shim: JSON with `name`, `env`, `daemon`,
 * `has` and `differs`, each of which may be absent. What it does not say is as with ours.
 *
 * @param path The executable.
 * @param text The description; absent for none.
 * @throws {ShimError} InvalidArgument when it is not that.
 */
export function describeTarget(path: string, text: string | undefined): Target {
  const json = text === undefined ? {} : parseJson(text, "the description");
  if (!isJsonObject(json)) {
    throw new ShimError("InvalidArgument", "A description is a JSON object");
  }
  const { name, env, daemon = ours.daemon, has, differs } = json;
  if (!isDaemon(daemon)) {
    throw new ShimError(
      "InvalidArgument",
      `There is no containerd ${JSON.stringify(daemon)} in this suite`,
    );
  }
  for (const ability of Object.keys(isJsonObject(has) ? has : {})) {
    if (!(ability in ours.has)) {
      throw new ShimError(
        "InvalidArgument",
        `There is no ability "${ability}"; there are ${
          Object.keys(ours.has).join(", ")
        }`,
      );
    }
  }
  return {
    name: typeof name === "string" ? name : path.split("/").at(-1) ?? path,
    path,
    env: { ...isJsonObject(env) ? env as Record<string, string> : {} },
    daemon,
    has: { ...ours.has, ...isJsonObject(has) ? has : {} },
    differs: {
      ...isJsonObject(differs) ? differs as Record<string, string> : {},
    },
  };
}
