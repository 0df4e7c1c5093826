/** The endpoints of a computer, listed by the Windows build of Deno under Wine. */

import { assertEquals } from "@std/assert";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("pipe_names_script.ts", import.meta.url).pathname;

Deno.test.afterAll(stopWine);

/** Wine 8 opens the folder of pipes and cannot list it: ERROR_BAD_DEV_TYPE. */
const cannotList = "(0x80070042)";

Deno.test("under Wine, the platform lists the endpoints that are served", async () => {
  await setUp();
  let output: string;
  try {
    output = await runWindowsDeno(script, [], {});
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(cannotList))) {
      throw error;
    }
    console.log("skip: endpoints of a computer: this Wine cannot list pipes");
    return;
  }
  const { addresses: [pod, web], seen } = JSON.parse(output);
  assertEquals(seen, [[web, pod], [web], []]);
});

Deno.test("under Wine, names are read as the system writes them", async () => {
  await setUp();
  const folder = await Deno.makeTempDir();
  const long = "n".repeat(250);
  for (const name of [long, "a", "\u00e9t\u00e9"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "");
  }
  const path = windowsPath(folder);
  const names = JSON.parse(await runWindowsDeno(script, [path], {}));
  await Deno.remove(folder, { recursive: true });
  const expected = [".", "..", "a", long, "\u00e9t\u00e9"];
  assertEquals(names, expected.map((name) => `${path}\\${name}`));
});
