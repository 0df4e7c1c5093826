import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { PendingFiles } from "../base/pending_files.ts";
import { parseWaitArguments, waitPaths } from "./wait_paths.ts";

Deno.test("guest:O11 wait-paths waits for paths that are there or come, and ends at its bound", async () => {
  const folder = await Deno.makeTempDir();
  using files = new PendingFiles();
  const { clock } = files;
  const begun = async (): Promise<void> => {
    while (clock.sleepers < 2) await clock.advance(0);
  };
  try {
    await assertRejects(
      () => waitPaths(["-p", ""], clock),
      ShimError,
      "no paths are named",
    );
    await waitPaths(["-p", `${folder},/`], clock);
    const coming = [`${folder}/a`, `${folder}/b`];
    const waited = waitPaths(["-p", coming.join()], clock);
    await begun();
    for (const path of coming) {
      await Deno.writeTextFile(path, "");
      await clock.advance(10);
    }
    await waited;
    const started = clock.now();
    const missing = assertRejects(
      () => waitPaths(["-p", `${folder}/c`, "-t", "5"], clock),
      ShimError,
      "within 5000 ms",
    );
    await begun();
    await clock.advance(5000);
    assertEquals((await missing).code, "DeadlineExceeded");
    assertEquals(clock.now() - started, 5000);
    assertEquals(clock.sleepers, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("parseWaitArguments() knows its flags and refuses others", () => {
  const expected = { paths: ["/a", "/b"], timeout: 30_000 };
  for (const args of [["-p", "/a,/b"], ["-p=/a,/b"], ["--paths", "/a,,/b"]]) {
    assertEquals(parseWaitArguments(args), expected);
  }
  assertEquals(parseWaitArguments(["--timeout=7"]).timeout, 7000);
  for (const args of [["x"], ["-x", "1"], ["-p"], ["-t", "-1"], ["-t", "1s"]]) {
    assertThrows(() => parseWaitArguments(args), ShimError, "wait-paths");
  }
});
