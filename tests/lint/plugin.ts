/**
 * House rules that a machine can see: which room may import which, where native
 * calls may stand, and the one file that asks for the operating system.
 *
 * @module
 */

const root = new URL("../../", import.meta.url).pathname;

/** What each room may import beside itself. `tests` and `docs` may import all. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  schema: [],
  codegen: ["schema"],
  ffi: ["base", "hcs"],
  bridge: ["base"],
  ttrpc: ["base"],
  hcs: ["base"],
  oci: ["base"],
  controllers: ["base", "hcs", "oci", "bridge"],
  shim: ["base", "hcs", "oci", "bridge", "ttrpc", "ffi", "controllers"],
  guest: ["base", "oci", "bridge", "ffi/linux"],
  image: ["base"],
  sim: ["base", "hcs", "ffi/linux", "ffi/mock"],
};

/** Edges of single files: the places where a seam is wired. */
const seams: Readonly<Record<string, readonly string[]>> = {
  "shim/host.ts": ["sim"],
  "sim/host.ts": ["ffi/windows"],
};

/** Path of a file from the project's root. */
function relative(path: string): string {
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/**
 * Judges one import.
 *
 * @param from The importing file, from the project's root.
 * @param to The imported file, from the project's root.
 * @returns What is wrong with it, or undefined.
 */
export function judgeImport(from: string, to: string): string | undefined {
  if (to === "deno.json") return undefined;
  const [room = ""] = from.split("/");
  const allowed = mayImport[room];
  if (allowed === undefined) return undefined;
  const inRoom = (names: readonly string[]): boolean =>
    names.some((name) => to.startsWith(`${name}/`));
  if (inRoom([room, ...allowed, ...(seams[from] ?? [])])) return undefined;
  if (/_(test|bench)\.ts$/.test(from) && inRoom(["tests/std"])) {
    return undefined;
  }
  return `${from} may not import ${to}: "${room}" imports only ${
    allowed.length === 0 ? "itself" : allowed.join(", ")
  } (docs/rooms.md)`;
}

function check(
  context: Deno.lint.RuleContext,
  node: Deno.lint.Node,
  to: string,
): void {
  if (!to.startsWith(".")) return;
  const target = new URL(to, `file://${context.filename}`).pathname;
  const message = judgeImport(relative(context.filename), relative(target));
  if (message !== undefined) context.report({ node, message });
}

const plugin: Deno.lint.Plugin = {
  name: "lcow",
  rules: {
    "import-rule": {
      create(context) {
        return {
          ImportDeclaration: (node) => check(context, node, node.source.value),
          ExportAllDeclaration: (node) =>
            check(context, node, node.source.value),
          ExportNamedDeclaration: (node) => {
            if (node.source) check(context, node, node.source.value);
          },
          ImportExpression: (node) => {
            const { source } = node;
            if (source.type === "Literal" && typeof source.value === "string") {
              check(context, node, source.value);
            }
          },
        };
      },
    },
    "native-calls-in-ffi": {
      create(context) {
        const file = relative(context.filename);
        if (file.startsWith("ffi/")) return {};
        return {
          MemberExpression(node) {
            const { object, property } = node;
            if (
              object.type === "Identifier" && object.name === "Deno" &&
              property.type === "Identifier" &&
              /^(dlopen|Unsafe)/.test(property.name)
            ) {
              context.report({
                node,
                message: `Deno.${property.name} stands only in ffi/`,
              });
            }
          },
        };
      },
    },
    "os-asked-once": {
      create(context) {
        const file = relative(context.filename);
        if (file === "shim/host.ts") return {};
        return {
          MemberExpression(node) {
            if (context.sourceCode.getText(node) === "Deno.build.os") {
              context.report({
                node,
                message: "Deno.build.os is asked only in shim/host.ts",
              });
            }
          },
        };
      },
    },
  },
};

export default plugin;
