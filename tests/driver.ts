/**
 * Drives a shim binary directly, as containerd does, without containerd: for
 * benchmarks and for tests that need exact control of calls and streams.
 *
 * @module
 */

import { connDuplex, type Duplex, listenerDuplex } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { pump } from "../base/pump.ts";
import { silentLogger } from "../base/log.ts";
import { systemClock } from "../base/clock.ts";
import { openFifo } from "../ffi/linux/fifo.ts";
import { mkfifo } from "../ffi/linux/files.ts";
import { TtrpcClient } from "../ttrpc/client.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import { Envelope } from "../ttrpc/api/types.gen.ts";
import { Events } from "../ttrpc/api/events.gen.ts";

/** A shim binary and the environment it needs. */
export interface ShimBinary {
  /** Path of the executable. */
  readonly path: string;
  /** Environment beside the inherited one. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a specification says. */
export interface SpecOptions {
  /** Arguments of the init process. */
  readonly args: readonly string[];
  /** Whether init has a terminal. */
  readonly terminal?: boolean;
  /** Limits of the container. */
  readonly resources?: Readonly<Record<string, unknown>>;
  /** Annotations of the specification. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Section `windows` of the specification. */
  readonly windows?: Readonly<Record<string, unknown>>;
  /** Namespaces; new ones of every kind when absent. */
  readonly namespaces?: readonly Readonly<{ type: string; path?: string }>[];
  /** Mounts beside `/proc` and `/dev`. */
  readonly moreMounts?: readonly Readonly<Record<string, unknown>>[];
}

/** What one bundle is made of. */
export interface BundleOptions extends SpecOptions {
  /** Container id; also the name of the bundle's folder. */
  readonly id: string;
  /** Folder with the image, mounted below an overlay. */
  readonly rootfs: string;
  /** Whether stdin is wanted. */
  readonly stdin?: boolean;
}

/** A mount of a create request. */
export interface RootfsMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: string[];
}

/** One bundle on disk with its FIFOs, as containerd prepares it. */
export interface Bundle {
  readonly id: string;
  /** Folder with `config.json`. */
  readonly path: string;
  /** Mounts for the create request. */
  readonly mounts: readonly RootfsMount[];
  /** Paths of the FIFOs; an unwanted one is empty. */
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  /** The client's end of stdin, when wanted. */
  readonly input: Duplex | undefined;
  /** The client's end of stdout. */
  readonly output: Duplex;
  /** What a shim has written into the bundle's log so far. */
  logged(): string;
  /** Closes the client's ends. */
  close(): Promise<void>;
}

const capabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_KILL",
  "CAP_SETUID",
  "CAP_SETGID",
];

const newNamespaces = ["pid", "ipc", "uts", "mount", "network"]
  .map((type) => ({ type }));

function specification(options: SpecOptions): unknown {
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: options.terminal ?? false,
      user: { uid: 0, gid: 0 },
      args: options.args,
      env: ["PATH=/bin"],
      cwd: "/",
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
      },
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "mode=755"],
      },
      ...options.moreMounts ?? [],
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["newinstance", "ptmxmode=0666", "mode=0620"],
      },
    ],
    annotations: options.annotations ?? {},
    ...(options.windows && { windows: options.windows }),
    linux: {
      namespaces: options.namespaces ?? newNamespaces,
      resources: options.resources ?? {},
    },
  };
}

/** An exec process as `ExecProcessRequest.spec` carries it. */
export function execSpec(
  args: readonly string[],
  terminal = false,
): { typeUrl: string; value: Uint8Array } {
  const process = {
    terminal,
    user: { uid: 0, gid: 0 },
    args,
    env: ["PATH=/bin"],
    cwd: "/",
    noNewPrivileges: true,
  };
  return {
    typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
    value: new TextEncoder().encode(JSON.stringify(process)),
  };
}

/**
 * The client's end of a FIFO: it reads what the shim writes, and the reverse.
 */
export async function clientEnd(
  path: string,
  direction: "read" | "write",
): Promise<Duplex> {
  mkfifo(path);
  return await openFifo(path, direction === "read" ? "stdin" : "stdout");
}

/** Reads a FIFO and keeps what comes. */
export function drainFifo(
  path: string,
): { text: () => string; close: () => Promise<void> } {
  const stream = clientEnd(path, "read");
  const decoder = new TextDecoder();
  let text = "";
  const write = (bytes: Uint8Array): Promise<void> => {
    text += decoder.decode(bytes, { stream: true });
    return Promise.resolve();
  };
  const done = stream.then((source) => pump(source, { write }));
  return {
    text: () => text,
    close: async () => {
      await (await stream).close();
      await done;
    },
  };
}

