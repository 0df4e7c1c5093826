import { assertEquals, assertRejects } from "@std/assert";
import { LineSplitter } from "./line_splitter.ts";
import { logFileName, type LogName } from "./names.ts";
import { readLog, type ReadOptions } from "./reader.ts";
import { LogWriter } from "./writer.ts";

const name: LogName = { namespace: "k8s.io", id: "pod1" };

interface Scene {
  readonly folder: string;
  readonly sink: (line: string) => void;
  /** Puts a generation there. */
  put(generation: number, text: string): Promise<void>;
  read(options?: ReadOptions): AsyncGenerator<string>;
}

/** Line by line. */
async function* lineByLine(
  batches: AsyncGenerator<readonly string[]>,
): AsyncGenerator<string> {
  for await (const lines of batches) yield* lines;
}

async function withLog(
  task: (scene: Scene) => Promise<void>,
  limit = 100,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-log-" });
  const writer = await LogWriter.open({
    folder,
    name,
    limit,
    onFailure: (error) => {
      throw error;
    },
  });
  try {
    await task({
      folder,
      sink: writer.sink,
      put: (generation, text) =>
        Deno.writeTextFile(`${folder}/${logFileName(name, generation)}`, text),
      read: (options) => lineByLine(readLog(folder, name, options)),
    });
  } finally {
    writer.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The next lines; fails when there are fewer. */
async function take(
  lines: AsyncGenerator<string>,
  count: number,
): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Only ${taken.length} lines: ${taken}`);
    taken.push(value);
  }
  return taken;
}

Deno.test("readLog() gives the lines of both generations from the oldest, and the torn last one", async () => {
  await withLog(async ({ read, put }) => {
    await put(9, "one\ntwo\n");
    await put(10, "\nthree\n{torn");
    assertEquals(await Array.fromAsync(read()), [
      "one",
      "two",
      "three",
      "{torn",
    ]);
  });
});

Deno.test("readLog() gives nothing where there is no log, and what the system says where it cannot look", async () => {
  await withLog(async ({ read }) => {
    assertEquals(await Array.fromAsync(read()), []);
  });
  await assertRejects(
    () => Array.fromAsync(readLog("/no/such/folder", name)),
    Deno.errors.NotFound,
  );
});

Deno.test("a follower sees every line once and in order, through many rotations", async () => {
  await withLog(async ({ read, sink }) => {
    const ending = new AbortController();
    const lines = read({ follow: true, signal: ending.signal });
    const expected: string[] = [];
    for (let line = 0; line < 60; line++) {
      const text = `${line} ${"x".repeat(line % 50)}`;
      sink(`${text}\n`);
      expected.push(text);
      // Not one by one: changes come together.
      if (line % 3 === 2) {
        assertEquals(await take(lines, 3), expected.splice(0));
      }
    }
    const rest = lines.next();
    ending.abort();
    assertEquals(await rest, { value: undefined, done: true });
  });
});

Deno.test("a follower misses nothing of what is written while it looks for the next file", async () => {
  await withLog(async ({ read, sink }) => {
    const count = 400;
    let seen = 0;
    const write = async (): Promise<void> => {
      for (let line = 0; line < count; line++) {
        // Within what two generations hold; at any point of the reader's turn.
        do await new Promise((turn) => setTimeout(turn)); while (
          line - seen > 10
        );
        sink(`${line}\n`);
      }
    };
    const lines = read({ follow: true });
    const writing = write();
    for (; seen < count; seen++) {
      assertEquals((await lines.next()).value, String(seen));
    }
    await writing;
    await lines.return(undefined);
  }, 50);
});

Deno.test("a follower waits for the end of a line", async () => {
  await withLog(async ({ folder, read, put }) => {
    await put(1, "one\nhalf");
    const lines = read({ follow: true });
    assertEquals(await take(lines, 1), ["one"]);
    const next = lines.next();
    const path = `${folder}/${logFileName(name, 1)}`;
    await Deno.writeTextFile(path, " and half\n", { append: true });
    assertEquals((await next).value, "half and half");
    await lines.return(undefined);
  });
});

Deno.test("a follower that is too slow hears that lines are missing", async () => {
  await withLog(async ({ read, sink }) => {
    sink("first\n");
    const lines = read({ follow: true });
    assertEquals(await take(lines, 1), ["first"]);
    for (let line = 0; line < 5; line++) sink(`${line} ${"x".repeat(90)}\n`);
    assertEquals(await take(lines, 4), [
      // What it has open, it reads to its end.
      `0 ${"x".repeat(90)}`,
      '{"level":"warn","msg":"Lines of the log are missing here"}',
      `3 ${"x".repeat(90)}`,
      `4 ${"x".repeat(90)}`,
    ]);
    await lines.return(undefined);
  });
});

Deno.test("a follower of a log that is not there yet waits for it, and not for others", async () => {
  await withLog(async ({ folder, read, sink }) => {
    const lines = read({ follow: true });
    const next = lines.next();
    const other = { namespace: "k8s.io", id: "pod1.1" };
    await Deno.writeTextFile(`${folder}/${logFileName(other, 1)}`, "no\n");
    sink("mine\n");
    assertEquals((await next).value, "mine");
    await lines.return(undefined);
  });
});

Deno.test("a follower that is told to end before it begins reads nothing", async () => {
  await withLog(async ({ read, sink }) => {
    sink("line\n");
    const signal = AbortSignal.abort();
    assertEquals(await Array.fromAsync(read({ follow: true, signal })), []);
  });
});

Deno.test("LineSplitter cuts lines that are too long, and no character", () => {
  const splitter = new LineSplitter(8);
  const bytes = new TextEncoder().encode("ab\n\nü€c\n");
  const lines: string[] = [];
  for (const byte of bytes) lines.push(...splitter.push(Uint8Array.of(byte)));
  lines.push(...splitter.push(new TextEncoder().encode("123456789")));
  assertEquals(lines, ["ab", "ü€c", "123456789"]);
  lines.push(...splitter.push(new TextEncoder().encode("x")));
  assertEquals([...splitter.end()], ["x"]);
});
