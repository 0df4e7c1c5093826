/**
 * What runs in simulated machines: our agent, or the one that `LCOW_SIM_GUEST`
 * names, with the directories that it needs.
 *
 * @module
 */

import { parseJson } from "../base/json.ts";
import { ShimError } from "../base/errors.ts";
import { toolPath } from "./command.ts";
import { quietFlags } from "./detached.ts";
import { guestSockets, type SharedDirectory } from "./mount_table.ts";
import { projectRoot } from "./project.ts";

/** The agent of a machine and its surroundings. */
export interface GuestProgram {
  /** Program and arguments; the arguments of the kernel command line follow. */
  readonly command: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Directories of the computer that it needs. */
  readonly shared: readonly SharedDirectory[];
}

/** Our agent. */
function ownAgent(): string[] {
  return [
    Deno.execPath(),
    "run",
    ...quietFlags,
    ...["--config", `${projectRoot}/deno.json`],
    "-A",
    `${projectRoot}/guest/main.ts`,
  ];
}

/**
 * Reads `LCOW_SIM_GUEST`.
 *
 * @param text A JSON list of texts, the program first.
 * @throws {ShimError} InvalidArgument when it is something else.
 */
export function parseGuestCommand(text: string): string[] {
  const json = parseJson(text, "LCOW_SIM_GUEST");
  const words = Array.isArray(json)
    ? json.filter((word) => typeof word === "string")
    : [];
  if (Array.isArray(json) && words.length === json.length && words.length > 0) {
    return words;
  }
  throw new ShimError(
    "InvalidArgument",
    `LCOW_SIM_GUEST must be a JSON list of texts, for example ["/bin/gcs"]; it is ${text}`,
  );
}

/** Where Deno keeps what it has fetched and compiled, or undefined. */
function denoCache(env: Env): string | undefined {
  const own = env("DENO_DIR");
  if (own) return own;
  const cache = env("XDG_CACHE_HOME");
  if (cache) return `${cache}/deno`;
  const home = env("HOME");
  return home ? `${home}/.cache/deno` : undefined;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Reads a variable of the environment. */
export type Env = (name: string) => string | undefined;

/**
 * Finds out what runs in machines.
 *
 * @throws {ShimError} InvalidArgument when `LCOW_SIM_GUEST` is malformed.
 */
export async function guestProgram(env: Env): Promise<GuestProgram> {
  const named = env("LCOW_SIM_GUEST");
  const command = named ? parseGuestCommand(named) : ownAgent();
  const cache = denoCache(env);
  const readOnly = new Set([projectRoot, folderOf(Deno.execPath())]);
  for (const word of command) {
    if (word.startsWith("/") && await isThere(word)) {
      readOnly.add(folderOf(word));
    }
  }
  const shared = [...readOnly].filter((path) => path !== "/")
    .sort((a, b) => a.length - b.length)
    .map((path) => ({ path, readOnly: true }));
  const hasCache = cache !== undefined && await isThere(cache);
  const libraries = env("LD_LIBRARY_PATH");
  return {
    command,
    env: {
      PATH: toolPath(),
      LCOW_VSOCK_DIR: guestSockets,
      ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}),
      ...(hasCache ? { DENO_DIR: cache } : {}),
    },
    // The cache of compiled code must be writable: it makes the next start fast.
    shared: hasCache ? [...shared, { path: cache, readOnly: false }] : shared,
  };
}
