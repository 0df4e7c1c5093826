import { assertEquals } from "@std/assert";

/** Numbers of `design/user-pains.md`: the ten that were designed for first. */
const topTen = [1, 2, 7, 8, 13, 14, 16, 21, 23, 26];

const root = new URL("../../", import.meta.url).pathname;

const otherFolders = new Set([".cache", ".git", "dist", "node_modules"]);

async function* testFiles(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && !otherFolders.has(name)) {
      yield* testFiles(`${folder}${name}/`);
    } else if (name.endsWith("_test.ts")) yield folder + name;
  }
}

Deno.test("each of users' ten worst pains has a regression test that names it", async () => {
  const named = new Set<number>();
  for await (const file of testFiles(root)) {
    const text = await Deno.readTextFile(file);
    for (const [, number] of text.matchAll(/["`]pains:(\d+) /g)) {
      named.add(Number(number));
    }
  }
  assertEquals(topTen.filter((number) => !named.has(number)), []);
});
