import { assert, assertEquals, assertThrows } from "@std/assert";
import { examplesOf, exampleTest } from "./examples.ts";

const documented = `
/**
 * Adds.
 *
 * @example Two numbers
 * \`\`\`ts
 * import { add } from "./add.ts";
 * import {
 *   equal,
 * } from "@std/assert";
 *
 * for (const one of [1]) {
 *   console.assert(add(one, 1) === 2);
 * }
 * \`\`\`
 */
`;

Deno.test("an example becomes a test with the modules that it names, whose assertions fail it", () => {
  const examples = examplesOf("add.ts", documented);
  assertEquals(examples.map(({ title }) => title), ["Two numbers"]);
  const { code } = examples[0]!;
  const module = exampleTest("file:///p/add.ts", "adds", code);
  const lines = module.split("\n");
  assertEquals(lines[0], 'import { add } from "file:///p/add.ts";');
  assertEquals(lines[3], '} from "@std/assert";');
  assert(module.includes('Deno.test("adds", async () => {\n'));
  assert(module.includes("\n  console.assert(add(one, 1) === 2);\n}\n});\n"));
  assert(module.includes("throw new Error"));
});

Deno.test("an example of another form is an error, not left out", () => {
  for (
    const text of [
      " * @example A\n * ```ts\n",
      " * @example A\n * ```js\n * ```\n",
      " * @example A\n *\n * in words\n",
    ]
  ) {
    assertThrows(() => examplesOf("a.ts", text), Error, "a.ts");
  }
  for (
    const text of [
      "export {};\n",
      " * @example Not here\n * ```ts ignore\n * 1;\n * ```\n",
    ]
  ) assertEquals(examplesOf("a.ts", text), []);
  const bare = " * @example\n * ```ts\n * 1;\n * ```\n";
  assertEquals(examplesOf("a.ts", bare), [{ title: "", code: "1;\n" }]);
});
