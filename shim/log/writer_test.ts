import { assertEquals, assertMatch } from "@std/assert";
import { logFileName, type LogName } from "./names.ts";
import { LogWriter } from "./writer.ts";

const name: LogName = { namespace: "k8s.io", id: "pod1" };

interface Scene {
  readonly folder: string;
  readonly failures: unknown[];
  open(limit?: number): Promise<LogWriter>;
  /** The text of a generation; undefined when there is none. */
  text(generation: number): Promise<string | undefined>;
}

async function withFolder(
  task: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-log-" });
  const failures: unknown[] = [];
  const writers: LogWriter[] = [];
  try {
    await task({
      folder,
      failures,
      open: async (limit = 100) => {
        const writer = await LogWriter.open({
          folder,
          name,
          limit,
          onFailure: (error) => failures.push(error),
          now: () => 0,
        });
        writers.push(writer);
        return writer;
      },
      text: async (generation) => {
        try {
          const file = logFileName(name, generation);
          return await Deno.readTextFile(`${folder}/${file}`);
        } catch (error) {
          if (error instanceof Deno.errors.NotFound) return undefined;
          throw error;
        }
      },
    });
  } finally {
    for (const writer of writers) writer.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** A line of this many bytes. */
function line(char: string, bytes: number): string {
  return `${char.repeat(bytes - 1)}\n`;
}

Deno.test("a line is in the file when the call returns, for its owner only", async () => {
  await withFolder(async ({ folder, open, text }) => {
    const { sink } = await open();
    sink("one\n");
    assertEquals(await text(1), "one\n");
    sink("two\n");
    assertEquals(await text(1), "one\ntwo\n");
    const { mode } = await Deno.stat(`${folder}/${logFileName(name, 1)}`);
    assertEquals(mode! & 0o777, 0o600);
  });
});

Deno.test("the file of a sandbox has two generations of limited size, and loses no line before", async () => {
  await withFolder(async ({ open, text }) => {
    const { sink } = await open(100);
    sink(line("a", 60));
    sink(line("b", 40));
    assertEquals(await text(1), line("a", 60) + line("b", 40));
    sink(line("c", 1 + 60));
    assertEquals([await text(1), await text(2)], [
      line("a", 60) + line("b", 40),
      line("c", 61),
    ]);
    sink(line("d", 50));
    assertEquals([await text(1), await text(2), await text(3)], [
      undefined,
      line("c", 61),
      line("d", 50),
    ]);
  });
});

Deno.test("the limit counts bytes, not characters", async () => {
  await withFolder(async ({ open, text }) => {
    const { sink } = await open(10);
    sink("äää\n");
    sink("ö\n");
    sink("x\n");
    assertEquals([await text(1), await text(2)], ["äää\nö\n", "x\n"]);
  });
});

Deno.test("a second shim goes on where the first one ended, on a line of its own", async () => {
  await withFolder(async ({ open, text }) => {
    const first = await open(100);
    first.sink(line("a", 90));
    first.sink(line("b", 90));
    first.close();
    const second = await open(100);
    second.sink("c\n");
    assertEquals(await text(2), `${line("b", 90)}\nc\n`);
    second.sink(line("d", 90));
    assertEquals([await text(1), await text(3)], [undefined, line("d", 90)]);
  });
});

Deno.test("two shims of one sandbox that overlap keep the lines of both", async () => {
  await withFolder(async ({ open, text }) => {
    const [first, second] = [await open(60), await open(60)];
    first.sink(line("a", 20));
    second.sink(line("b", 20));
    first.sink(line("c", 50));
    second.sink(line("d", 50));
    assertMatch(await text(1) ?? "", /^a+\n\n?b+\n$/);
    const later = `${await text(2)}${await text(3) ?? ""}`;
    assertMatch(later, /c{49}\n/);
    assertMatch(later, /d{49}\n/);
  });
});

Deno.test("what cannot be written is dropped, counted, and reported once", async () => {
  await withFolder(async ({ folder, failures, open, text }) => {
    const { sink } = await open(200);
    sink("one\n");
    const parked = `${folder}.away`;
    await Deno.rename(folder, parked);
    sink("two\n"); // the file is still open
    sink(line("x", 300));
    sink("three\n");
    sink("four\n");
    assertEquals(failures.length, 1);
    await Deno.rename(parked, folder);
    sink("five\n");
    assertEquals(failures.length, 1);
    assertEquals(
      await text(1),
      "one\ntwo\n\n" +
        '{"time":"1970-01-01T00:00:00.000Z","level":"warn",' +
        '"msg":"Lines of the log are missing here","dropped":3}\nfive\n',
    );
  });
});

Deno.test("a full disk fails no caller; with room again, the log says what is missing", async () => {
  await withFolder(async ({ folder, failures, open, text }) => {
    const path = `${folder}/${logFileName(name, 1)}`;
    await Deno.symlink("/dev/full", path);
    const { sink } = await open(200);
    sink("one\n");
    sink("two\n");
    assertMatch(String(failures), /^[^,]*No space left on device[^,]*$/);
    await Deno.remove(path);
    sink("three\n");
    assertMatch(await text(1) ?? "", /^\{.*"dropped":2\}\nthree\n$/);
  });
});
