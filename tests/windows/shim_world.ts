/**
 * A Windows host under Wine with a containerd's stand-in, and what one bundle
 * there is made of. Everything is below one folder.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { toolEnv } from "../debian.ts";
import { buildRootfs } from "../image.ts";
import { leftovers, settledLeftovers } from "../leftovers.ts";
import { runTool } from "../../sim/command.ts";
import { guestProgram } from "../../sim/guest_program.ts";
import { setUp, spawnWindowsDeno, windowsPath } from "./setup.ts";
import type { Command, CommandName } from "./shim_commands.ts";
import { startWineHost, type WineHost } from "./wine_host.ts";

const clientScript = new URL("shim_client.ts", import.meta.url).pathname;
const bootFiles = new URL("../../sim/boot", import.meta.url).pathname;

/** An answer of the client. */
interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly code?: string;
}

/** What the client's `start` printed. */
export interface Started {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process of a container is made. */
export interface ProcessOptions {
  readonly args: readonly string[];
  readonly terminal?: boolean;
}

/** The pipes of a task's process. */
export interface Pipes {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

const mounts = [
  { destination: "/proc", type: "proc", source: "proc" },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "mode=755"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["newinstance", "ptmxmode=0666", "mode=0620"],
  },
];

function ociProcess({ args, terminal = false }: ProcessOptions): unknown {
  return {
    terminal,
    user: { uid: 0, gid: 0 },
    args,
    env: ["PATH=/bin"],
    cwd: "/",
    noNewPrivileges: true,
  };
}

/** An exec's process as the request carries it; see `revive` of the client. */
export function execSpec(options: ProcessOptions): unknown {
  const text = JSON.stringify(ociProcess(options));
  return {
    typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
    value: { base64: new TextEncoder().encode(text).toBase64() },
  };
}

/** See the module. */
export class ShimWorld implements AsyncDisposable {
  /** Folder of everything. */
  readonly dir: string;
  /** The simulated host. */
  readonly wine: WineHost;
  readonly #client: Deno.ChildProcess;
  readonly #answers: Promise<void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #layer: string;
  /** Begins the names of all pipes of this world. */
  readonly #pipePrefix = `\\\\.\\pipe\\${crypto.randomUUID()}`;
  #calls = 0;

  private constructor(
    dir: string,
    wine: WineHost,
    client: Deno.ChildProcess,
    layer: string,
  ) {
    this.dir = dir;
    this.wine = wine;
    this.#client = client;
    this.#layer = layer;
    this.#writer = client.stdin.getWriter();
    this.#answers = this.#readAnswers();
  }

  /** Makes one. */
  static async create(): Promise<ShimWorld> {
    await setUp();
    const tools = await toolEnv();
    const rootfs = await buildRootfs(tools);
    const dir = await Deno.makeTempDir({ prefix: "lcw-" });
    const layer = `${dir}/image`;
    await Deno.mkdir(layer);
    await runTool("mke2fs", [
      ...["-q", "-t", "ext4", "-d", rootfs],
      ...[`${layer}/layer.vhd`, "16M"],
    ]);
    const env = (name: string): string | undefined =>
      tools[name] ?? Deno.env.get(name);
    const guest = await guestProgram(env);
    const wine = await startWineHost({
      state: `${dir}/lcow`,
      guest: { ...guest, env: { ...guest.env, PATH: tools["PATH"] ?? "" } },
    });
    const client = spawnWindowsDeno(clientScript, [], {
      env: wine.env,
      stdin: "piped",
      stderr: "inherit",
    });
    const world = new ShimWorld(dir, wine, client, layer);
    await world.do("events", { pipe: world.#eventsPipe });
    return world;
  }

  get #eventsPipe(): string {
    return `${this.#pipePrefix}-containerd`;
  }

  async #readAnswers(): Promise<void> {
    let rest = "";
    const lines = this.#client.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of lines) {
      const complete = (rest + text).split("\n");
      rest = complete.pop() ?? "";
      for (const line of complete) this.#settle(JSON.parse(line));
    }
    for (const { reject } of this.#waiting.values()) {
      reject(new ShimError("Unavailable", "The client under Wine has ended"));
    }
  }

