import { assertEquals } from "@std/assert";
import { judgeArchitecture, judgeBuild } from "./system.ts";

Deno.test.each([
  [17_762, "gap"],
  [17_763, "warning"],
  [18_285, "warning"],
  [18_286, undefined],
  [26_100, undefined],
])("judgeBuild() of %d is %s", (build: number, state: string | undefined) => {
  assertEquals(judgeBuild(build).state, state);
});

Deno.test("judgeBuild() says what a build does not have", () => {
  assertEquals(
    [17_763, 20_348, 26_100].map((build) => judgeBuild(build).found),
    [
      "17763 boots a Linux kernel through UEFI only",
      "20348, without virtual NUMA nodes",
      "26100",
    ],
  );
});

Deno.test("judgeArchitecture() knows amd64, doubts arm64 and refuses others", () => {
  assertEquals(
    ["amd64", "arm64", "riscv64"].map((arch) => judgeArchitecture(arch).state),
    [undefined, "warning", "gap"],
  );
});
