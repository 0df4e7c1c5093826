/** The log file of a shim, written and followed by the Windows build of Deno under Wine. */

import { assertEquals } from "@std/assert";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("shim_log_script.ts", import.meta.url).pathname;

Deno.test.afterAll(stopWine);

Deno.test("under Wine, a log is followed through rotations in a folder that is made for it", async () => {
  await setUp();
  const folder = await Deno.makeTempDir();
  try {
    const data = windowsPath(folder);
    assertEquals(JSON.parse(await runWindowsDeno(script, [data], {})), {
      folder: `${data}\\lcow\\log`,
      read: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
      again: ["6", "7", "8", "9"],
    });
    const files: string[] = [];
    for await (const { name } of Deno.readDir(`${folder}/lcow/log`)) {
      files.push(name);
    }
    assertEquals(files.sort(), [
      "lcow+k8s.io+%50od%3a1.4.jsonl",
      "lcow+k8s.io+%50od%3a1.5.jsonl",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
