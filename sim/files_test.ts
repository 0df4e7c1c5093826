import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { linuxFiles } from "./files.ts";

Deno.test("the simulated host has nothing to grant, but names a file that is not there", async () => {
  const path = await Deno.makeTempFile();
  const { mode } = await Deno.stat(path);
  await linuxFiles.grantVmGroup(path);
  assertEquals((await Deno.stat(path)).mode, mode);
  await Deno.remove(path);
  const error = await assertRejects(
    () => linuxFiles.grantVmGroup(path),
    ShimError,
    `"${path}" not found`,
  );
  assertEquals(error.code, "NotFound");
});
