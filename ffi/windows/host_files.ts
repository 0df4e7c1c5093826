/**
 * The files of a Windows host.
 *
 * @module
 */

import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { readBytes } from "../../base/read_file.ts";
import { joinWindowsPath, windowsDirName } from "../../base/windows_path.ts";
import type { HostFiles } from "../../hcs/ports.ts";
import { finalPath, type PathSymbols } from "./system/final_path.ts";
import { type AccessListLibraries, grantVmGroup } from "./system/vm_group.ts";

/** Where the machine keeps things. */
export interface WindowsPlaces {
  /** This executable. */
  readonly executable: string;
  /** Value of `%ProgramFiles%`. */
  readonly programFiles: string | undefined;
}

/** How {@linkcode WindowsFiles} asks the machine. */
export interface WindowsFilesOptions {
  /** The DLLs, asked for when they are needed. */
  readonly libraries: AccessListLibraries & { readonly kernel32: PathSymbols };
  /** Asked when the default boot directory is wanted; default is this process'. */
  readonly places?: () => WindowsPlaces;
}

/** The files of this machine, named in Windows' flavour. */
export class WindowsFiles implements HostFiles {
  readonly #libraries: WindowsFilesOptions["libraries"];
  readonly #places: () => WindowsPlaces;

  /** @param options How the machine is asked. */
  constructor({ libraries, places = placesOfProcess }: WindowsFilesOptions) {
    this.#libraries = libraries;
    this.#places = places;
  }

  /** Joins path components with backslashes. */
  join(...parts: readonly string[]): string {
    return joinWindowsPath(...parts);
  }

  /** Makes a path absolute and final, as the compute service gets disks. */
  // deno-lint-ignore require-await -- a path that is not there is a rejection, not a throw
  async resolve(path: string): Promise<string> {
    return finalPath(this.#libraries.kernel32, path);
  }

  /** What a path is. */
  async stat(path: string): Promise<"file" | "directory"> {
    const { isDirectory } = await described(
      "look at",
      path,
      () => Deno.stat(path),
    );
    return isDirectory ? "directory" : "file";
  }

  /** Reads a whole file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return described("read", path, () => readBytes(path));
  }

  /** Copies a file, overwriting the target. */
  copy(from: string, to: string): Promise<void> {
    return described("copy", from, () => Deno.copyFile(from, to));
  }

  /** Lets every virtual machine open a file. */
  // deno-lint-ignore require-await -- a path that is not there is a rejection, not a throw
  async grantVmGroup(path: string): Promise<void> {
    grantVmGroup(this.#libraries, path);
  }

  /** `LinuxBootFiles` beside the executable, else `%ProgramFiles%\Linux Containers`. */
  async defaultBootDirectory(): Promise<string> {
    const { executable, programFiles } = this.#places();
    const own = this.join(windowsDirName(executable), "LinuxBootFiles");
    try {
      if (await this.stat(own) === "directory") return own;
    } catch (error) {
      if (classify(error) !== "NotFound") throw error;
    }
    if (programFiles === undefined || programFiles === "") {
      throw new ShimError(
        "NotFound",
        `Cannot find the boot files: there is no "${own}", and the environment variable ProgramFiles is not set. Name a directory in boot_files_root_path`,
      );
    }
    return this.join(programFiles, "Linux Containers");
  }

  /** Names of the files in a boot directory. */
  bootFiles(directory: string): Promise<ReadonlySet<string>> {
    return described("list", directory, async () => {
      const names = new Set<string>();
      for await (const entry of Deno.readDir(directory)) {
        if (!entry.isDirectory) names.add(entry.name);
      }
      return names;
    });
  }
}

function placesOfProcess(): WindowsPlaces {
  return {
    executable: Deno.execPath(),
    programFiles: Deno.env.get("ProgramFiles"),
  };
}

async function described<T>(
  what: string,
  path: string,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const code = classify(cause);
    const reason = code === "NotFound" ? "it does not exist" : messageOf(cause);
    throw new ShimError(code, `Cannot ${what} "${path}": ${reason}`, { cause });
  }
}
