/**
 * The command of the suite `unit`: the tests beside the code, and the examples
 * in the documentation.
 *
 * Deno makes a worker for every module that it is given, which takes longer than
 * most modules' tests. So the tests come in a few modules that import them. Each
 * begins with the one that fixes what is random.
 *
 * @module
 */

import { examplesOf, exampleTest } from "./docs/examples.ts";

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

/** Writes a module that imports others. @returns Its path. */
async function writeImports(
  path: string,
  modules: readonly string[],
): Promise<string> {
  const lines = modules.map((module) => `import "file://${module}";\n`);
  await Deno.writeTextFile(path, lines.join(""));
  return path;
}

/** Writes the examples of modules as tests. @returns The module that has them. */
async function writeExamples(
  root: string,
  files: readonly string[],
  folder: string,
): Promise<string> {
  const modules: string[] = [];
  for (const file of files) {
    const text = await Deno.readTextFile(root + file);
    for (const { title, code } of examplesOf(file, text)) {
      const module = `${folder}/example${modules.length}.ts`;
      const name = `example of ${file}: ${title || modules.length}`;
      await Deno.writeTextFile(
        module,
        exampleTest(`file://${root}${file}`, name, code),
      );
      modules.push(module);
    }
  }
  return await writeImports(`${folder}/examples.ts`, modules);
}

/**
 * Arguments of deno for everything below some folders.
 *
 * @param root The project, with a slash at the end.
 * @param paths Folders and files below it.
 * @param folder Where modules can be written.
 */
export async function unitCommand(
  root: string,
  paths: readonly string[],
  folder: string,
): Promise<string[]> {
  const files = await filesOf(root, paths);
  const tests = files.filter((file) => file.endsWith("_test.ts"));
  const modules: string[] = [];
  for (let at = 0; at < tests.length; at += modulesPerWorker) {
    const part = ["tests/fixed_seed.ts"]
      .concat(tests.slice(at, at + modulesPerWorker))
      .map((file) => root + file);
    modules.push(await writeImports(`${folder}/${modules.length}.ts`, part));
  }
  const documented = files.filter((file) => !file.endsWith("_test.ts"));
  modules.push(await writeExamples(root, documented, folder));
  const flags = ["test", "-A", "--no-check", "--parallel"];
  return [...flags, "--config", `${root}deno.json`, ...modules];
}
