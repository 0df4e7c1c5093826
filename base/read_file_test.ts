import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "./errors.ts";
import { readBytes, readText } from "./read_file.ts";
import { limits } from "./timeouts.ts";

Deno.test("a file is read whole up to the limit, and refused beyond it", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "text");
    assertEquals(await readText(path), "text");
    await Deno.truncate(path, limits.file);
    assertEquals((await readBytes(path)).length, limits.file);
    await Deno.truncate(path, limits.file + 1);
    const error = await assertRejects(() => readBytes(path), ShimError);
    assertEquals(error.code, "ResourceExhausted");
  } finally {
    await Deno.remove(path);
  }
  await assertRejects(() => readBytes(path), Deno.errors.NotFound);
});
