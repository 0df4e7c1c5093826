/**
 * Formats generated text as the rest of the repository is formatted.
 *
 * @module
 */

/**
 * Formats TypeScript modules with `deno fmt`, all in one process.
 *
 * @param texts Texts by path; the paths are only names here.
 * @returns The formatted texts by the same paths.
 * @throws {Error} When a text is not TypeScript.
 */
export function format(
  texts: ReadonlyMap<string, string>,
): Map<string, string> {
  const folder = Deno.makeTempDirSync({ prefix: "codegen-" });
  try {
    const files = [...texts].map(([path, text], index) => {
      const file = `${folder}/${index}.ts`;
      Deno.writeTextFileSync(file, text);
      return { path, file };
    });
    const { success, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", "--no-config", ...files.map(({ file }) => file)],
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new Map(
      files.map(({ path, file }) => [path, Deno.readTextFileSync(file)]),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
