import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { groupName, groupPrefix, stateFolders } from "./state.ts";

Deno.test("the control groups of a state folder are told by their names, from those of others", async () => {
  const ours = stateFolders("/run/lcow");
  const others = stateFolders("/tmp/other/lcow");
  const prefix = await groupPrefix(ours);
  const names = [
    await groupName(ours, "a@vm"),
    await groupName(ours, "b@vm"),
    await groupName(others, "a@vm"),
  ];
  assertEquals(new Set(names).size, 3);
  assertEquals(names.map((name) => name.startsWith(prefix)), [
    true,
    true,
    false,
  ]);
  for (const name of names) assert(/^[0-9a-f]{8}-[0-9a-f]{8}$/.test(name));
  assertNotEquals(prefix, await groupPrefix(others));
});
