/** The access list of a real file, changed by the Windows build of Deno under Wine. */

import { assertEquals } from "@std/assert";
import type { AccessEntry } from "../../ffi/mock/windows/access_list.ts";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("vm_group_script.ts", import.meta.url).pathname;

const group: AccessEntry = { sid: "S-1-5-83-0", access: 0x1000_0000 };

Deno.test.afterAll(stopWine);

Deno.test("under Wine, the group of all virtual machines is written once into the access list of a file", async () => {
  await setUp();
  const folder = await Deno.makeTempDir();
  const file = `${folder}/kernel.vmgs`;
  await Deno.writeTextFile(file, "");
  await Deno.chmod(file, 0o640);
  const seen = JSON.parse(
    await runWindowsDeno(script, [windowsPath(file)], {}),
  ) as Record<"read" | "written" | "again", AccessEntry[][]>;
  const text = await Deno.readTextFile(file);
  const { mode } = await Deno.stat(file);
  await Deno.remove(folder, { recursive: true });
  const [others = []] = seen.read;
  const system: AccessEntry = { sid: "S-1-5-18", access: 0x1f_01ff };
  assertEquals([others.length, others[0]], [2, system]); // and this user
  const granted = [group, ...others];
  assertEquals(seen.written, [granted, granted]);
  assertEquals(seen.again, [granted, granted]);
  // Wine keeps no list: it makes a mode of what is written, and a list of the mode.
  assertEquals((mode! & 0o777).toString(8), "770");
  assertEquals(seen.read, [others, others]);
  assertEquals(text, "still ours");
});
