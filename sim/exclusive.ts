/**
 * Mutual exclusion between processes.
 *
 * @module
 */

/**
 * Runs `task` while no other process, and no other call in this one, does so
 * with the same folder. The lock ends with the process; it leaves no file.
 *
 * @param folder Is made when it is missing, for this user only.
 */
export async function exclusively<T>(
  folder: string,
  task: () => Promise<T>,
): Promise<T> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using directory = await Deno.open(folder);
  await directory.lock(true);
  return await task();
}
