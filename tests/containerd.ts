/**
 * A private containerd in a folder of its own, for demo, tests and benchmarks:
 * it finds our shim through its PATH and leaves nothing behind.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { buildImage, imageName } from "./image.ts";
import { leftovers, settledLeftovers } from "./leftovers.ts";
import { toolEnv } from "./debian.ts";
import { install } from "../bin/install.ts";

/** Runtime name that makes containerd look for `containerd-shim-lcow-v2`. */
export const lcowRuntime = "io.containerd.lcow.v2";

/** Debian's own shim, the peer of comparisons. */
export const runcRuntime = "io.containerd.runc.v2";

const projectRoot = new URL("../", import.meta.url).pathname;

/** What a finished command gave. */
export interface Finished {
  /** Exit code. */
  readonly code: number;
  /** Everything on standard output. */
  readonly stdout: string;
  /** Everything on standard error. */
  readonly stderr: string;
}

/** How {@linkcode PrivateContainerd.start} makes it. */
export interface ContainerdOptions {
  /** Further environment of containerd and hence of the shims. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told in one line what is fetched. */
  readonly say?: (line: string) => void;
}

/** Services that only matter with CRI or other snapshotters, and their start-up time. */
const disabledPlugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
  "io.containerd.internal.v1.opt",
];

function config(dir: string): string {
  return `version = 2
root = "${dir}/root"
state = "${dir}/state"
oom_score = 0
disabled_plugins = ${JSON.stringify(disabledPlugins)}
[grpc]
  address = "${dir}/containerd.sock"
[ttrpc]
  address = "${dir}/containerd.sock.ttrpc"
[debug]
  level = "info"
`;
}

/** The line with which containerd says that it serves. */
const booted = "containerd successfully booted";

/** A running containerd. Release it with `await using` or {@linkcode PrivateContainerd.stop}. */
export class PrivateContainerd implements AsyncDisposable {
  /** Folder of everything that belongs to it. */
  readonly dir: string;
  /** Environment of its clients and, plus `PATH`, of its shims. */
  readonly env: Readonly<Record<string, string>>;
  readonly #logPath: string;
  #process: Deno.ChildProcess | undefined;

  private constructor(
    dir: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.dir = dir;
    this.env = env;
    this.#logPath = `${dir}/containerd.log`;
  }

  /** Starts one with the image imported. */
  static async start(
    options: ContainerdOptions = {},
  ): Promise<PrivateContainerd> {
    const tools = await toolEnv(options.say);
    const image = await buildImage(tools);
    await install();
    const dir = await Deno.makeTempDir({ prefix: "lcow-" });
    const env = {
      ...tools,
      PATH: `${projectRoot}bin:${tools["PATH"]}`,
      LCOW_STATE: `${dir}/lcow`,
      ...options.env,
    };
    const containerd = new PrivateContainerd(
      dir,
      env,
    );
    await Deno.writeTextFile(`${dir}/config.toml`, config(dir));
    await containerd.launch();
    try {
      await containerd.ctr("image", "import", image);
    } catch (error) {
      await containerd.stop();
      throw error;
    }
    return containerd;
  }

  /** Starts the daemon; also used to start it again after {@linkcode PrivateContainerd.halt}. */
  async launch(): Promise<void> {
    // The log goes to a file, and only the line that says "ready" to us, so that
    // nothing of this process reads on in the background.
    const process = new Deno.Command("bash", {
      args: [
        "-c",
        'exec containerd --config "$1" > >(tee -a "$2" | sed -un "/$3/p") 2>&1',
        "containerd",
        `${this.dir}/config.toml`,
        this.#logPath,
        booted,
      ],
      env: this.env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#process = process;
    const reader = process.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    if (!done) return;
    await this.halt();
    throw new ShimError(
      "Unavailable",
      `containerd ended early:\n${await this.log()}`,
    );
  }

  /** Ends the daemon; shims go on. */
  async halt(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process === undefined) return;
    try {
      process.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await process.status;
  }

  /** A ctr command that is not awaited yet; for stdin and signals. */
  spawn(
    args: readonly string[],
    options: { stdin?: "piped" | "null" } = {},
  ): Deno.ChildProcess {
    return new Deno.Command("ctr", {
      args: ["--address", `${this.dir}/containerd.sock`, ...args],
      env: this.env,
      stdin: options.stdin ?? "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /**
   * Runs ctr and gives everything it said, whatever its exit code. It says it to
   * files: on a busy machine, ctr 1.6 loses the end of what it has to write to a
   * pipe, with every shim.
   */
  async run(args: readonly string[], input?: Uint8Array): Promise<Finished> {
    const folder = await Deno.makeTempDir({ dir: this.dir, prefix: "ctr-" });
    try {
      const said = [`${folder}/stdout`, `${folder}/stderr`] as const;
      const process = new Deno.Command("sh", {
        args: [
          ...["-c", 'o=$1; e=$2; shift 2; exec "$@" >"$o" 2>"$e"', "sh"],
          ...[...said, "ctr", "--address", `${this.dir}/containerd.sock`],
          ...args,
        ],
        env: this.env,
        stdin: input === undefined ? "null" : "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const feed = input === undefined
        ? Promise.resolve()
        : new Blob([input.slice()]).stream().pipeTo(process.stdin);
      const [{ code }] = await Promise.all([
        process.status,
        feed.catch(() => {}), // it ends without having read
      ]);
      const [stdout, stderr] = await Promise.all(
        said.map((path) => Deno.readTextFile(path)),
      );
      return { code, stdout: stdout!, stderr: stderr! };
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  /** Runs ctr and gives its standard output. @throws {ShimError} with what it said when it fails. */
  async ctr(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) {
      throw new ShimError(
        "Unknown",
        `ctr ${args.join(" ")} gave exit code ${code}: ${stderr.trim()}`,
      );
    }
    return stdout;
  }

  /** Arguments of `ctr run` for one container of the image. */
  runArgs(
    id: string,
    command: readonly string[],
    flags: readonly string[] = [],
    runtime: string = lcowRuntime,
  ): string[] {
    return [
      "run",
      "--runtime",
      runtime,
      "--fifo-dir",
      `${this.dir}/fifo`,
      ...flags,
      imageName,
      id,
      ...command,
    ];
  }

  /** The daemon's log so far. */
  log(): Promise<string> {
    return Deno.readTextFile(this.#logPath);
  }

  /** What of this instance's shims, VMs and containers stays; one line each. */
  leftovers(): Promise<string[]> {
    return settledLeftovers(() => leftovers(this.dir));
  }

  /** Ends the daemon and removes its folder. */
  async stop(): Promise<void> {
    await this.halt();
    await Deno.remove(this.dir, { recursive: true });
  }

  /** Same as {@linkcode PrivateContainerd.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
