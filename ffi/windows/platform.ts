/**
 * The operating system Windows. Every `start` loads this file, so it loads the
 * rest when it is asked for.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type { Semaphore } from "../../base/queue.ts";
import { defaultTimeouts, type Timeouts } from "../../base/timeouts.ts";
import type { Platform } from "../../hcs/ports.ts";
import type { EventProvider } from "./system/event_provider.ts";
import type { DllOpener } from "./library/dll.ts";
import { blockingSlots } from "./library/native_calls.ts";
import { dialPipe, protectedPrefix } from "./io/pipe.ts";
import { PipeListener } from "./io/pipe_listener.ts";
import { systemIoLibraries, WindowsIo } from "./io/windows_io.ts";
import { windowsBuild } from "./system/version.ts";

/** What the platform and the compute service share: one of each per process. */
export interface WindowsParts {
  /** Completion port, buffers and DLLs. */
  readonly io: WindowsIo;
  /** Slots for all calls that block a thread. */
  readonly slots: Semaphore;
  /** Finds DLLs. */
  readonly opener?: DllOpener | undefined;
  /** Source of time. */
  readonly clock: Clock;
  /** Bounds. */
  readonly timeouts: Timeouts;
  /** Takes what cannot be told to a caller. */
  readonly log: Logger;
}

/** Makes the parts of this process. */
export function windowsParts(
  options: Partial<Omit<WindowsParts, "io" | "slots">> = {},
): WindowsParts {
  const { opener } = options;
  return {
    io: new WindowsIo(systemIoLibraries(opener)),
    slots: blockingSlots(navigator.hardwareConcurrency),
    clock: systemClock,
    timeouts: defaultTimeouts,
    log: silentLogger,
    ...options,
  };
}

/** Architectures in OCI's words. */
const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
};

/** What the endpoints of shims begin and end with, as containerd names them. */
const endpointPrefix = `${protectedPrefix}containerd-shim-`;
const endpointSuffix = "-pipe";

/**
 * The pipe on which a shim is served. Only administrators may make pipes there, so
 * nobody else can be in the way.
 *
 * @param namespace containerd's namespace.
 * @param key The sandbox, or the container that is one.
 */
export function endpointPipe(namespace: string, key: string): string {
  return `${endpointPrefix}${namespace}-${key}${endpointSuffix}`;
}

/** Names of pipes differ in more than case. */
function isEndpoint(pipe: string): boolean {
  const name = pipe.toLowerCase();
  return name.startsWith(endpointPrefix.toLowerCase()) &&
    name.endsWith(endpointSuffix);
}

/** The operating system of this machine. */
export function windowsPlatform(parts: WindowsParts): Platform {
  const { io, slots, clock, timeouts, log, opener } = parts;
  const { libraries } = io;
  let capture = (): void => {};
  let provider: Promise<EventProvider> | undefined;
  const events = (): Promise<EventProvider> =>
    provider ??= import("./system/event_provider.ts").then((module) =>
      new module.EventProvider(
        module.systemEventLibrary(libraries),
        () => capture(),
      )
    );
  return {
    os: "windows",
    arch: architectures[Deno.build.arch] ?? Deno.build.arch,
    get build() {
      return windowsBuild(libraries.ntdll);
    },
    cpus: navigator.hardwareConcurrency,
    endpoint: (namespace, key) => Promise.resolve(endpointPipe(namespace, key)),
    endpoints: async () => {
      const { pipeNames } = await import("./io/pipe_names.ts");
      return pipeNames(libraries.kernel32).filter(isEndpoint);
    },
    // deno-lint-ignore require-await -- a taken pipe is a rejection, not a throw
    listen: async (address) => PipeListener.open(io, address, { log }),
    connect: async (address, signal) => {
      const busyLimit = timeouts.pipeBusy;
      try {
        return await dialPipe(io, address, { clock, busyLimit, signal });
      } catch (cause) {
        if (classify(cause) !== "NotFound") throw cause;
        throw new ShimError("Unavailable", messageOf(cause), { cause });
      }
    },
    stdio: async (url, name, options) => {
      const { openStdio } = await import("./io/stdio.ts");
      return await openStdio(parts, url, name, options);
    },
    serveStdio: async (terminal) => {
      const { serveStdio } = await import("../../hcs/served_stdio.ts");
      const id = crypto.randomUUID(); // nobody can guess it
      return await serveStdio({
        terminal,
        addressOf: (stream) => `${protectedPrefix}lcow-stdio-${id}-${stream}`,
        // deno-lint-ignore require-await -- what it throws is a rejection
        listen: async (address) => PipeListener.open(io, address, { log }),
        release: () => Promise.resolve(),
      });
    },
    startLogger: async (url, process) => {
      const { startLogger } = await import("./system/logging_program.ts");
      return await startLogger(parts, url, process);
    },
    logSink: async (namespace, id) => {
      const { LogPipe, logPipeName } = await import("./io/log_pipe.ts");
      const traced = await events().catch(() => undefined);
      const trace = (line: string): void => traced?.write("Log", { line });
      try {
        const { sink } = LogPipe.open(io, logPipeName(namespace, id));
        return (line) => {
          trace(line);
          return sink(line);
        };
      } catch (error) {
        // Anybody can make a pipe of this name. A shim without it still serves.
        if (classify(error) === "AlreadyExists") return trace;
        throw error;
      }
    },
    logFolder: async (use) => {
      const folder = await import("./system/private_folder.ts");
      const programData = Deno.env.get("ProgramData");
      return use === "write"
        ? folder.openLogFolder(libraries, programData)
        : folder.findLogFolder(libraries, programData);
    },
    spawnDetached: async (args, options) => {
      const [{ spawnProcess }, { ownCommand, ownProgram }] = await Promise.all([
        import("./system/detached_process.ts"),
        import("./system/own_command.ts"),
      ]);
      const command = ownCommand(ownProgram(), args);
      return spawnProcess({ io, slots }, command, options);
    },
    layers: async (source) => {
      const [{ windowsLayers }, { VirtualDisks }, { systemVirtDisk }] =
        await Promise.all([
          import("./storage/layers.ts"),
          import("./storage/virtual_disks.ts"),
          import("./storage/virtdisk_library.ts"),
        ]);
      const disks = new VirtualDisks(systemVirtDisk(opener), parts);
      return await windowsLayers(
        source,
        (path, bytes) => disks.create(path, bytes),
      );
    },
    // A pipe and, by its last handle, a VM end with their process.
    cleanUp: () => Promise.resolve(),
    // As above: nothing is left.
    leftovers: () => Promise.resolve([]),
    announceReady: async (namespace, id) => {
      const { NamedEvent } = await import("./system/named_event.ts");
      using event = NamedEvent.open(libraries.kernel32, `${namespace}-${id}`);
      event?.set();
    },
    systemEvents: (onCaptureState) => {
      if (onCaptureState !== undefined) capture = onCaptureState;
      return events();
    },
    vmMemory: async (runtimeId) => {
      const { findVmMemory } = await import("./system/vm_memory.ts");
      return findVmMemory(libraries, runtimeId);
    },
    async *diagnose() {
      const { diagnose } = await import("./doctor/diagnose.ts");
      yield* diagnose(parts);
    },
  };
}
