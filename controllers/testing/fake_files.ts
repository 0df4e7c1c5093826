/**
 * Files of a host in memory, for tests of the controllers.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { HostFiles } from "../../hcs/ports.ts";
import { CallScript } from "./call_script.ts";

/** A host with Linux paths and a boot directory. */
export class FakeFiles implements HostFiles {
  /** What was called, and what fails: `resolve`, `bootFiles`, … */
  readonly script = new CallScript();
  /** Where links point to; other paths are their own resolution. */
  readonly links = new Map<string, string>();
  /** What is in the files that can be read, by path. */
  readonly contents = new Map<string, string>();
  /** Names of the files in the boot directory. */
  boot: readonly string[] = ["kernel", "initrd.img"];

  /** Joins with slashes. */
  join(...parts: readonly string[]): string {
    return parts.join("/").replaceAll(/\/+/g, "/");
  }

  /** Follows `links`. */
  async resolve(path: string): Promise<string> {
    await this.script.play("resolve", path);
    return this.links.get(path) ?? path;
  }

  /** Everything is a file. */
  async stat(path: string): Promise<"file" | "directory"> {
    await this.script.play("stat", path);
    return "file";
  }

  /** A file of `contents`. */
  async read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    await this.script.play("read", path);
    const text = this.contents.get(path);
    if (text !== undefined) return new TextEncoder().encode(text);
    throw new ShimError("NotFound", `"${path}" does not exist`);
  }

  /** Records the copy. */
  copy(from: string, to: string): Promise<void> {
    return this.script.play("copy", { from, to });
  }

  /** Records the path. */
  grantVmGroup(path: string): Promise<void> {
    return this.script.play("grantVmGroup", path);
  }

  /** Always the same one. */
  async defaultBootDirectory(): Promise<string> {
    await this.script.play("defaultBootDirectory");
    return "/boot";
  }

  /** The files of the default boot directory; no other exists. */
  async bootFiles(directory: string): Promise<ReadonlySet<string>> {
    await this.script.play("bootFiles", directory);
    if (directory === "/boot") return new Set(this.boot);
    throw new ShimError("NotFound", `"${directory}" does not exist`);
  }
}
