import { assert, assertEquals } from "@std/assert";
import { PendingFiles } from "./pending_files.ts";

Deno.test("calls for files are waited for, also those that fail", async () => {
  using files = new PendingFiles();
  assertEquals(await files.finished(), false);
  let ended = 0;
  const read = Deno.readTextFile(new URL(import.meta.url))
    .finally(() => ended++);
  const failed = Deno.stat("/no/such/file").catch(() => {})
    .finally(() => ended++);
  assertEquals(await files.finished(), true);
  assertEquals(await files.finished(), false);
  await Promise.all([read, failed]);
  assertEquals(ended, 2);
});

Deno.test("Deno has its own functions again afterwards", () => {
  const { open, readDir, stat } = Deno;
  {
    using _files = new PendingFiles();
    assert(Deno.open !== open && Deno.readDir !== readDir);
  }
  assert(Deno.open === open && Deno.stat === stat);
  assert(Deno.readDir === readDir);
});

Deno.test("its clock wakes a sleeper only when what the last one reads is there", async () => {
  using files = new PendingFiles();
  const { clock } = files;
  const folder = new URL(".", import.meta.url);
  const read: number[] = [];
  const reading = (async () => {
    for (let at = 1; at <= 2; at++) {
      await clock.sleep(10);
      const names = await Array.fromAsync(Deno.readDir(folder));
      const text = await Deno.readTextFile(new URL(names[0]!.name, folder));
      if (text !== "") read.push(at);
    }
  })();
  await clock.advance(10);
  assertEquals(read, [1]);
  await clock.advance(10);
  assertEquals(read, [1, 2]);
  await reading;
});
