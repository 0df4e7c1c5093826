/**
 * Where Wine is and how it is run: everything below `.cache/windows/`, nothing
 * installed.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { cacheDirectory } from "../debian.ts";

/** Holds all of it. */
export const base = `${cacheDirectory}windows/`;

/** Wine and mingw, unpacked. */
export const root = `${base}root/`;

/** The Windows build of Deno and what must stand beside it. */
export const app = `${base}app/`;

/**
 * The Wine prefix; `LCOW_WINEPREFIX` names another one, which is made when it is
 * not there. Each prefix has a server of its own, so that whoever has its own
 * does not end other people's processes.
 */
export const prefix = Deno.env.get("LCOW_WINEPREFIX") ?? `${base}prefix`;

/** The prefix' `C:\windows\System32`. */
export const system32 = `${prefix}/drive_c/windows/system32/`;

/** The loader: `wine64 PROGRAM ARGUMENT...`. */
export const wine = `${root}usr/lib/wine/wine64`;

/** The server of the prefix. */
export const server = `${root}usr/lib/wine/wineserver64`;

/** Variables under which Wine and mingw run from where they are unpacked. */
export const environment: Readonly<Record<string, string>> = {
  LD_LIBRARY_PATH: `${root}usr/lib/x86_64-linux-gnu`,
  PATH: `${root}usr/bin:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`,
  WINEPREFIX: prefix,
  WINEARCH: "win64",
  WINEDEBUG: "-all",
  WINEDLLOVERRIDES: "mscoree,mshtml=;winedbg.exe=",
  WINESERVER: server,
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
};

/** Says whether a file is there. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * The path that a file of this machine has under Wine.
 *
 * @param path Absolute.
 */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/**
 * Runs a program of this machine, or with `wine` one of Windows.
 *
 * @param options `limit`: milliseconds until it is killed; default a minute.
 * @returns Its standard output.
 * @throws {ShimError} Unavailable with its output when it fails.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; limit?: number } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: options.cwd ?? base,
    env: { ...environment, ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(options.limit ?? 60_000),
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new ShimError(
    "Unavailable",
    `${command} ${args.join(" ")} failed: ${
      decoder.decode(stderr).trim() || decoder.decode(stdout).trim()
    }`,
  );
}

/** Seconds that the server stays after the last process. */
const keepWarm = 60;

/**
 * Starts the server and the services of the prefix by a first program. They
 * inherit its output: with a pipe, its reader would wait for their end, seconds
 * after the program's.
 */
export async function boot(...program: string[]): Promise<void> {
  const quiet = {
    cwd: base,
    env: environment,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  } as const;
  // Fails when there is one already, which serves as well.
  await new Deno.Command(server, { ...quiet, args: [`-p${keepWarm}`] })
    .output();
  const { success, code } = await new Deno.Command(wine, {
    ...quiet,
    args: program,
  }).output();
  if (success) return;
  throw new ShimError("Unavailable", `${program[0]} failed with code ${code}`);
}
