/**
 * What the tests of the Windows side need on a Debian 12 machine, all under
 * `.cache/windows/` and nothing installed: Wine and mingw unpacked from their
 * packages, the Windows build of Deno from npm, a Wine prefix, the fake DLLs.
 * A step whose result is there is skipped.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { compileFakes, dllOverride, installFakes } from "./fakes.ts";
import {
  denoExe,
  denoVersion,
  fetchDeno,
  makePrefix,
  unpack,
} from "./install.ts";
import {
  base,
  boot,
  environment,
  exists,
  prefix,
  server,
  windowsPath,
  wine,
} from "./wine.ts";

export { windowsPath };

/** Does a step unless its mark is there. */
async function once(mark: string, step: () => Promise<void>): Promise<void> {
  if (await exists(mark)) return;
  await step();
  await Deno.writeTextFile(mark, "");
}

/**
 * Makes sure that everything is there and that Wine runs. Whoever calls while
 * another one does, in this process or in another, waits.
 *
 * @throws {ShimError} Unavailable saying what cannot be had.
 */
export async function setUp(): Promise<void> {
  await Deno.mkdir(base, { recursive: true });
  using lock = await Deno.open(`${base}lock`, { create: true, write: true });
  await lock.lock(true);
  await Promise.all([
    once(`${base}unpacked.done`, unpack),
    once(`${base}deno-${denoVersion}.done`, fetchDeno),
  ]);
  await Promise.all([
    once(`${prefix}/made.done`, makePrefix),
    compileFakes(),
  ]);
  await installFakes();
  await boot("cmd", "/c", "rem");
}

/**
 * Variables of this machine under which `wine64 deno.exe` runs with the fake
 * socket library. Where the forwarder and the registry listen comes to it.
 */
export const windowsEnvironment: Readonly<Record<string, string>> = {
  ...environment,
  LCOW_DLL_OVERRIDE: dllOverride,
};

/** How a script is run. */
export interface WindowsDenoOptions {
  /** Variables beside {@linkcode windowsEnvironment}. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory on this machine; default is the cache. */
  readonly cwd?: string;
  /** Its standard input; default is none. */
  readonly stdin?: "piped" | "null";
  /** Its standard output; default is a pipe. */
  readonly stdout?: "piped" | "null" | "inherit";
  /** Its standard error; default is a pipe. */
  readonly stderr?: "piped" | "null" | "inherit";
  /** Kills it. */
  readonly signal?: AbortSignal;
}

/**
 * Starts a script of the checkout with the Windows build of Deno.
 *
 * @param script Absolute path on this machine.
 */
export function spawnWindowsDeno(
  script: string,
  args: readonly string[],
  options: WindowsDenoOptions = {},
): Deno.ChildProcess {
  const flags = ["run", "-A", "--no-check", "--no-lock", "--quiet"];
  const { env, signal } = options;
  return new Deno.Command(wine, {
    args: [denoExe, ...flags, windowsPath(script), ...args],
    cwd: options.cwd ?? base,
    env: { ...windowsEnvironment, ...env },
    stdin: options.stdin ?? "null",
    stdout: options.stdout ?? "piped",
    stderr: options.stderr ?? "piped",
    ...(signal === undefined ? {} : { signal }),
  }).spawn();
}

/**
 * Runs a script of the checkout with the Windows build of Deno.
 *
 * @param script Absolute path on this machine.
 * @param limit Milliseconds until it is killed.
 * @returns Its standard output.
 * @throws {ShimError} Unavailable with its output when it fails.
 */
export async function runWindowsDeno(
  script: string,
  args: readonly string[],
  env: Record<string, string>,
  limit = 30_000,
): Promise<string> {
  const signal = AbortSignal.timeout(limit);
  const { success, code, stdout, stderr } = await spawnWindowsDeno(
    script,
    args,
    { env, signal },
  ).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new ShimError(
    "Unavailable",
    `${script} ${args.join(" ")} failed under Wine with code ${code}: ${
      decoder.decode(stderr).trim() || decoder.decode(stdout).trim()
    }`,
  );
}

/** Ends Wine's server and what still runs in the prefix. */
export async function stopWine(): Promise<void> {
  await new Deno.Command(server, { args: ["-k"], env: environment }).output();
}

if (import.meta.main) {
  try {
    await setUp();
  } finally {
    await stopWine();
  }
}
