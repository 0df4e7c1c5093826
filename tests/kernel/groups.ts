/**
 * Control groups that tests leave.
 *
 * @module
 */

import { namesIn } from "../processes.ts";

/** Removes a group whose processes are about to be gone. */
export async function removeGroup(path: string): Promise<void> {
  for (const name of await namesIn(path)) {
    const child = `${path}/${name}`;
    if ((await Deno.lstat(child)).isDirectory) await removeGroup(child);
  }
  for (let attempt = 0;; attempt++) {
    try {
      await Deno.remove(path);
      return;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (attempt === 100) throw error;
      // The kernel ends killed processes in its own time.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
