/**
 * Starting processes: the init of a container, further ones in it, and those of
 * the VM itself (`spec/guest-protocol.md` 5.6, `spec/guest-runtime.md` 9.1).
 *
 * @module
 */

import type { Duplex } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { limits } from "../base/timeouts.ts";
import type {
  ProcessParameters,
  StdioRelaySettings,
} from "../bridge/messages.gen.ts";
import { terminalDuplex } from "../ffi/linux/fd_stream.ts";
import { Process } from "../oci/spec.gen.ts";
import type { Container } from "./container.ts";
import type { GuestPorts } from "./ports.ts";
import { askForExec } from "./policy/container.ts";
import { dialNobody } from "./process/null_stream.ts";
import {
  ProcessPipes,
  type ProcessStreams,
  streamNames,
  type StreamSet,
} from "./process/pipes.ts";
import { GuestProcess } from "./process/process.ts";
import { ReconnectingOutput } from "./process/reconnecting_output.ts";
import { Relay } from "./process/relay.ts";
import { openLogFile, OutputLog, TeeOutput } from "./process/tee_output.ts";
import { makeWorkingFolder } from "./spec/working_folder.ts";
import { resolveUser } from "./spec/users.ts";

/** The streams that a request asks for. */
export function requestedStreams(parameters: ProcessParameters): StreamSet {
  return {
    stdin: parameters.CreateStdInPipe ?? false,
    stdout: parameters.CreateStdOutPipe ?? false,
    stderr: parameters.CreateStdErrPipe ?? false,
  };
}

/** Closes streams; their failures matter to nobody any more. */
async function closeAll(
  streams: ProcessStreams,
  ports: Pick<GuestPorts, "log">,
): Promise<void> {
  for (const stream of Object.values(streams)) {
    try {
      await stream.close();
    } catch (error) {
      ports.log.debug("Cannot close stream", { error: messageOf(error) });
    }
  }
}

/**
 * Reaches the host's ports, one after another, before the process starts.
 *
 * @throws {ShimError} When one cannot be reached; none stays open.
 */