  #settle({ call, value, error, code }: Answer): void {
    const waiter = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (error === undefined) waiter?.resolve(value);
    else waiter?.reject(new Error(`${code}: ${error}`));
  }

  /** Has the client do something. @throws {Error} `CODE: message` of what it says. */
  async do<K extends CommandName>(
    name: K,
    command: Command<K>,
  ): Promise<unknown> {
    const call = ++this.#calls;
    const waiter = Promise.withResolvers<unknown>();
    this.#waiting.set(call, waiter);
    const line = JSON.stringify({ call, do: name, ...command });
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    return await waiter.promise;
  }

  /** Writes a bundle. @returns Its path on this machine. */
  async bundle(
    id: string,
    process: ProcessOptions,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const path = `${this.dir}/${id}`;
    await Deno.mkdir(`${path}/scratch`, { recursive: true });
    const namespaces = ["pid", "ipc", "uts", "mount", "network"];
    await Deno.writeTextFile(
      `${path}/config.json`,
      JSON.stringify({
        ociVersion: "1.0.2",
        process: ociProcess(process),
        root: { path: "rootfs" },
        mounts,
        annotations: {
          "io.microsoft.virtualmachine.bootfilesrootpath": windowsPath(
            bootFiles,
          ),
          ...annotations,
        },
        linux: {
          namespaces: namespaces.map((type) => ({ type })),
          resources: {},
        },
      }),
    );
    return path;
  }

  /** Runs a mode of the shim for a bundle, as containerd does. */
  async shim(id: string, action: "start" | "delete"): Promise<Started> {
    const bundle = `${this.dir}/${id}`;
    const flags = ["-namespace", "test", "-id", id, "-address", "none"];
    const more = action === "delete" ? ["-bundle", windowsPath(bundle)] : [];
    return await this.do("start", {
      args: [...flags, "-publish-binary", "none", ...more, action],
      bundle: windowsPath(action === "start" ? bundle : this.dir),
      env: { TTRPC_ADDRESS: this.#eventsPipe, TMP: windowsPath(this.dir) },
    }) as Started;
  }

  /** Starts the shim of a bundle. @returns Its address. */
  async start(id: string): Promise<string> {
    const { code, stdout, stderr } = await this.shim(id, "start");
    if (code === 0 && stderr === "") return stdout;
    throw new Error(`start gave ${code}: ${stdout}${stderr}`);
  }

  /** Serves the pipes of a process. */
  async pipes(name: string, terminal = false): Promise<Pipes> {
    const pipe = (stream: string): string =>
      `${this.#pipePrefix}-${name}-${stream}`;
    const pipes = {
      stdin: pipe("stdin"),
      stdout: pipe("stdout"),
      stderr: terminal ? "" : pipe("stderr"),
    };
    for (const name of Object.values(pipes)) {
      if (name !== "") await this.do("serve", { pipe: name });
    }
    return pipes;
  }

  /** The create request of a bundle's task. */
  createRequest(
    id: string,
    pipes: Pipes,
    terminal = false,
  ): Record<string, unknown> {
    return {
      id,
      bundle: windowsPath(`${this.dir}/${id}`),
      rootfs: [{
        type: "lcow-layer",
        source: windowsPath(`${this.dir}/${id}/scratch`),
        target: "",
        options: [
          "rw",
          `parentLayerPaths=${JSON.stringify([windowsPath(this.#layer)])}`,
        ],
      }],
      ...pipes,
      terminal,
    };
  }

  /** Calls the Task service. */
  async call(
    address: string,
    method: Command<"call">["method"],
    request: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    return await this.do("call", { address, method, request }) as Record<
      string,
      unknown
    >;
  }

  /** Topics of the events that came. */
  async topics(): Promise<string[]> {
    return await this.do("topics", {}) as string[];
  }

  /** Output of a pipe, once it holds a text, or to its end. */
  async output(pipe: string, until?: string): Promise<string> {
    return await this.do("output", { pipe, until }) as string;
  }

  /** What is left of VMs, containers and handles; one line each. */
  async leftovers(): Promise<string[]> {
    const left = await settledLeftovers(() => leftovers(this.dir));
    const open = this.wine.forwarder.openHandles();
    const listening = this.wine.registry.listening;
    return [
      ...left,
      ...(open === 0 ? [] : [`${open} handles`]),
      ...listening.map((socket) => `socket ${socket}`),
    ];
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#answers;
    await this.#client.status;
    await this.wine[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }
}
