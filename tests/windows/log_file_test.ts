/** A log file, written by the Windows build of Deno under Wine. */

import { assertEquals } from "@std/assert";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("log_file_script.ts", import.meta.url).pathname;

Deno.test.afterAll(stopWine);

Deno.test("under Wine, two streams append to the log file that a URL names", async () => {
  await setUp();
  const folder = await Deno.makeTempDir();
  try {
    const path = windowsPath(`${folder}/logs/web 1.log`);
    const url = `file:///${path.replaceAll("\\", "/").replace(" ", "%20")}`;
    for (const times of [1, 2]) {
      const seen = JSON.parse(await runWindowsDeno(script, [url], {}));
      assertEquals(seen, { path });
      const text = await Deno.readTextFile(`${folder}/logs/web 1.log`);
      assertEquals(text, "one\ntwo\nthree\n".repeat(times));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
