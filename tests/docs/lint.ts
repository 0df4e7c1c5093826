/**
 * Checks that what other programs can import is documented, and that every type
 * that it names can be imported from the same place: each export of `deno.json`
 * and each controller's `mod.ts`, alone.
 *
 * Usage: `tests/docs/lint.ts`; fails with what `deno doc --lint` says.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

const root = new URL("../../", import.meta.url).pathname;

/** Every `mod.ts` below a folder. */
async function modulesBelow(folder: string): Promise<string[]> {
  const modules: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) modules.push(...await modulesBelow(path));
    else if (name === "mod.ts") modules.push(path);
  }
  return modules.sort();
}

/** What is wrong with the documentation of a module; empty when nothing is. */
async function findings(module: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", module],
    cwd: root,
  }).output();
  const decoder = new TextDecoder();
  return success
    ? ""
    : `${module}:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`;
}

if (import.meta.main) {
  const modules = [
    ...Object.values(manifest.exports),
    ...await modulesBelow("controllers"),
  ];
  let failed = 0;
  for (const module of modules) {
    const text = await findings(module);
    if (text === "") continue;
    failed++;
    console.error(text);
  }
  console.log(`${modules.length} modules, ${failed} with findings`);
  Deno.exit(failed > 0 ? 1 : 0);
}