/**
 * Writes the folder of a bundle, without its streams.
 *
 * @returns The mounts of its root file system.
 */
export async function writeBundle(
  path: string,
  rootfs: string,
  spec: SpecOptions,
): Promise<RootfsMount[]> {
  for (const name of ["rootfs", "upper", "work"]) {
    await Deno.mkdir(`${path}/${name}`, { recursive: true });
  }
  await Deno.writeTextFile(
    `${path}/config.json`,
    JSON.stringify(specification(spec)),
  );
  return [{
    type: "overlay",
    source: "overlay",
    target: "",
    options: [
      `workdir=${path}/work`,
      `upperdir=${path}/upper`,
      `lowerdir=${rootfs}`,
    ],
  }];
}

/** Writes a bundle below `dir`. */
export async function makeBundle(
  dir: string,
  options: BundleOptions,
): Promise<Bundle> {
  const path = `${dir}/${options.id}`;
  const mounts = await writeBundle(path, options.rootfs, options);
  const input = options.stdin
    ? await clientEnd(`${path}/stdin`, "write")
    : undefined;
  // containerd reads the shim's log; a shim may refuse to serve without it, or
  // to run a process that has output but no place for its errors.
  const log = drainFifo(`${path}/log`);
  const drains = [log, drainFifo(`${path}/stderr`)];
  const output = await clientEnd(`${path}/stdout`, "read");
  return {
    id: options.id,
    path,
    mounts,
    stdin: options.stdin ? `${path}/stdin` : "",
    stdout: `${path}/stdout`,
    stderr: `${path}/stderr`,
    input,
    output,
    logged: log.text,
    async close() {
      await input?.close();
      await output.close();
      await Promise.all(drains.map(({ close }) => close()));
    },
  };
}

/** Stands for containerd's event service: takes every event and keeps its topic. */
export class EventSink implements AsyncDisposable {
  readonly #server: TtrpcServer;
  readonly #served: Promise<void>;
  /** Topics in the order of arrival. */
  readonly topics: string[] = [];

  /**
   * @param path Unix socket to serve.
   * @param onEvent Gets every event when it comes.
   */
  constructor(path: string, onEvent?: (event: Envelope) => void) {
    this.#server = new TtrpcServer({ log: silentLogger, clock: systemClock });
    this.#server.register(Events, {
      Forward: (request) => {
        this.topics.push(request.envelope?.topic ?? Envelope.typeName);
        if (request.envelope !== undefined) onEvent?.(request.envelope);
        return Promise.resolve({});
      },
    });
    this.#served = this.#server.serve(
      listenerDuplex(Deno.listen({ transport: "unix", path })),
    );
  }

  /** Stops serving. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    await this.#served;
  }
}

/** Runs `start` of a shim and gives the address it answers. */
export async function startShim(
  binary: ShimBinary,
  dir: string,
  bundle: Bundle,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(binary.path, {
    args: [
      "-namespace",
      "bench",
      "-address",
      `${dir}/containerd.sock`,
      "-publish-binary",
      "/bin/true",
      "-id",
      bundle.id,
      "start",
    ],
    cwd: bundle.path,
    env: { ...binary.env, TTRPC_ADDRESS: `${dir}/containerd.sock.ttrpc` },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const answer = decoder.decode(stdout).trim();
  if (!success) {
    throw new ShimError(
      "Unavailable",
      `${binary.path} start failed: ${answer}${decoder.decode(stderr)}`,
    );
  }
  return answer.replace("unix://", "");
}

/** Connects to the address that a shim answered. */
export async function connectShim(address: string): Promise<TtrpcClient> {
  const conn = await Deno.connect({ transport: "unix", path: address });
  return new TtrpcClient(connDuplex(conn));
}

/** Reads until this many bytes have come. */
export async function readBytes(stream: Duplex, count: number): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let left = count; left > 0;) {
    const n = await stream.read(buffer);
    if (n === null) {
      throw new ShimError("DataLoss", `Stream ended ${left} bytes early`);
    }
    left -= n;
  }
}

/** Reads lines until one that is `last`, which is left out. */
export async function readLines(
  stream: Duplex,
  last: string,
): Promise<string[]> {
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let text = "";
  while (!text.endsWith(`\n${last}\n`)) {
    const n = await stream.read(buffer);
    if (n === null) throw new ShimError("DataLoss", `Stream ended: ${text}`);
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
  return text.trimEnd().split("\n").slice(0, -1);
}