export async function dialStreams(
  ports: Pick<GuestPorts, "dial" | "log">,
  wanted: StreamSet,
  settings: StdioRelaySettings = {},
): Promise<ProcessStreams> {
  const numbers = {
    stdin: settings.StdIn ?? 0,
    stdout: settings.StdOut ?? 0,
    stderr: settings.StdErr ?? 0,
  };
  const streams: ProcessStreams = {};
  for (const name of streamNames) {
    if (!wanted[name]) continue;
    try {
      streams[name] = await ports.dial(numbers[name]);
    } catch (cause) {
      await closeAll(streams, ports);
      throw new ShimError(
        "Unavailable",
        `Cannot connect ${name} to port ${numbers[name]}: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
  return streams;
}

/** How a process reaches the host: not at all when the policy denies it. */
export function reach(
  ports: GuestPorts,
  allowStdio: boolean,
): Pick<GuestPorts, "dial" | "log"> {
  return { log: ports.log, dial: allowStdio ? ports.dial : dialNobody };
}

/** The output of an init, which goes on over a new connection when one is lost. */
function reconnecting(
  ports: Pick<GuestPorts, "dial" | "clock" | "timeouts" | "log">,
  container: Container,
  host: ProcessStreams,
  settings: StdioRelaySettings = {},
): ProcessStreams {
  const { clock, timeouts } = ports;
  const log = ports.log.child({ cid: container.id });
  const numbers = {
    stdout: settings.StdOut ?? 0,
    stderr: settings.StdErr ?? 0,
  };
  const streams = { ...host };
  for (const name of ["stdout", "stderr"] as const) {
    const stream = host[name];
    if (stream === undefined) continue;
    streams[name] = new ReconnectingOutput(stream, {
      dial: () => ports.dial(numbers[name]),
      clock,
      pause: timeouts.guestRedial,
      stop: container.stopDialling.signal,
      log: log.child({ stream: name }),
    });
  }
  return streams;
}

/** Opens the log of an init's output, if it has one. */
async function openTeeLog(
  { id, teeLogPath }: Container,
  ports: Pick<GuestPorts, "log">,
): Promise<OutputLog | undefined> {
  if (teeLogPath === "") return undefined;
  const file = await openLogFile(teeLogPath);
  return new OutputLog(file, ports.log.child({ cid: id }));
}

/** Streams of the host, of which the outputs are kept in a log as well. */
function teed(
  host: ProcessStreams,
  kept: OutputLog,
  log: GuestPorts["log"],
): ProcessStreams {
  const stdout = new TeeOutput(host.stdout, kept, log);
  const stderr = new TeeOutput(host.stderr, kept, log);
  return { ...host, stdout, stderr };
}

/** A terminal stands for input and output. */
function terminalStreams(
  process: GuestProcess,
  master: number,
): ProcessStreams {
  const terminal = terminalDuplex(master);
  process.terminal = terminal;
  const stdin: Duplex = terminal;
  return { stdin, stdout: terminal };
}

function relay(
  ports: GuestPorts,
  pid: number,
  process: ProcessStreams,
  host: ProcessStreams,
): Relay {
  return new Relay(process, host, {
    clock: ports.clock,
    log: ports.log.child({ pid }),
    drainGrace: ports.timeouts.drainGrace,
    drainLimit: ports.timeouts.drainLimit,
  });
}

/**
 * Lets the init of a created container run.
 *
 * @returns Its process id.
 * @throws {ShimError} FailedPrecondition when it runs or has ended.
 */
export async function startInit(
  ports: GuestPorts,
  container: Container,
  parameters: ProcessParameters,
  settings: StdioRelaySettings | undefined,
): Promise<number> {
  container.state.require("start");
  const init = container.init!;
  if (init.relay !== undefined) throw container.state.refusal("start again");
  const wanted = requestedStreams(parameters);
  const way = reach(ports, container.allowStdio);
  const kept = await openTeeLog(container, ports);
  let host: ProcessStreams;
  try {
    host = await dialStreams(way, wanted, settings);
  } catch (error) {
    await kept?.close();
    throw error;
  }
  const { terminal, pipes } = container;
  if (init.hasExited || init.relay !== undefined) {
    await kept?.close();
    await closeAll(host, ports);
    throw container.state.refusal("start");
  }
  container.terminal = undefined;
  container.pipes = undefined;
  const own = terminal === undefined
    // Output that nobody asked for is read all the same, and dropped: the end of
    // its pipe would kill the process at its first word.
    ? pipes?.take({ ...wanted, stdout: true, stderr: true }) ?? {}
    : terminalStreams(init, terminal);
  const output = reconnecting(ports, container, host, settings);
  container.teeLog = kept;
  const log = ports.log.child({ cid: container.id });
  const streams = kept === undefined ? output : teed(output, kept, log);
  init.relay = relay(ports, init.pid, own, streams);
  try {
    const runtime = await ports.runtime();
    await runtime.start(container.id, container.options.bundle);
  } catch (error) {
    // Its streams are used up: it cannot be started a second time. Its end
    // closes them.
    if (!init.hasExited) ports.kill(init.pid, 9);
    throw error;
  }
  // A short program may have ended before the runtime said that it runs.
  if (container.state.can("start")) container.state.to("start");
  return init.pid;
}

/** The process as the runtime gets it: the container's limits, a known user. */
async function execProcess(
  container: Container,
  json: JsonObject,
): Promise<Process> {
  const { root, process: init } = container.options.spec;
  const process = Process.decode(json, "$.OciProcess");
  if (init?.rlimits !== undefined) process.rlimits = init.rlimits;
  else delete process.rlimits;
  const username = process.user.username ?? "";
  if (username !== "") {
    const { uid, gid } = await resolveUser(username, root?.path ?? "/");
    process.user = { ...process.user, uid, gid };
    delete process.user.username;
  } else if (init?.user.username) {
    process.user = { ...init.user };
    delete process.user.username;
  }
  return process;
}

/**
 * Runs a further process in a container.
 *
 * @returns Its process id.
 * @throws {ShimError} PermissionDenied; the first failure.
 */
export async function execInContainer(
  ports: GuestPorts,
  container: Container,
  parameters: ProcessParameters,
  settings: StdioRelaySettings | undefined,
): Promise<number> {
  const { id } = container;
  if (container.init?.hasExited) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot run a process in container "${id}": cannot exec in a stopped ` +
        "container",
    );
  }
  if (container.execs.size >= limits.processes) {
    throw new ShimError(
      "ResourceExhausted",
      `Cannot run a process in container "${id}": it has ` +
        `${limits.processes} processes already`,
    );
  }
  const process = await execProcess(container, parameters.OciProcess ?? {});
  const wanted = requestedStreams(parameters);
  const allowStdio = await askForExec(ports.policy, container, process);
  const host = await dialStreams(reach(ports, allowStdio), wanted, settings);
  let pipes: ProcessPipes | undefined;
  try {
    if (!process.terminal) pipes = new ProcessPipes(wanted);
    await makeWorkingFolder(container.options.spec, process.cwd, ports.log);
    const runtime = await ports.runtime();
    const document = Process.encode(process) as JsonObject;
    const stdio = pipes?.child ?? "terminal";
    const made = await runtime.exec(id, document, stdio);
    const guest = new GuestProcess(
      made.pid,
      ports,
      () => container.execs.delete(made.pid),
    );
    guest.argv = process.args ?? [];
    container.execs.set(made.pid, guest);
    runRelay(
      ports,
      guest,
      host,
      () =>
        made.terminal === undefined
          ? pipes?.take(wanted) ?? {}
          : terminalStreams(guest, made.terminal),
    );
    return made.pid;
  } catch (error) {
    pipes?.close();
    await closeAll(host, ports);
    throw error;
  } finally {
    pipes?.closeChild();
  }
}

/** Relays a process that runs already, and waits for its end. */
export function runRelay(
  ports: GuestPorts,
  process: GuestProcess,
  host: ProcessStreams,
  own: () => ProcessStreams,
): void {
  const running = relay(ports, process.pid, own(), host);
  process.relay = running;
  ports.reaper.watch(process.pid, (code) => {
    process.exited(code);
    running.finish().catch((error) =>
      ports.log.error("Cannot end output", {
        pid: process.pid,
        error: messageOf(error),
      })
    ).finally(() => process.finish());
  });
}
