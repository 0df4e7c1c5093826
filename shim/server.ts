/**
 * The serving part of `serve`: logs, events, services, signals and the way out.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { DuplexListener } from "../base/duplex.ts";
import { messageOf } from "../base/errors.ts";
import { type Logger, type LogLevel, parseLogLevel } from "../base/log.ts";
import { logSpans, SpanTracer } from "../base/spans.ts";
import type { Platform } from "../hcs/ports.ts";
import { Operator } from "../ttrpc/api/operator.gen.ts";
import { Sandbox as SandboxService } from "../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../ttrpc/api/shimdiag.gen.ts";
import { TaskV2, TaskV3 } from "../ttrpc/api/task.gen.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import type { Arguments } from "./args.ts";
import { type Bootstrap, parseBootstrap } from "./bootstrap.ts";
import { captureState } from "./capture_state.ts";
import { groupOf } from "./grouping.ts";
import type { Machine } from "./host.ts";
import type { RuntimeParts } from "./load_runtime.ts";
import { countSpan, newShimMetrics, type ShimMetrics } from "./metrics.ts";
import { traceLaunch } from "./launch.ts";
import {
  openShimLog,
  pruneLogsLogged,
  type ShimLog,
  shimServes,
} from "./log/open.ts";
import { unpackOptions } from "./options.ts";
import { watchPanics } from "./panic.ts";
import { EventPublisher, type PublisherOptions } from "./publisher.ts";
import type { Runtime } from "./runtime.ts";
import { diagHandlers } from "./services/diag.ts";
import { operatorHandlers, type ShimIdentity } from "./services/operator.ts";
import { sandboxHandlers } from "./services/sandbox.ts";
import { taskHandlers } from "./services/task.ts";
import { Shim } from "./shim.ts";
import { spanExporter } from "./span_exporter.ts";
import { TaskEvents } from "./task_events.ts";
import { shimVersion } from "./version.ts";

/** The most specific level that somebody asked for. */
function levelOf(
  args: Arguments,
  bootstrap: Bootstrap,
  option: string | undefined,
): LogLevel {
  return parseLogLevel(Deno.env.get("LCOW_LOG_LEVEL") ?? "") ??
    (args.debug ? "debug" : undefined) ?? parseLogLevel(option ?? "") ??
    bootstrap.logLevel ?? "info";
}

/** Writes to `panic.log`, at once: the process may not last. */
function writeError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

/** Ends the shim at a signal that this system has. */
function onSignals(shim: Shim): void {
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    try {
      Deno.addSignalListener(name, () => void shim.end(name));
    } catch (error) {
      // Windows has no SIGTERM for listeners in every version.
      shim.log.debug("A signal cannot be listened to", {
        signal: name,
        error: messageOf(error),
      });
    }
  }
}

/** How {@linkcode openLog} opens the log. */
interface LogParts {
  readonly args: Arguments;
  readonly bundle: string;
  /** The sandbox, or the container that is one. */
  readonly key: string;
  readonly platform: Platform;
  readonly level: LogLevel;
  readonly scrub: boolean;
  /** Knows what a line is written for. */
  readonly tracer: SpanTracer;
  /** Counts the lines that are dropped. */
  readonly metrics: ShimMetrics;
}

/** Opens a log whose lines belong to the call that they are written in. */
async function openLog(parts: LogParts): Promise<ShimLog> {
  const { args: { namespace, id }, level, scrub, tracer, metrics } = parts;
  const sink = await parts.platform.logSink(namespace, id, parts.bundle);
  const counting = (line: string): void => {
    if (sink(line) === false) metrics.add("logLinesDropped", ["shim"]);
  };
  const shimLog = await openShimLog({
    platform: parts.platform,
    name: { namespace, id: parts.key },
    sink: counting,
    options: {
      ...{ level, scrub, current: () => tracer.fields() },
      fields: { namespace, shim: id },
    },
  });
  if (level === "debug" || level === "trace") {
    tracer.onEnd(logSpans(shimLog.log));
  }
  return shimLog;
}

/** Counts every span; keeps them for a collector where Deno has one. */
async function makeTracer(metrics: ShimMetrics): Promise<SpanTracer> {
  const tracer = new SpanTracer({ exporter: await spanExporter() });
  tracer.onEnd((span) => countSpan(metrics, span));
  return tracer;
}

/** Where events go: to the containerd that the environment or the input names. */
function publisherOf(
  { namespace }: Arguments,
  { ttrpcAddress }: Bootstrap,
  platform: Platform,
  parts: Omit<PublisherOptions, "namespace" | "connect">,
): EventPublisher {
  const address = Deno.env.get("TTRPC_ADDRESS") || ttrpcAddress;
  const connect = address === undefined
    ? undefined
    : (signal: AbortSignal) => platform.connect(address, signal);
  return new EventPublisher({ namespace, connect, ...parts });
}

/**
 * Ends the shim at a panic.
 *
 * @returns Tells the exit code, once the shim has ended.
 */
