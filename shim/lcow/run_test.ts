import { assertEquals, assertMatch } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { registerAll, withHost, withServedShim } from "./lcow_scene.ts";
import type { Answer, Word } from "./word.ts";

function word(run: (signal: AbortSignal) => Promise<Answer>): Word {
  return {
    name: "do",
    summary: "does it",
    operands: [],
    flags: [],
    run: (_invocation, _context, signal) => run(signal),
  };
}

Deno.test("lcow prints a word's answer as text or as JSON, and ends with its code", async () => {
  await withHost(async (host) => {
    const answer = { text: "it\n", json: { size: 2n ** 60n }, code: 3 };
    const table = [word(() => Promise.resolve(answer))];
    assertEquals(await host.run(["do"], table), {
      code: 3,
      stdout: "it\n",
      stderr: "",
    });
    assertEquals(await host.run(["do", "--json"], table), {
      code: 3,
      stdout: '{"size":1152921504606846976}\n',
      stderr: "",
    });
  });
});

Deno.test("lcow replaces what a terminal would act on", async () => {
  await withHost(async (host) => {
    const text = "a\u001b[2J\u0007\tb\r\u009bm\u202e\n";
    const { stdout } = await host.run(["do"], [
      word(() => Promise.resolve({ text })),
    ]);
    assertEquals(stdout, "a\ufffd[2J\ufffd\tb\ufffd\ufffdm\ufffd\n");
    const json = await host.run(["do", "--json"], [
      word(() => Promise.resolve({ json: { text } })),
    ]);
    assertEquals(
      json.stdout,
      '{"text":"a\\u001b[2J\\u0007\\tb\\r\\u009bm\\u202e\\n"}\n',
    );
  });
});

Deno.test("lcow ends with 1 and one line for a failure, and with JSON for --json", async () => {
  await withHost(async (host) => {
    const failure = new ShimError("NotFound", "No\n  such thing");
    const table = [word(() => Promise.reject(failure))];
    assertEquals(await host.run(["do"], table), {
      code: 1,
      stdout: "",
      stderr: "containerd-shim-lcow-v2: No such thing\n",
    });
    assertEquals(await host.run(["do", "--json"], table), {
      code: 1,
      stdout: "",
      stderr: '{"error":{"code":"NotFound","message":"No such thing"}}\n',
    });
  });
});

Deno.test("lcow ends with 2 for a command line that it does not understand", async () => {
  await withHost(async (host) => {
    const { code, stdout, stderr } = await host.run(["top"]);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^containerd-shim-lcow-v2: lcow has no word "top"/);
    const json = await host.run(["ps", "-x", "--json"]);
    assertEquals(json.code, 2);
    assertEquals(JSON.parse(json.stderr).error.code, "InvalidArgument");
  });
});

Deno.test("lcow takes a --json of somebody else's command for none of its own", async () => {
  await withHost(async (host) => {
    const failing = {
      ...word(() => Promise.reject(new ShimError("Internal", "no"))),
      operands: [{ name: "COMMAND", summary: "what", rest: true as const }],
    };
    const { stderr } = await host.run(["do", "ls", "--json"], [failing]);
    assertEquals(stderr, "containerd-shim-lcow-v2: no\n");
  });
});

Deno.test("lcow ends with 141 and without a word when nobody reads its output", async () => {
  await withHost(async (host) => {
    const gone = new Deno.errors.BrokenPipe("nobody reads");
    const table = [word(() => Promise.reject(gone))];
    assertEquals(await host.run(["do"], table), {
      code: 141,
      stdout: "",
      stderr: "",
    });
  });
});

Deno.test("lcow prints its help without a look at the host", async () => {
  await withHost(async (host) => {
    host.platform.endpoints = () => Promise.reject(new Error("looked"));
    for (const args of [["--help"], ["ps", "--help"]]) {
      const { code, stdout, stderr } = await host.run(args);
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, /^Usage: containerd-shim-lcow-v2 lcow /);
    }
  });
});

Deno.test("lcow ends with 130 when it is interrupted, also while a shim hangs", async () => {
  await withHost(async (host, scene) => {
    const hung = await scene.platform.listen("memory://n/hung");
    const listing = host.run(["ps"]);
    await scene.until(() => scene.clock.sleepers > 0);
    host.interruption.abort();
    assertEquals(await listing, { code: 130, stdout: "", stderr: "" });
    await hung.close();
  });
});

Deno.test("lcow names the candidates of an id that two shims know", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    await host.serve("m", "pod1", registerAll(scene, "m", "pod1"));
    const expected = "containerd-shim-lcow-v2: " +
      'Several shims know "pod1": m/pod1, n/pod1; say which with --namespace\n';
    assertEquals(await host.run(["stacks", "pod1"]), {
      code: 1,
      stdout: "",
      stderr: expected,
    });
    assertEquals((await host.run(["stacks", "pod1", "-n", "m"])).code, 0);
  });
});

Deno.test("lcow says that the shim of an id is dead", async () => {
  await withHost(async (host) => {
    host.platform.deadEndpoints.push("memory://n/gone");
    const { code, stderr } = await host.run(["stacks", "gone", "-n", "n"]);
    assertEquals(code, 1);
    assertMatch(stderr, /Cannot ask n\/gone: its shim is gone: `lcow prune`/);
  });
});
