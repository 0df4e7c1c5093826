/**
 * Whether containerd knows the runtime and finds its executable.
 *
 * @module
 */

import { messageOf, ShimError } from "../../../base/errors.ts";
import { joinWindowsPath } from "../../../base/windows_path.ts";
import type { Verdict } from "../../../hcs/checks.ts";
import {
  type ContainerdConfig,
  parseContainerdConfig,
  runtimeType,
} from "./containerd_config.ts";

/** Names the configuration when containerd is started with another one. */
export const configVariable = "LCOW_CONTAINERD_CONFIG";

/** The snapshotter that makes disks of Linux layers. */
const snapshotter = "windows-lcow";

/** What containerd makes of {@linkcode runtimeType}. */
const executable = "containerd-shim-lcow-v2.exe";

/** How the machine is asked; tests replace it. */
export interface ContainerdPlaces {
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /** Text of a file. Rejects with NotFound when there is none. */
  readText(path: string): Promise<string>;
  /** Whether there is such a file. */
  isFile(path: string): Promise<boolean>;
}

/** This machine. */
export const placesOfProcess: ContainerdPlaces = {
  env: (name) => Deno.env.get(name),
  readText: (path) => Deno.readTextFile(path),
  isFile: async (path) => {
    try {
      return (await Deno.stat(path)).isFile;
    } catch {
      // It is not there, or may not be looked at: containerd does not find it.
      return false;
    }
  },
};

/** A configuration that was found. */
export interface FoundConfig {
  /** Where it is, or should be. */
  readonly path: string;
  /** What it says; undefined when there is none. */
  readonly config: ContainerdConfig | undefined;
}

/**
 * Reads containerd's configuration.
 *
 * @throws {ShimError} FailedPrecondition when nothing says where it is;
 * InvalidArgument naming the file when it cannot be used.
 */
export async function findConfig(
  places: ContainerdPlaces,
): Promise<FoundConfig> {
  const { env } = places;
  const programFiles = env("ProgramFiles");
  const path = env(configVariable) ||
    (programFiles &&
      joinWindowsPath(programFiles, "containerd", "config.toml"));
  if (!path) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot find containerd's configuration: neither ${configVariable} nor ProgramFiles is set`,
    );
  }
  try {
    return { path, config: parseContainerdConfig(await places.readText(path)) };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      return { path, config: undefined };
    }
    throw new ShimError(
      "InvalidArgument",
      `Cannot use "${path}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Judges what a configuration says. */
export function judgeConfig({ path, config }: FoundConfig): Verdict {
  if (config === undefined) {
    return {
      state: "warning",
      found: `no "${path}"`,
      advice: `Write one, or name another file in ${configVariable}`,
    };
  }
  const { runtimes, hasImports } = config;
  const wrong = runtimes.find((runtime) => runtime.snapshotter !== snapshotter);
  if (wrong !== undefined) {
    return {
      state: "gap",
      found:
        `runtime "${wrong.name}" in "${path}" has snapshotter "${wrong.snapshotter}"`,
      advice: `Set snapshotter = "${snapshotter}" for it`,
    };
  }
  if (runtimes.length > 0) {
    const names = runtimes.map(({ name }) => `"${name}"`).join(", ");
    return { found: `runtime ${names} in "${path}"` };
  }
  const unseen = hasImports ? "; what it imports is not looked at" : "";
  return {
    state: "warning",
    found: `no runtime of type ${runtimeType} in "${path}"${unseen}`,
  };
}

/** Folders in which containerd looks for shims: PATH, then its own. */
async function searchedFolders(places: ContainerdPlaces): Promise<string[]> {
  const programFiles = places.env("ProgramFiles");
  const own = [];
  for (const name of programFiles ? ["containerd\\bin", "containerd"] : []) {
    const folder = joinWindowsPath(programFiles!, name);
    if (await places.isFile(joinWindowsPath(folder, "containerd.exe"))) {
      own.push(folder);
    }
  }
  const path = (places.env("PATH") ?? "").split(";");
  return [...path.filter((folder) => folder !== ""), ...own];
}

/**
 * Looks whether containerd finds the executable.
 *
 * @param config What is configured, as far as it is known.
 */
export async function judgeExecutable(
  places: ContainerdPlaces,
  config?: ContainerdConfig,
): Promise<Verdict> {
  const named = (config?.runtimes ?? []).filter(({ path }) => path !== "");
  for (const { name, path } of named) {
    if (!await places.isFile(path)) {
      return {
        state: "gap",
        found: `runtime "${name}" names "${path}", which is no file`,
      };
    }
  }
  const [first] = named;
  if (first !== undefined && named.length === config?.runtimes.length) {
    return { found: `"${first.path}"` };
  }
  for (const folder of await searchedFolders(places)) {
    const path = joinWindowsPath(folder, executable);
    if (await places.isFile(path)) return { found: `"${path}"` };
  }
  return { state: "gap", found: `no ${executable} on PATH` };
}