function onPanics(shim: Shim): () => number {
  let code = 0;
  const say = (text: string): void => {
    writeError(text);
    // `panic.log` goes with the bundle, this line stays.
    shim.log.error("panic", { stack: text });
  };
  watchPanics(globalThis, say, () => {
    code = 1;
    shim.end("panic");
  });
  return () => code;
}

/**
 * A server with every service of a shim; it lists and traces their calls.
 *
 * @param shim What is served.
 * @param identity What its Operator service says of it.
 * @returns The server, without connections; the caller's to close.
 */
export function serverOf(shim: Shim, identity: ShimIdentity): TtrpcServer {
  const { calls, log, clock } = shim;
  const server = new TtrpcServer({ log, clock });
  const tasks = calls.watch(taskHandlers(shim));
  server.register(TaskV2, tasks, ["Wait"]);
  server.register(TaskV3, tasks, ["Wait"]);
  const sandboxes = calls.watch(sandboxHandlers(shim));
  server.register(SandboxService, sandboxes, ["WaitSandbox"]);
  server.register(ShimDiag, calls.watch(diagHandlers(shim)));
  server.register(Operator, calls.watch(operatorHandlers(shim, identity)));
  return server;
}

/** What {@linkcode runServer} is given. */
export interface Serving {
  /** Arguments of `serve`. */
  readonly args: Arguments;
  /** Where it runs. */
  readonly machine: Machine;
  /** The endpoint; the server's from now on. */
  readonly listener: DuplexListener;
  /** Standard input of `start`. */
  readonly input: Promise<Uint8Array>;
  /** Tells `start` that clients are answered. */
  readonly ready: () => Promise<void>;
}

/**
 * Serves until the shim ends.
 *
 * @returns The exit code.
 */
export async function runServer(
  { args, machine, listener, input, ready }: Serving,
): Promise<number> {
  const { platform, timeouts } = machine;
  const clock = systemClock;
  const bundle = args.bundle === "" ? Deno.cwd() : args.bundle;
  const group = await groupOf(bundle, args.id);
  const bootstrap = parseBootstrap(await input, args);
  const options = unpackOptions(bootstrap.options);
  // A create reports what is wrong with them.
  const readable = await options.catch(() => undefined);
  const metrics = newShimMetrics();
  const tracer = await makeTracer(metrics);
  const shimLog = await openLog({
    ...{ args, bundle, key: group.key, platform, tracer, metrics },
    level: levelOf(args, bootstrap, readable?.logLevel),
    scrub: readable?.scrubLogs ?? true,
  });
  const { log, folder } = shimLog;
  const parts = { log, clock, timeouts, tracer, metrics };
  const publisher = publisherOf(args, bootstrap, platform, parts);
  const runtime = loadRuntimeLogged(machine, {
    namespace: args.namespace,
    ...parts,
  });
  let closing: Promise<void> | undefined;
  const shim = new Shim({
    runtime,
    options,
    events: new TaskEvents(publisher),
    closeEvents: () => publisher.close(),
    closeEndpoint: () => closing ??= listener.close(),
    ...parts,
  });
  const exitCode = onPanics(shim);
  onSignals(shim);
  await traceLaunch(platform, {
    args: Deno.args,
    log,
    onCaptureState: () => void captureState(shim, log),
  });
  const identity = { namespace: args.namespace, key: group.key };
  const server = serverOf(shim, identity);
  const served = server.serve(listener);
  // Compiling the controllers holds everything else up: nobody is to notice.
  await Promise.allSettled([runtime]);
  const about = { version: shimVersion, pid: Deno.pid, bundle };
  log.info(shimServes, about);
  await ready();
  await announce(platform, args, log);
  if (folder !== undefined) {
    void pruneLogsLogged(folder, { platform, log, clock, timeouts });
  }
  await shim.ended;
  // Who sees its connection closed shall find nothing left.
  await (closing ??= listener.close());
  await served;
  await platform.cleanUp(args.namespace, group.key);
  await server.shutdown(AbortSignal.timeout(timeouts.lastReplies));
  shimLog.close();
  return exitCode();
}

/** Tells others than our `start` that the shim answers; nobody may be there. */
async function announce(
  platform: Platform,
  { namespace, id }: Arguments,
  log: Logger,
): Promise<void> {
  try {
    await platform.announceReady(namespace, id);
  } catch (error) {
    log.warn("It cannot be announced that the shim is ready", {
      error: messageOf(error),
    });
  }
}

/** Loads the controllers; a failure is every create's answer. */
function loadRuntimeLogged(
  machine: Machine,
  parts: RuntimeParts,
): Promise<Runtime> {
  const load = async (): Promise<Runtime> => {
    const { loadRuntime } = await import("./load_runtime.ts");
    return await loadRuntime(machine, parts);
  };
  const runtime = load();
  runtime.catch((error) => {
    parts.log.error("The host cannot be used", { error: messageOf(error) });
  });
  return runtime;
}
