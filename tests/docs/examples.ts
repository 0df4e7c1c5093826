/**
 * The examples in the documentation, as tests. Deno's own `--doc` makes a worker
 * for every example, and `console.assert` fails nothing there.
 *
 * @module
 */

/** One example. */
interface Example {
  /** What stands behind `@example`; may be empty. */
  readonly title: string;
  /** Its code. */
  readonly code: string;
}

const block =
  /^ *\* @example ?(.*)\n *\* ```ts( ignore)?\n((?: *\*.*\n)*?) *\* ```$/gm;

const imports = /^import [^;]* from "([^"]+)";\n/gm;

/**
 * Examples of a module, without those that are `ts ignore`.
 *
 * @param path Its path, for the message of the error.
 * @param text Its text.
 * @throws When there is one that has another form.
 */
export function examplesOf(path: string, text: string): Example[] {
  const found = [...text.matchAll(block)];
  const count = text.match(/^ *\* @example/gm)?.length ?? 0;
  if (found.length === count) {
    return found.filter(([, , ignored]) => ignored === undefined).map(
      ([, title, , lines]) => ({
        title: title!,
        code: lines!.replaceAll(/^ *\* ?/gm, ""),
      }),
    );
  }
  throw new Error(
    `Cannot read the examples of ${path}: ` +
      `an example is one block of ts, below its title`,
  );
}

/**
 * A module with an example as a test.
 *
 * @param url The module that the example documents: what it imports is relative.
 * @param name Name of the test.
 * @param code Its code.
 */
export function exampleTest(url: string, name: string, code: string): string {
  const head = [...code.matchAll(imports)].map(([line, from]) =>
    from!.startsWith(".")
      ? line.replace(`"${from}"`, JSON.stringify(new URL(from!, url).href))
      : line
  );
  const body = code.replaceAll(imports, "");
  return `${head.join("")}
const console = {
  ...globalThis.console,
  assert(isSo) {
    if (!isSo) throw new Error("the example is wrong");
  },
};
Deno.test(${JSON.stringify(name)}, async () => {
${body}});
`;
}
