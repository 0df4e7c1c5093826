import { assertEquals } from "@std/assert";
import { logFileName, type LogName, storedLogs } from "./names.ts";
import { pruneLogs } from "./prune.ts";

/** Logs from the oldest, of 10 bytes in each of two generations. */
async function withLogs(
  ids: readonly string[],
  task: (
    prune: (
      keep: { count?: number; bytes?: number },
      served?: readonly string[],
    ) => Promise<{ left: string[]; asked: string[] }>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-log-" });
  try {
    for (const [index, id] of ids.entries()) {
      for (const generation of [1, 2]) {
        const file = logFileName({ namespace: "n", id }, generation);
        await Deno.writeTextFile(`${folder}/${file}`, "x".repeat(10));
        const written = 1000 + 10 * index + generation;
        await Deno.utime(`${folder}/${file}`, written, written);
      }
    }
    await Deno.writeTextFile(`${folder}/notes`, "not a log");
    await task(async ({ count = 100, bytes = 10_000 }, served = []) => {
      const asked: string[] = [];
      const isServed = ({ id }: LogName): Promise<boolean> => {
        asked.push(id);
        return Promise.resolve(served.includes(id));
      };
      await pruneLogs(folder, isServed, { count, bytes });
      const left = (await storedLogs(folder)).map(({ id }) => id).sort();
      assertEquals(await Deno.readTextFile(`${folder}/notes`), "not a log");
      return { left, asked };
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the oldest logs go until their number is within the limit", async () => {
  await withLogs(["d", "c", "b", "a"], async (prune) => {
    const nothing = { left: ["a", "b", "c", "d"], asked: [] };
    assertEquals(await prune({ count: 4 }), nothing);
    assertEquals(await prune({ count: 2 }), {
      left: ["a", "b"],
      asked: ["d", "c"],
    });
  });
});

Deno.test("the oldest logs go until their bytes are within the limit", async () => {
  await withLogs(["c", "b", "a"], async (prune) => {
    assertEquals((await prune({ bytes: 60 })).left, ["a", "b", "c"]);
    assertEquals((await prune({ bytes: 59 })).left, ["a", "b"]);
    assertEquals((await prune({ bytes: 0 })).left, []);
  });
});

Deno.test("logs of shims that run stay, and no younger ones go for them", async () => {
  await withLogs(["c", "b", "a"], async (prune) => {
    assertEquals(await prune({ count: 2 }, ["c"]), {
      left: ["a", "b", "c"],
      asked: ["c"],
    });
    assertEquals((await prune({ count: 1 }, ["c"])).left, ["a", "c"]);
  });
});
