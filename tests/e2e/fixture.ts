/**
 * One private containerd for the tests of a file, and what they do with it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Finished, PrivateContainerd } from "../containerd.ts";

/** Bound of one test, in milliseconds: for what hangs, on a machine of any load. */
export const limit = 300_000;

let containerd: PrivateContainerd | undefined;

/** The running containerd. */
export function daemon(): PrivateContainerd {
  if (containerd === undefined) throw new Error("containerd is not running");
  return containerd;
}

/** Registers hooks that start containerd before the file's tests and stop it after. */
export function useContainerd(): void {
  Deno.test.beforeAll(async () => {
    containerd = await PrivateContainerd.start();
  });
  Deno.test.afterAll(async () => {
    const stopping = containerd;
    containerd = undefined;
    await stopping?.stop();
  });
}

/**
 * Runs a test with a containerd of its own: the sanitizers do not allow a test to
 * end a process of another one.
 */
export async function withContainerd(
  test: (ctr: PrivateContainerd) => Promise<void>,
): Promise<void> {
  await using ctr = await PrivateContainerd.start();
  containerd = ctr;
  try {
    await test(ctr);
  } finally {
    containerd = undefined;
  }
}

let nextId = 0;

/** A fresh container id. */
export function newId(prefix = "c"): string {
  return `${prefix}-${Deno.pid}-${nextId++}`;
}

/** Runs a command in a container of its own with `ctr run --rm`. */
export function runContainer(
  command: readonly string[],
  flags: readonly string[] = [],
  input?: Uint8Array,
): Promise<Finished> {
  const args = daemon().runArgs(newId(), command, ["--rm", ...flags]);
  return daemon().run(args, input);
}

/** Fails when a shim, VM, mount, cgroup, file or loop device is left. */
export async function assertNothingLeft(): Promise<void> {
  assertEquals(await daemon().leftovers(), []);
}

/** Kills and deletes a task, if there is one, and its container. */
export async function remove(id: string): Promise<void> {
  await daemon().run(["task", "delete", "--force", id]);
  await daemon().run(["container", "delete", id]);
}

/** Pid of the shim that serves a group, found by its command line. */
export async function shimPid(id: string): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = (await Deno.readTextFile(`/proc/${name}/cmdline`)).split(
        "\0",
      );
      if (words.includes("serve") && words.includes(id)) return Number(name);
    } catch (error) {
      if (!(error instanceof Error)) throw error; // A process that just ended.
    }
  }
  throw new Error(`No shim of "${id}" is running`);
}
