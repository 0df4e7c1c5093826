/**
 * The commands of the suite `unit`: the tests beside the code, and the examples
 * in the documentation.
 *
 * Deno makes a worker for every module that it is given, which takes longer than
 * most modules' tests. So the tests come in a few modules that import them.
 *
 * @module
 */

/** Test modules that one worker takes. */
const modulesPerWorker = 40;

/** Files below some folders, or the files themselves, in order. */
async function filesOf(
  root: string,
  paths: readonly string[],
): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (path.endsWith(".ts")) {
      files.push(path);
      continue;
    }
    const entries = await Array.fromAsync(Deno.readDir(root + path));
    const inner = entries.filter(({ name, isDirectory }) =>
      isDirectory || name.endsWith(".ts")
    ).map(({ name }) => `${path}/${name}`);
    files.push(...await filesOf(root, inner.sort()));
  }
  return files;
}

async function hasExample(path: string): Promise<boolean> {
  return /^ *\* @example/m.test(await Deno.readTextFile(path));
}

/**
 * Arguments of deno for everything below some folders.
 *
 * @param root The project, with a slash at the end.
 * @param paths Folders and files below it.
 * @param folder Where modules can be written.
 */
export async function unitCommands(
  root: string,
  paths: readonly string[],
  folder: string,
): Promise<string[][]> {
  const files = await filesOf(root, paths);
  const tests = files.filter((file) => file.endsWith("_test.ts"));
  const modules: string[] = [];
  for (let at = 0; at < tests.length; at += modulesPerWorker) {
    const part = tests.slice(at, at + modulesPerWorker);
    const module = `${folder}/${modules.length}.ts`;
    const lines = part.map((file) => `import "file://${root}${file}";\n`);
    await Deno.writeTextFile(module, lines.join(""));
    modules.push(module);
  }
  const documented: string[] = [];
  for (const file of files) {
    if (await hasExample(root + file)) documented.push(file);
  }
  const flags = ["test", "-A", "--no-check", "--parallel"];
  return [
    [...flags, "--config", `${root}deno.json`, ...modules],
    [...flags, "--doc", ...documented],
  ];
}
