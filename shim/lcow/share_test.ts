import { assertEquals, assertMatch } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { registerOlder, withHost, withServedShim } from "./lcow_scene.ts";

Deno.test("lcow share prints where the guest has the path", async () => {
  await withServedShim(async (host, scene) => {
    await scene.runPod("pod1", "web");
    const { code, stdout, stderr } = await host.run(
      ["share", "web", "/data", "--read-only", "--json"],
    );
    assertEquals([code, stderr], [0, ""]);
    const { guestPath, ...rest } = JSON.parse(stdout);
    assertEquals(rest, { hostPath: "/data", readOnly: true });
    assertMatch(guestPath, /^\/run\//);
    const again = await host.run(["share", "pod1", "/data", "--read-only"]);
    assertMatch(again.stdout, /^\/run\/.*\n$/);
  });
});

Deno.test("lcow share says what the shim refuses", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    scene.files.stat = () => Promise.reject(new Error("nothing there"));
    assertEquals(await host.run(["share", "pod1", "/none"]), {
      code: 1,
      stdout: "",
      stderr: "containerd-shim-lcow-v2: " +
        'failed to open source path "/none": nothing there\n',
    });
  });
});

Deno.test("lcow share asks once also where the host has no shares", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    let asked = 0;
    scene.files.stat = () => {
      asked++;
      return Promise.reject(new ShimError("NotImplemented", "no shares here"));
    };
    const { code, stderr } = await host.run(["share", "pod1", "/data"]);
    assertEquals([code, asked], [1, 1]);
    assertMatch(stderr, /no shares here/);
  });
});

Deno.test("lcow share reaches a shim without the Operator service, which cannot tell the path", async () => {
  await withHost(async (host, scene) => {
    await host.serve("default", "pod1", registerOlder(scene));
    await scene.run("pod1");
    const before = scene.vm.modified.length;
    const { code, stdout } = await host.run(["share", "pod1", "/data"]);
    assertEquals(code, 0);
    assertEquals(
      stdout,
      "Shared. default/pod1 is too old to say where; its log does.\n",
    );
    assertEquals(scene.vm.modified.length, before + 1);
  });
});

Deno.test("lcow share takes absolute paths only", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    for (const path of ["data", "./data", "C:data", "\\data"]) {
      const { code, stderr } = await host.run(["share", "pod1", path]);
      assertEquals(code, 2, path);
      assertMatch(stderr, /is not absolute: the shim works in another folder/);
    }
    for (const path of ["/data", "C:\\data", "d:/data", "\\\\server\\data"]) {
      assertEquals((await host.run(["share", "pod1", path])).code, 0, path);
    }
  });
});
