/**
 * The command line of a shim, as the versions of containerd call it, and the
 * answer of `start`.
 *
 * @module
 */

import { ShimError } from "../../../base/errors.ts";
import { isJsonObject, parseJson } from "../../../base/json.ts";
import {
  BootstrapParams,
  BootstrapResult,
} from "../../../ttrpc/api/bootstrap.gen.ts";

/** Versions of containerd that call a shim each in its own way. */
export type Daemon = "1.6" | "1.7" | "2.0" | "2.3";

/** What `--version` of a daemon prints. */
const versionLines: Readonly<Record<Daemon, string>> = {
  "1.6": "containerd github.com/containerd/containerd 1.6.36 88c3d9bc5b5a",
  "1.7": "containerd github.com/containerd/containerd 1.7.28 b98a3aace656",
  "2.0": "containerd github.com/containerd/containerd/v2 v2.0.6 207ad711eabd",
  "2.3": "containerd github.com/containerd/containerd/v2 v2.3.4 5e0a4b5d6f1a",
};

/** True for a version that this suite can play. */
export function isDaemon(value: unknown): value is Daemon {
  return typeof value === "string" && value in versionLines;
}

/** Makes the executables of all daemons; each one prints its version only. */
export async function makeDaemons(dir: string): Promise<void> {
  for (const [daemon, line] of Object.entries(versionLines)) {
    await Deno.mkdir(`${dir}/${daemon}`, { recursive: true });
    const path = `${dir}/${daemon}/containerd`;
    await Deno.writeTextFile(path, `#!/bin/sh\necho '${line}'\n`);
    await Deno.chmod(path, 0o755);
  }
}

/** Where a daemon's things are. */
export interface DaemonPlace {
  /** Folder of {@linkcode makeDaemons}, and of the socket `containerd.sock`. */
  readonly dir: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its event endpoint. */
  readonly events: string;
}

/** How a shim is called: arguments, environment and standard input. */
export interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: Uint8Array | undefined;
}

function common(place: DaemonPlace, daemon: Daemon, id: string): string[] {
  return [
    ...["-namespace", place.namespace],
    ...["-address", `${place.dir}/containerd.sock`],
    ...["-publish-binary", `${place.dir}/${daemon}/containerd`],
    ...["-id", id],
  ];
}

function environment(
  { dir, namespace, events }: DaemonPlace,
  daemon: Daemon,
): Record<string, string> {
  const old = { GOMAXPROCS: "2", TTRPC_ADDRESS: events };
  if (daemon === "1.6") return old;
  return {
    ...old,
    MAX_SHIM_VERSION: "2",
    GRPC_ADDRESS: `${dir}/containerd.sock`,
    NAMESPACE: namespace,
  };
}

/** The call of `start`; `input` replaces what the daemon would write. */
export function startCall(
  place: DaemonPlace,
  daemon: Daemon,
  id: string,
  input?: Uint8Array,
): Call {
  const params = (): Uint8Array =>
    BootstrapParams.encode({
      instanceId: id,
      namespace: place.namespace,
      containerdVersion: "v2.3.4",
      containerdTtrpcAddress: place.events,
      containerdGrpcAddress: `${place.dir}/containerd.sock`,
      containerdBinary: `${place.dir}/${daemon}/containerd`,
    });
  return {
    args: [...common(place, daemon, id), "start"],
    env: environment(place, daemon),
    input: input ?? (daemon === "2.3" ? params() : undefined),
  };
}

/** The call of `delete`. */
export function deleteCall(
  place: DaemonPlace,
  daemon: Daemon,
  id: string,
  bundle: string,
): Call {
  return {
    args: [...common(place, daemon, id), "-bundle", bundle, "delete"],
    env: environment(place, daemon),
    input: undefined,
  };
}

/** What a finished command gave. */
export interface Finished {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Runs a shim's command to its end. */
export async function runCommand(
  path: string,
  { args, env, input }: Call,
  cwd: string,
  signal: AbortSignal,
): Promise<Finished> {
  const child = new Deno.Command(path, {
    args: [...args],
    cwd,
    env,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  const feed = input === undefined
    ? Promise.resolve()
    : new Blob([input.slice()]).stream().pipeTo(child.stdin);
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    feed.catch(() => {}), // A shim need not read its input.
  ]);
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

/** The answer of `start`. */
export interface StartAnswer {
  readonly form: "plain" | "json" | "protobuf";
  /** Version of the Task service. */
  readonly version: number;
  readonly address: string;
}

/** First byte of a `BootstrapResult` with a version: field 1, varint. */
const versionTag = 0x08;

/**
 * Reads the answer of `start` as containerd 2.3 does: protobuf, else JSON, else
 * the address alone.
 *
 * @throws {ShimError} InvalidArgument when it is none of them.
 */
export function readAnswer(bytes: Uint8Array): StartAnswer {
  if (bytes[0] === versionTag) {
    const { version, address } = BootstrapResult.decode(bytes);
    return { form: "protobuf", version, address };
  }
  const text = new TextDecoder().decode(bytes).trim();
  if (text.startsWith("{")) {
    const json = parseJson(text, "the answer of start");
    if (isJsonObject(json) && typeof json.address === "string") {
      return {
        form: "json",
        version: Number(json.version),
        address: json.address,
      };
    }
  } else if (text !== "" && !/\s/.test(text)) {
    return { form: "plain", version: 2, address: text };
  }
  throw new ShimError(
    "InvalidArgument",
    `start answered ${JSON.stringify(text)}`,
  );
}
