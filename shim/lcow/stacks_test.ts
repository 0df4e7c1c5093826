import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { registerOlder, withHost, withServedShim } from "./lcow_scene.ts";

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

Deno.test("lcow stacks tells what the shim does without a VM", async () => {
  await withServedShim(async (host) => {
    for (const args of [["stacks", "pod1"], ["stacks"]]) {
      const { code, stdout } = await host.run(args);
      assertEquals(code, 0);
      assertMatch(
        stdout,
        /Host:\nshim: pid \d+\n[^]*\nGuest:\nThe guest does not tell what it is doing: vm is not running \(state: NotCreated\)\n$/,
      );
    }
  });
});

Deno.test("lcow stacks tells what the shim does while the guest does not answer", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    const release = scene.guest.holdNext("dumpStacks");
    const answer = host.run(["stacks", "pod1", "--json"]);
    await scene.until(() => scene.guest.callsOf("dumpStacks").length > 0);
    await scene.clock.advance(5000);
    const { code, stdout } = await answer;
    assertEquals(code, 0);
    const [{ host: text, guestProblem, guest, problem }] =
      JSON.parse(stdout).shims;
    assertMatch(text, /\ntask "pod1"/);
    assertMatch(guestProblem, /longer than 5000 ms/);
    assertEquals([guest, problem], [undefined, undefined]);
    release();
  });
});

Deno.test("lcow stacks asks an older shim, which tells nothing while its guest does not answer", async () => {
  await withHost(async (host, scene) => {
    await host.serve("n", "pod1", registerOlder(scene));
    const ask = () => host.run(["stacks", "pod1", "--namespace", "n"]);
    await scene.run("pod1");
    scene.guest.stacks = "all is quiet\n";
    const { code, stdout } = await ask();
    assertEquals(code, 0);
    assertMatch(stdout, /^Host:\nshim: pid [^]*\nGuest:\nall is quiet\n$/);
    const release = scene.guest.holdNext("dumpStacks");
    const answer = ask();
    await scene.until(() => scene.guest.callsOf("dumpStacks").length > 1);
    await scene.clock.advance(5000);
    const refused = await answer;
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /longer than 5000 ms/);
    release();
  });
});

Deno.test("lcow stacks of all has a row for every shim, also for those that do not answer", async () => {
  await withServedShim(async (host, scene) => {
    await host.serve("n", "alien", () => {});
    host.platform.deadEndpoints.push("memory://n/gone");
    // Nobody accepts its connections.
    const hung = await scene.platform.listen("memory://n/hung");
    const ask = async (...flags: string[]): Promise<string> => {
      const before = scene.clock.sleepers;
      const answer = host.run(["stacks", ...flags]);
      await scene.until(() => scene.clock.sleepers === before + 1);
      await scene.clock.advance(10_000);
      const { code, stdout } = await answer;
      assertEquals(code, 0);
      return stdout;
    };
    const slow = "The answer of the shim took longer than 10000 ms";
    const text = await ask();
    assertStringIncludes(text, "Shim n/pod1\nHost:\nshim: pid ");
    assertStringIncludes(
      text,
      `Shim memory://n/hung\nCannot ask it: ${slow}\n`,
    );
    const gone = "it is dead; `lcow prune` removes what it left";
    assertStringIncludes(
      text,
      `Shim memory://n/gone\nCannot ask it: ${gone}\n`,
    );
    const [{ host: what, ...first }, ...others] =
      JSON.parse(await ask("--json")).shims;
    assertStringIncludes(what, "shim: pid ");
    assertEquals([first, ...others], [
      {
        address: "memory://n/pod1",
        namespace: "n",
        key: "pod1",
        guestProblem: "vm is not running (state: NotCreated)",
      },
      {
        address: "memory://n/alien",
        problem:
          "it is another program: service containerd.runhcs.v1.diag.ShimDiag",
      },
      { address: "memory://n/gone", problem: gone },
      { address: "memory://n/hung", problem: slow },
    ]);
    await hung.close();
  });
});

Deno.test("lcow stacks says that no shim runs", async () => {
  await withHost(async (host) => {
    assertEquals(
      (await host.run(["stacks"])).stdout,
      "No shim runs on this host.\n",
    );
    assertEquals(
      (await host.run(["stacks", "-n", "x"])).stdout,
      'No shim runs in namespace "x".\n',
    );
  });
});
