import { assert, assertEquals, assertMatch } from "@std/assert";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import { shimMetrics } from "../metrics.ts";
import { operatorHandlers } from "../services/operator.ts";
import { parseExposition } from "./exposition.ts";
import {
  registerAll,
  registerOlder,
  withHost,
  withServedShim,
} from "./lcow_scene.ts";
import { shimLabels } from "./metrics.ts";

/** Asserts the rules of the format that a reader of ours does not look at. */
function assertValid(text: string): void {
  const families = parseExposition(text);
  const names = families.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
  for (const keyword of ["HELP", "TYPE"]) {
    const told = text.match(new RegExp(`^# ${keyword} \\S+`, "gm")) ?? [];
    assertEquals(told, names.map((name) => `# ${keyword} ${name}`));
  }
  const keys = families.flatMap(({ samples }) =>
    samples.map(({ name, labels }) => JSON.stringify([name, labels.toSorted()]))
  );
  assertEquals(keys.length, new Set(keys).size);
  for (const { samples } of families) {
    for (const { labels } of samples) {
      const given = labels.map(([name]) => name);
      assertEquals(given.slice(0, 2), [...shimLabels]);
      assertEquals(given.length, new Set(given).size);
    }
  }
  assert(text.endsWith("\n"));
}

Deno.test("lcow metrics merges what shims told, and says who did not", async () => {
  await withHost(async (host, scene) => {
    await host.serve("n", 'pod"1', registerAll(scene, "n", 'pod"1'));
    await host.serve("n", "pod2", registerAll(scene, "n", "pod2"));
    await host.serve("default", "pod1", registerOlder(scene));
    await host.serve("n", "other", () => {});
    host.platform.deadEndpoints.push("memory://n/dead");
    await scene.run("pod1");
    const { code, stdout, stderr } = await host.run(["metrics"]);
    assertEquals(code, 0);
    assertValid(stdout);
    const lines = stdout.split("\n");
    assertEquals(lines.filter((line) => line.startsWith("lcow_shim_up")), [
      'lcow_shim_up{namespace="default",sandbox="pod1"} 0',
      'lcow_shim_up{namespace="n",sandbox="pod\\"1"} 1',
      'lcow_shim_up{namespace="n",sandbox="pod2"} 1',
      'lcow_shim_up{namespace="",sandbox="memory://n/dead"} 0',
      'lcow_shim_up{namespace="",sandbox="memory://n/other"} 0',
    ]);
    assertEquals(lines.filter((line) => line.startsWith("lcow_tasks{")), [
      'lcow_tasks{namespace="n",sandbox="pod\\"1",state="RUNNING"} 1',
      'lcow_tasks{namespace="n",sandbox="pod2",state="RUNNING"} 1',
    ]);
    const complaints = stderr.trimEnd().split("\n");
    const expected = [
      /^containerd-shim-lcow-v2: No metrics of default\/pod1: It is too old/,
      /^containerd-shim-lcow-v2: No metrics of memory:\/\/n\/dead: it is dead/,
      /^containerd-shim-lcow-v2: No metrics of memory:\/\/n\/other: /,
    ];
    assertEquals(complaints.length, expected.length);
    for (const [at, line] of complaints.entries()) {
      assertMatch(line, expected[at]!);
    }
    assertEquals(
      (await host.run(["metrics", "-n", "none"])).stdout.match(/^lcow_/gm)
        ?.length,
      2, // those whose namespace nobody knows
    );
  });
});

Deno.test("lcow metrics of one shim tells what it answered, or why it did not", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    const { code, stdout, stderr } = await host.run(["metrics", "pod1"]);
    assertEquals([code, stderr], [0, ""]);
    assertValid(stdout);
    assertMatch(stdout, /^lcow_shim_up\{namespace="n",sandbox="pod1"\} 1$/m);
    const missing = await host.run(["metrics", "none"]);
    assertEquals([missing.code, missing.stdout], [1, ""]);
  });
});

Deno.test("lcow metrics --json has the samples as objects", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    host.platform.deadEndpoints.push("memory://n/dead");
    const { stdout, stderr } = await host.run(["metrics", "--json"]);
    assertEquals(stderr, "");
    const { shims: [one, dead] } = JSON.parse(stdout);
    const { samples, ...rest } = one;
    assertEquals(rest, {
      address: "memory://n/pod1",
      namespace: "n",
      key: "pod1",
    });
    assertEquals(
      samples.filter(({ name }: { name: string }) => name === "lcow_tasks"),
      [{ name: "lcow_tasks", labels: { state: "RUNNING" }, value: 1 }],
    );
    assertEquals(dead, {
      address: "memory://n/dead",
      problem: "it is dead; `lcow prune` removes what it left",
    });
  });
});

Deno.test("a shim that hangs or tells nonsense spoils nothing", async () => {
  await withHost(async (host, scene) => {
    await host.serve("n", "good", registerAll(scene, "n", "good"));
    const asked: string[] = [];
    for (const key of ["hung", "nonsense"]) {
      await host.serve("n", key, (server) =>
        server.register(Operator, {
          ...operatorHandlers(scene.shim, { namespace: "n", key }),
          Metrics: () => {
            asked.push(key);
            return key === "hung"
              ? new Promise(() => {})
              : Promise.resolve({ text: "<html>\n" });
          },
        }));
    }
    const answer = host.run(["metrics"]);
    await scene.until(() => asked.includes("hung"));
    await scene.clock.advance(defaultTimeouts.diagCall);
    const { code, stdout, stderr } = await answer;
    assertEquals(code, 0);
    assertValid(stdout);
    assertEquals(stdout.match(/^lcow_shim_up\{.*\} .$/gm), [
      'lcow_shim_up{namespace="n",sandbox="good"} 1',
      'lcow_shim_up{namespace="n",sandbox="hung"} 0',
      'lcow_shim_up{namespace="n",sandbox="nonsense"} 0',
    ]);
    assertMatch(stderr, /of n\/hung: .* longer than 10000 ms\n/);
    assertMatch(stderr, /of n\/nonsense: Line 1 of its metrics is none/);
  });
});

Deno.test("no metric of a shim has the labels that tell shims apart", () => {
  for (const { name, labels } of Object.values(shimMetrics)) {
    for (const label of shimLabels) {
      assert(!labels.some((own: string) => own === label), name);
    }
  }
});
