import { assertEquals } from "@std/assert";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { windowsBuild } from "./version.ts";

Deno.test("the build number is the system's", () => {
  using windows = new FakeWindows();
  for (const build of [17763, 20348, 26100]) {
    windows.build = build;
    assertEquals(windowsBuild(windows.libraries.ntdll), build);
  }
  assertEquals(windows.leftovers(), []);
});
