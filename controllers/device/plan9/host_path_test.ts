import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { joinWindowsPath } from "../../../base/windows_path.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { Plan9Controller } from "./controller.ts";
import { type PathFiles, planShare, shareForLife } from "./host_path.ts";
import { data, firstPath, injected } from "./testing.ts";

const files: PathFiles = {
  join: joinWindowsPath,
  stat: (path) =>
    path.includes("missing")
      ? Promise.reject(new ShimError("NotFound", "it is not there"))
      : Promise.resolve(path.endsWith(".ini") ? "file" : "directory"),
};

const forever = new AbortController().signal;

Deno.test("planShare() shares a directory as it is, and a file alone in its directory", async () => {
  assertEquals(await planShare(files, "C:\\data", false), {
    share: { hostPath: "C:\\data", readOnly: false },
  });
  assertEquals(await planShare(files, "C:\\conf\\a.ini", true), {
    share: {
      hostPath: "C:\\conf\\",
      readOnly: true,
      restrict: true,
      allowedNames: ["a.ini"],
    },
    file: "a.ini",
  });
  await assertRejects(
    () => planShare(files, "C:\\missing", true),
    ShimError,
    "it is not there",
  );
});

Deno.test("shareForLife() answers the path in the guest and keeps the share", async () => {
  const plan9 = new Plan9Controller(new DeviceWorld());
  assertEquals(
    await shareForLife(plan9, { share: data, file: "a" }, forever),
    `${firstPath}/a`,
  );
  assertEquals(await shareForLife(plan9, { share: data }, forever), firstPath);
  assertEquals(plan9.reservations, 2);
});

for (const side of ["vm", "guest"] as const) {
  Deno.test(`shareForLife() leaves nothing when the ${side} refuses`, async () => {
    const world = new DeviceWorld();
    const plan9 = new Plan9Controller(world);
    world.script.failNext(side, injected);
    await assertRejects(
      () => shareForLife(plan9, { share: data }, forever),
      ShimError,
      "injected",
    );
    assertEquals([plan9.reservations, world.isEmpty], [0, true]);
  });
}

Deno.test("shareForLife() leaves nothing when its caller is gone at the end", async () => {
  const world = new DeviceWorld();
  const plan9 = new Plan9Controller(world);
  const caller = new AbortController();
  const release = world.script.holdNext("guest");
  const shared = shareForLife(plan9, { share: data }, caller.signal);
  await world.reached(`guest Add ${firstPath}`);
  caller.abort(new ShimError("Canceled", "the client is gone"));
  release();
  await assertRejects(() => shared, ShimError, "the client is gone");
  assertEquals([plan9.reservations, world.isEmpty], [0, true]);
});
