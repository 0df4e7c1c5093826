/**
 * The run-time half of protobufjs as one ES module: the package has it only as
 * CommonJS, whose loader takes longer than everything else that `serve` loads
 * before its first answer.
 *
 * @module
 */

/** Where the module is written. */
export const protobufModule = "ttrpc/protobuf.gen.js";

/** Package, version and file, as the import map names them. */
const name = "protobufjs";
const file = "dist/minimal/protobuf.js";

/** The version that the import map pins. */
function pinnedVersion(root: URL): string {
  const manifest = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", root)),
  );
  return manifest.imports[name].split("@").at(-1);
}

/** Deno's folder of npm packages. */
function npmCache(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stderr: "inherit",
  }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

/** The file in the cache, which has one folder per registry. */
function distribution(version: string): string {
  const cache = npmCache();
  for (const { name: registry } of Deno.readDirSync(cache)) {
    try {
      return Deno.readTextFileSync(
        `${cache}/${registry}/${name}/${version}/${file}`,
      );
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Deno.errors.NotFound(
    `${name} ${version} is not in the cache ${cache}: run "deno install"`,
  );
}

/** The text of the module. */
export function protobufSource(root: URL): string {
  const version = pinnedVersion(root);
  const text = distribution(version)
    .replace(/\n\/\/# sourceMappingURL=.*\n*$/, "\n");
  return `// The run-time half of ${name} ${version} as its package distributes it, wrapped
// as an ES module by "deno task codegen"; do not edit.

const module = { exports: {} };
${text}
export default module.exports;
`;
}
