import { assertEquals, assertMatch } from "@std/assert";
import { withHost, withServedShim } from "./lcow_scene.ts";

Deno.test("lcow stacks prints what shim and guest are doing", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    const asked = async (): Promise<string> =>
      (await host.run(["stacks", "pod1"])).stdout;
    assertMatch(
      await asked(),
      /^Host:\nshim: pid \d+\nsandbox "pod1": VM Running[^]*\n\nGuest:\nThe guest cannot tell/,
    );
    scene.guest.stacks = "all is quiet\n";
    assertMatch(await asked(), /\n\nGuest:\nall is quiet\n$/);
    const { shims } = JSON.parse((await host.run(["stacks", "--json"])).stdout);
    const [{ host: text, ...rest }] = shims;
    assertMatch(text, /^shim: pid /);
    assertEquals(rest, {
      address: "memory://n/pod1",
      namespace: "n",
      key: "pod1",
      guest: "all is quiet\n",
    });
  });
});

Deno.test("lcow stacks of one shim tells what it answered, of all goes on", async () => {
  await withServedShim(async (host) => {
    assertEquals(await host.run(["stacks", "pod1"]), {
      code: 1,
      stdout: "",
      stderr:
        "containerd-shim-lcow-v2: vm is not running (state: NotCreated)\n",
    });
    assertEquals(await host.run(["stacks"]), {
      code: 0,
      stdout: "Shim n/pod1\n" +
        "Cannot ask it: vm is not running (state: NotCreated)\n",
      stderr: "",
    });
  });
});

Deno.test("lcow stacks gives up on a guest that does not answer", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    const release = scene.guest.holdNext("dumpStacks");
    const answer = host.run(["stacks", "pod1"]);
    await scene.until(() => scene.guest.callsOf("dumpStacks").length > 0);
    await scene.clock.advance(5000);
    const { code, stderr } = await answer;
    assertEquals(code, 1);
    assertMatch(stderr, /longer than 5000 ms/);
    release();
  });
});

Deno.test("lcow stacks says that no shim answers", async () => {
  await withHost(async (host) => {
    assertEquals(
      (await host.run(["stacks"])).stdout,
      "No shim answers on this host.\n",
    );
  });
});
