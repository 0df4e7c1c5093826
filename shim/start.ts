/**
 * `start`: makes sure that a shim serves the task's group, and answers its
 * address. Nothing but that answer may reach standard output, and nothing at all
 * standard error: containerd reads both as one.
 *
 * This file and what it imports decide how long every `start` takes; the message
 * codecs are loaded while the child starts.
 *
 * @module
 */

import { abortable, type Clock, deadline } from "../base/clock.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { Timeouts } from "../base/timeouts.ts";
import type { DetachedProcess, Platform } from "../hcs/ports.ts";
import type { Arguments } from "./args.ts";
import { encodeAnswer } from "./answer.ts";
import {
  type Answer,
  chooseAnswer,
  forcedVersion,
  needsMajor,
} from "./dialect.ts";
import { groupOf } from "./grouping.ts";
import { isServed } from "./probe.ts";

/** What `start` needs of the world. */
export interface StartContext {
  /** Endpoints and processes. */
  readonly platform: Pick<
    Platform,
    "endpoint" | "connect" | "spawnDetached" | "cleanUp"
  >;
  /** The bundle directory, which is the working directory. */
  readonly bundle: string;
  /** Reads standard input to its end. */
  readonly readInput: () => Promise<Uint8Array>;
  /** A variable of the environment. */
  readonly env: (name: string) => string | undefined;
  /** Major version of the containerd at this path, or undefined. Never rejects. */
  readonly containerdMajor: (
    path: string,
    signal: AbortSignal,
  ) => Promise<number | undefined>;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Pick<
    Timeouts,
    "serveReady" | "containerdVersion" | "endpointDial" | "spanExport"
  >;
}

/**
 * Starts the shim of the task's group, or finds the one that runs.
 *
 * @returns The answer for standard output.
 * @throws {ShimError} What is wrong with the input, or why the shim did not start;
 * then no process is left behind.
 */
export async function start(
  args: Arguments,
  context: StartContext,
): Promise<Uint8Array> {
  const { platform, bundle } = context;
  const [input, group] = await Promise.all([
    context.readInput(),
    groupOf(bundle, args.id),
  ]);
  const address = await platform.endpoint(args.namespace, group.key);
  if (await isServed(address, context)) {
    const { answer, bytes } = await answerFor(args, input, address, context);
    if (answer.writesAddress) await writeAddress(bundle, address);
    return bytes;
  }
  const child = await platform.spawnDetached(
    serveArguments(args, address, bundle),
    { cwd: bundle, stdin: input, env: serveEnvironment(context) },
  );
  // Looked at below, but maybe only after other awaits.
  child.ready.catch(() => {});
  try {
    const { answer, bytes } = await answerFor(args, input, address, context);
    await ready(child, address, context);
    if (answer.writesAddress) await writeAddress(bundle, address);
    child.release();
    return bytes;
  } catch (error) {
    await abandon(child, args.namespace, group.key, address, context);
    throw error;
  }
}

/** Kills the child of a failed start and removes what it made until then. */
async function abandon(
  child: DetachedProcess,
  namespace: string,
  key: string,
  address: string,
  context: StartContext,
): Promise<void> {
  await child.kill();
  try {
    if (!await isServed(address, context)) {
      await context.platform.cleanUp(namespace, key);
    }
  } catch {
    // The first error is what containerd must hear; the next start cleans up.
  }
}

function serveArguments(
  { namespace, id, address, publishBinary, debug }: Arguments,
  socket: string,
  bundle: string,
): string[] {
  return [
    ...["-namespace", namespace, "-id", id, "-address", address],
    ...["-publish-binary", publishBinary, "-bundle", bundle],
    ...["-socket", socket],
    ...(debug ? ["-debug"] : []),
    "serve",
  ];
}

/**
 * What the child's runtime needs to know before it runs anything: how long a
 * collector may take to answer (OpenTelemetry's default: 10 s).
 */
function serveEnvironment(
  { env, timeouts }: StartContext,
): Record<string, string> {
  const bound = "OTEL_EXPORTER_OTLP_TIMEOUT";
  return { [bound]: env(bound) || String(timeouts.spanExport) };
}

/** Decides the form of the answer, in parallel to the start of the child. */
async function answerFor(
  args: Arguments,
  input: Uint8Array,
  address: string,
  { env, containerdMajor, clock, timeouts }: StartContext,
): Promise<{ answer: Answer; bytes: Uint8Array }> {
  const params = await isParams(args, input);
  const forced = forcedVersion(env("LCOW_BOOTSTRAP_VERSION"));
  const maxShimVersion = env("MAX_SHIM_VERSION") !== undefined;
  const major = needsMajor({ params, maxShimVersion }, forced)
    ? await bounded(
      clock,
      timeouts.containerdVersion,
      (signal) => containerdMajor(args.publishBinary, signal),
    )
    : undefined;
  const answer = chooseAnswer({ params, maxShimVersion, major }, forced);
  return { answer, bytes: await encodeAnswer(answer, address) };
}

/** True for bootstrap parameters. The codecs are loaded only when there is input. */
async function isParams(args: Arguments, input: Uint8Array): Promise<boolean> {
  if (input.length === 0) return false;
  const { parseBootstrap } = await import("./bootstrap.ts");
  return parseBootstrap(input, args).form === "params";
}

/** The result within a time, else undefined; the work hears of the end by its signal. */
async function bounded<T>(
  clock: Clock,
  ms: number,
  task: (signal: AbortSignal) => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await deadline(clock, ms, "containerd --version", task);
  } catch {
    // Late evidence is no evidence.
    return undefined;
  }
}

/**
 * Waits for the child, but not longer than it may take and not beyond its end. A
 * child that ended because another `start` of the group was faster is a success.
 */
async function ready(
  child: DetachedProcess,
  address: string,
  context: StartContext,
): Promise<void> {
  const { clock, timeouts } = context;
  try {
    await deadline(
      clock,
      timeouts.serveReady,
      "the start of the shim",
      (signal) => abortable(child.ready, signal),
    );
  } catch (cause) {
    const died = cause instanceof ShimError;
    if (died && await isServed(address, context)) return;
    throw new ShimError(
      died ? "Unavailable" : "DeadlineExceeded",
      `Cannot start the shim at ${address}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function writeAddress(bundle: string, address: string): Promise<void> {
  try {
    await Deno.writeTextFile(`${bundle}/address`, address);
  } catch (cause) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot write ${bundle}/address, which containerd reads on its restart: ` +
        messageOf(cause),
      { cause },
    );
  }
}
