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
  const { open, stat } = Deno;
  {
    using _files = new PendingFiles();
    assert(Deno.open !== open);
  }
  assert(Deno.open === open && Deno.stat === stat);
});
