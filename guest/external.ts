/**
 * Processes of the VM itself, outside of containers
 * (`spec/guest-runtime.md` 9.4).
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import { limits } from "../base/timeouts.ts";
import type {
  ProcessParameters,
  StdioRelaySettings,
} from "../bridge/messages.gen.ts";
import { terminalDuplex } from "../ffi/linux/fd_stream.ts";
import { openTerminal } from "../ffi/linux/pty.ts";
import { spawn, type SpawnRequest } from "../ffi/linux/spawn.ts";
import { dialStreams, reach, requestedStreams, runRelay } from "./execute.ts";
import { noTerminal } from "./policy/container.ts";
import type { ProcessFacts } from "./policy/questions.ts";
import type { GuestPorts } from "./ports.ts";
import { ProcessPipes, type ProcessStreams } from "./process/pipes.ts";
import { GuestProcess } from "./process/process.ts";
import { findProgram } from "./runtime/detect.ts";
import { splitCommandLine } from "./shell_words.ts";

/** The processes of the VM. */
export class ExternalProcesses {
  readonly #ports: GuestPorts;
  readonly #processes = new Map<number, GuestProcess>();

  /** @param ports The VM. */
  constructor(ports: GuestPorts) {
    this.#ports = ports;
  }

  /** All of them, for a dump. */
  get all(): readonly GuestProcess[] {
    return [...this.#processes.values()];
  }

  /**
   * A process of the VM.
   *
   * @throws {HResultError} ElementNotFound.
   */
  get(pid: number): GuestProcess {
    const process = this.#processes.get(pid);
    if (process !== undefined) return process;
    throw new HResultError(
      HResult.ElementNotFound,
      `Process ${pid} of the VM not found`,
    );
  }

  /**
   * Starts a process. The policy is asked for the command that is run. (REF asks
   * for `CommandArgs` even when `CommandLine` is run.)
   *
   * @returns Its process id.
   * @throws {ShimError} InvalidArgument without a program, NotFound for one
   * that does not exist, PermissionDenied.
   */
  async start(
    parameters: ProcessParameters,
    settings: StdioRelaySettings | undefined,
  ): Promise<number> {
    if (this.#processes.size >= limits.processes) {
      throw new ShimError(
        "ResourceExhausted",
        `Cannot run a process in the VM: it has ${limits.processes} already`,
      );
    }
    const asked = commandOf(parameters);
    const { env = asked.env, allowStdio = true } = await this.#ports.policy
      .ask({ name: "exec in VM", ...asked });
    if (parameters.EmulateConsole && !allowStdio) {
      throw noTerminal("run a process in the VM");
    }
    const request = await this.#request({ ...asked, env });
    const wanted = requestedStreams(parameters);
    const way = reach(this.#ports, allowStdio);
    const host = await dialStreams(way, wanted, settings);
    let streams: ProcessStreams = {};
    try {
      if (parameters.EmulateConsole) {
        const { master, path } = openTerminal();
        const terminal = terminalDuplex(master);
        streams = { stdin: terminal, stdout: terminal };
        const pid = spawn({ ...request, stdio: { terminal: path } });
        const process = this.#register(pid, asked.argv);
        process.terminal = terminal;
        runRelay(this.#ports, process, host, () => streams);
        return pid;
      }
      const pipes = new ProcessPipes(wanted);
      try {
        const pid = spawn({ ...request, stdio: pipes.child });
        const process = this.#register(pid, asked.argv);
        runRelay(this.#ports, process, host, () => pipes.take(wanted));
        return pid;
      } finally {
        pipes.closeChild();
        pipes.close();
      }
    } catch (error) {
      for (const stream of Object.values(streams)) await stream.close();
      for (const stream of Object.values(host)) await stream.close();
      throw error;
    }
  }

  #register(pid: number, argv: readonly string[]): GuestProcess {
    const process = new GuestProcess(
      pid,
      this.#ports,
      () => this.#processes.delete(pid),
    );
    process.argv = argv;
    this.#processes.set(pid, process);
    return process;
  }

  async #request(
    { argv, env, cwd }: ProcessFacts,
  ): Promise<Omit<SpawnRequest, "stdio">> {
    const [name = ""] = argv;
    const search = valueOf(env, "PATH") ?? this.#ports.env.PATH ?? "/bin";
    const path = await findProgram(name, search);
    if (path === undefined) {
      throw new ShimError(
        "NotFound",
        `Cannot run "${name}" in the VM: it is not on PATH "${search}"`,
      );
    }
    return { path, argv, env, ...(cwd !== "" && { cwd }) };
  }
}

/** The value of a variable, of the last one with this name. */
function valueOf(env: readonly string[], name: string): string | undefined {
  return env.findLast((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

/** @throws {ShimError} InvalidArgument without a program. */
function commandOf(parameters: ProcessParameters): ProcessFacts {
  const { CommandArgs = [], CommandLine = "", Environment = {} } = parameters;
  const argv = CommandArgs.length > 0
    ? CommandArgs
    : splitCommandLine(CommandLine);
  if (!argv[0]) {
    throw new ShimError(
      "InvalidArgument",
      "Cannot run a process in the VM: it has no command",
    );
  }
  const env = Object.entries(Environment)
    .map(([name, value]) => `${name}=${value}`);
  return { argv, env, cwd: parameters.WorkingDirectory ?? "" };
}
