/**
 * The source texts of the programs.
 *
 * @module
 */

const root = new URL("../../", import.meta.url);

const rooms = [
  "base",
  "bin",
  "bridge",
  "controllers",
  "ffi",
  "guest",
  "hcs",
  "image",
  "oci",
  "shim",
  "sim",
  "ttrpc",
];

async function collect(
  folder: string,
  into: Map<string, string>,
): Promise<void> {
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, root))
  ) {
    const path = `${folder}${name}`;
    if (isDirectory) await collect(`${path}/`, into);
    else if (
      name.endsWith(".ts") && !/_test\.ts$|^fake_|\.gen\.ts$/.test(name)
    ) {
      into.set(path, await Deno.readTextFile(new URL(path, root)));
    }
  }
}

/** Texts of all modules that are neither tests nor generated, by their paths below the root. */
export async function sourceTexts(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const room of rooms) await collect(`${room}/`, texts);
  return texts;
}
