/**
 * The serving part of `serve`: logs, events, services, signals and the way out.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { DuplexListener } from "../base/duplex.ts";
import { messageOf } from "../base/errors.ts";
import {
  jsonLogger,
  type Logger,
  type LogLevel,
  parseLogLevel,
} from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import type { Platform } from "../hcs/ports.ts";
import { Sandbox as SandboxService } from "../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../ttrpc/api/shimdiag.gen.ts";
import { TaskV2, TaskV3 } from "../ttrpc/api/task.gen.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import type { Arguments } from "./args.ts";
import { type Bootstrap, parseBootstrap } from "./bootstrap.ts";
import { groupOf } from "./grouping.ts";
import type { Machine } from "./host.ts";
import { unpackOptions } from "./options.ts";
import { watchPanics } from "./panic.ts";
import { EventPublisher } from "./publisher.ts";
import type { Runtime } from "./runtime.ts";
import { diagHandlers } from "./services/diag.ts";
import { sandboxHandlers } from "./services/sandbox.ts";
import { taskHandlers } from "./services/task.ts";
import { Shim } from "./shim.ts";
import { TaskEvents } from "./task_events.ts";

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

async function makeLogger(
  { namespace, id }: Arguments,
  bundle: string,
  platform: Platform,
  level: LogLevel,
  scrub: boolean,
): Promise<Logger> {
  const sink = await platform.logSink(namespace, id, bundle);
  return jsonLogger(sink, { level, scrub, fields: { namespace, shim: id } });
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
  const { platform } = machine;
  const clock = systemClock;
  const timeouts = defaultTimeouts;
  const bundle = args.bundle === "" ? Deno.cwd() : args.bundle;
  const group = await groupOf(bundle, args.id);
  const bootstrap = parseBootstrap(await input, args);
  const options = unpackOptions(bootstrap.options);
  // A create reports what is wrong with them.
  const readable = await options.catch(() => undefined);
  const log = await makeLogger(
    args,
    bundle,
    platform,
    levelOf(args, bootstrap, readable?.logLevel),
    readable?.scrubLogs ?? true,
  );
  const address = Deno.env.get("TTRPC_ADDRESS") || bootstrap.ttrpcAddress;
  const publisher = new EventPublisher({
    namespace: args.namespace,
    connect: address === undefined
      ? undefined
      : (signal) => platform.connect(address, signal),
    log,
    clock,
    timeouts,
  });
  const runtime = loadRuntimeLogged(machine, args.namespace, log);
  const shim = new Shim({
    runtime,
    options,
    events: new TaskEvents(publisher),
    closeEvents: () => publisher.close(),
    log,
    clock,
    timeouts,
  });
  let code = 0;
  watchPanics(globalThis, writeError, () => {
    code = 1;
    shim.end("panic");
  });
  onSignals(shim);
  const server = new TtrpcServer({ log, clock });
  const tasks = shim.calls.watch(taskHandlers(shim));
  server.register(TaskV2, tasks);
  server.register(TaskV3, tasks);
  server.register(SandboxService, shim.calls.watch(sandboxHandlers(shim)));
  server.register(ShimDiag, shim.calls.watch(diagHandlers(shim)));
  const served = server.serve(listener);
  // Compiling the controllers holds everything else up: nobody is to notice.
  await Promise.allSettled([runtime]);
  await ready();
  await announce(platform, args, log);
  await shim.ended;
  // Who sees its connection closed shall find nothing left.
  await listener.close();
  await served;
  await platform.cleanUp(args.namespace, group.key);
  await server.shutdown(AbortSignal.timeout(timeouts.lastReplies));
  return code;
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
  namespace: string,
  log: Logger,
): Promise<Runtime> {
  const load = async (): Promise<Runtime> => {
    const { loadRuntime } = await import("./load_runtime.ts");
    return await loadRuntime(
      machine,
      namespace,
      log,
      systemClock,
      defaultTimeouts,
    );
  };
  const runtime = load();
  runtime.catch((error) => {
    log.error("The host cannot be used", { error: messageOf(error) });
  });
  return runtime;
}
