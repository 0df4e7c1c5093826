/**
 * What the tests of this folder share.
 *
 * @module
 */

/**
 * Runs `task` with a bundle directory that holds these files.
 *
 * @param files Contents by name.
 */
export async function withBundle(
  files: Readonly<Record<string, string>>,
  task: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "lcow-bundle-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    await task(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
