/**
 * crun and runc, called as programs: both have the same command line.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isNotFound } from "../../base/hresult.ts";
import { formatJson, type JsonObject } from "../../base/json.ts";
import { close, open, OpenFlag } from "../../ffi/linux/files.ts";
import { listenConsole } from "../../ffi/linux/pty.ts";
import { spawn, type StdioDescriptors } from "../../ffi/linux/spawn.ts";
import type { Reaper } from "../../ffi/linux/reaper.ts";
import { runtimeError } from "./errors.ts";
import type { OciRuntime, ProcessStdio, RuntimeProcess } from "./runtime.ts";

/** Where the agent keeps what it hands to the runtime. */
export const runtimeDirectory = "/var/run/gcsrunc";

/** Folder of one container's runtime files. */
export function stateDirectory(id: string): string {
  return `${runtimeDirectory}/${id}`;
}

/** The log of the runtime for calls that concern the container itself. */
export function logPath(bundle: string): string {
  return `${bundle}/runc.log`;
}

/** What {@linkcode CliRuntime} needs. */
export interface CliOptions {
  /** Path of the program. */
  readonly path: string;
  /** Waits for the program, and later for the processes it leaves behind. */
  readonly reaper: Reaper;
  /** Environment of the program. */
  readonly env: Readonly<Record<string, string>>;
}

/** The text of a file; empty when there is none. */
async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Calls a runtime's program. */
export class CliRuntime implements OciRuntime {
  /** Name of the program. */
  readonly name: string;
  readonly #path: string;
  readonly #reaper: Reaper;
  readonly #env: readonly string[];
  #calls = 0;

  /** @param options Program, environment and who waits for it. */
  constructor(options: CliOptions) {
    this.#path = options.path;
    this.name = options.path.slice(options.path.lastIndexOf("/") + 1);
    this.#reaper = options.reaper;
    this.#env = Object.entries(options.env)
      .map(([name, value]) => `${name}=${value}`);
  }

  /** Makes a container. */
  create(
    id: string,
    bundle: string,
    stdio: ProcessStdio,
  ): Promise<RuntimeProcess> {
    return this.#process({
      what: `Cannot create container "${id}"`,
      id,
      stdio,
      log: () => logPath(bundle),
      // The root of a VM that runs from its initrd cannot be pivoted.
      args: () => ["create", "--bundle", bundle, "--no-pivot"],
    });
  }

  /** Runs a further process. */
  exec(
    id: string,
    process: JsonObject,
    stdio: ProcessStdio,
  ): Promise<RuntimeProcess> {
    return this.#process({
      what: `Cannot run a process in container "${id}"`,
      id,
      stdio,
      log: (folder) => `${folder}/log`,
      args: async (folder) => {
        const file = `${folder}/process.json`;
        await Deno.writeTextFile(file, formatJson(process));
        return ["exec", "--detach", "--process", file];
      },
    });
  }

  /** Lets the init run. */
  async start(id: string, bundle: string): Promise<void> {
    const what = `Cannot start container "${id}"`;
    await this.#run(what, ["start", id], logPath(bundle));
  }

  /**
   * Forgets a container. One that the runtime could not delete, because it was
   * killed meanwhile, say, is deleted by force: nobody else will try.
   */
  async delete(id: string, options: { force?: boolean } = {}): Promise<void> {
    const folder = stateDirectory(id);
    await Deno.mkdir(folder, { recursive: true });
    try {
      await this.#delete(id, options.force ? ["--force"] : []);
    } catch {
      await this.#delete(id, ["--force"]); // says the same, if it was no accident
    }
    await removeTree(folder);
  }

  async #delete(id: string, options: readonly string[]): Promise<void> {
    const what = `Cannot delete container "${id}"`;
    const log = `${stateDirectory(id)}/delete.log`;
    try {
      await this.#run(what, ["delete", ...options, id], log);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Changes limits. */
  async update(id: string, resources: JsonObject): Promise<void> {
    const what = `Cannot update container "${id}"`;
    await this.#inFolder(id, async (folder) => {
      const file = `${folder}/resources.json`;
      await Deno.writeTextFile(file, formatJson(resources));
      const args = ["update", "--resources", file, id];
      await this.#run(what, args, `${folder}/log`);
    });
  }

  /** Runs `task` with a folder of its own, removed afterwards. */
  async #inFolder<T>(
    id: string,
    task: (folder: string, key: string) => Promise<T>,
  ): Promise<T> {
    const key = `${this.#calls++}`;
    const folder = `${stateDirectory(id)}/${key}`;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      return await task(folder, key);
    } finally {
      await removeTree(folder);
    }
  }

  /** A call that leaves a process behind. */
  async #process(call: {
    readonly what: string;
    readonly id: string;
    readonly stdio: ProcessStdio;
    readonly log: (folder: string) => string;
    readonly args: (folder: string) => string[] | Promise<string[]>;
  }): Promise<RuntimeProcess> {
    const { what, id, stdio } = call;
    return await this.#inFolder(id, async (folder, key) => {
      const pidFile = `${folder}/pid`;
      const args = [...await call.args(folder), "--pid-file", pidFile];
      // The path of a socket is short: it does not carry the container's id.
      const socket = stdio === "terminal"
        ? listenConsole(`${runtimeDirectory}/${key}.sock`)
        : undefined;
      try {
        if (socket !== undefined) args.push("--console-socket", socket.path);
        const fds = stdio === "terminal" ? undefined : stdio;
        await this.#run(what, [...args, id], call.log(folder), fds);
        const pid = Number(await Deno.readTextFile(pidFile));
        if (!Number.isInteger(pid) || pid <= 0) {
          throw new ShimError("Internal", `${what}: no process id was told`);
        }
        return socket === undefined
          ? { pid }
          : { pid, terminal: socket.take() };
      } finally {
        socket?.close();
      }
    });
  }

  /**
   * Runs the program to its end. Its messages go to a file, never to a pipe: a
   * container inherits the descriptors, and a pipe would end only with it.
   */
  async #run(
    what: string,
    args: readonly string[],
    log: string,
    stdio?: StdioDescriptors,
  ): Promise<void> {
    const nothing = stdio === undefined
      ? open("/dev/null", OpenFlag.ReadWrite)
      : undefined;
    let pid: number;
    try {
      pid = spawn({
        path: this.#path,
        argv: [this.name, "--log", log, "--log-format", "json", ...args],
        env: this.#env,
        stdio: stdio ?? [nothing!, nothing!, nothing!],
      });
    } finally {
      if (nothing !== undefined) close(nothing);
    }
    const code = await this.#reaper.exit(pid);
    if (code === 0) return;
    throw runtimeError(what, this.name, code, await textOf(log));
  }
}
