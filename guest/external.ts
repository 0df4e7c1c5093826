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
import { dialStreams, requestedStreams, runRelay } from "./execute.ts";
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
   * Starts a process.
   *
   * @returns Its process id.
   * @throws {ShimError} InvalidArgument without a program, NotFound for one
   * that does not exist.
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
    const request = await this.#request(parameters);
    const wanted = requestedStreams(parameters);
    const host = await dialStreams(this.#ports, wanted, settings);
    let streams: ProcessStreams = {};
    try {
      if (parameters.EmulateConsole) {
        const { master, path } = openTerminal();
        const terminal = terminalDuplex(master);
        streams = { stdin: terminal, stdout: terminal };
        const pid = spawn({ ...request, stdio: { terminal: path } });
        const process = this.#register(pid);
        process.terminal = terminal;
        runRelay(this.#ports, process, host, () => streams);
        return pid;
      }
      const pipes = new ProcessPipes(wanted);
      try {
        const pid = spawn({ ...request, stdio: pipes.child });
        const process = this.#register(pid);
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

  #register(pid: number): GuestProcess {
    const process = new GuestProcess(
      pid,
      this.#ports,
      () => this.#processes.delete(pid),
    );
    this.#processes.set(pid, process);
    return process;
  }

  async #request(
    parameters: ProcessParameters,
  ): Promise<Omit<SpawnRequest, "stdio">> {
    const { CommandArgs = [], CommandLine = "", Environment } = parameters;
    const argv = CommandArgs.length > 0
      ? CommandArgs
      : splitCommandLine(CommandLine);
    const [name] = argv;
    if (name === undefined || name === "") {
      throw new ShimError(
        "InvalidArgument",
        "Cannot run a process in the VM: it has no command",
      );
    }
    const search = Environment?.PATH ?? this.#ports.env.PATH ?? "/bin";
    const path = await findProgram(name, search);
    if (path === undefined) {
      throw new ShimError(
        "NotFound",
        `Cannot run "${name}" in the VM: it is not on PATH "${search}"`,
      );
    }
    const env = Object.entries(Environment ?? {})
      .map(([name, value]) => `${name}=${value}`);
    const { WorkingDirectory: cwd = "" } = parameters;
    return { path, argv, env, ...(cwd !== "" && { cwd }) };
  }
}
