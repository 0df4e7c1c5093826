import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import type { MetricDefinition } from "../base/metrics.ts";
import type { FinishedSpan } from "../base/spans.ts";
import type { SpanKind } from "../base/trace.ts";
import { Operator } from "../ttrpc/api/operator.gen.ts";
import { TtrpcClient } from "../ttrpc/client.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import {
  countSpan,
  metricsText,
  newShimMetrics,
  shimMetrics,
} from "./metrics.ts";
import { operatorHandlers } from "./services/operator.ts";
import { processSpec, withTasks } from "./services/task_scene.ts";
import { taskTopics } from "./task_events.ts";
import { noGauges } from "./testing.ts";

function span(kind: SpanKind, name: string, thrown?: unknown): FinishedSpan {
  return {
    ...{ kind, name, attributes: {}, startedAt: 0, parent: undefined },
    context: { traceId: "t", spanId: "s" },
    duration: 20,
    ...(thrown !== undefined && { error: { thrown } }),
  };
}

Deno.test("metrics are named by the conventions of Prometheus", () => {
  const all: MetricDefinition[] = Object.values(shimMetrics);
  for (const { kind, name, help, labels } of all) {
    assert(/^(lcow|process)_[a-z_]+$/.test(name), name);
    assertEquals(name.endsWith("_total"), kind === "counter", name);
    if (kind === "histogram") assert(name.endsWith("_seconds"), name);
    assert(/^[A-Z].*[^.]$/.test(help), help);
    for (const label of labels) assert(/^[a-z]+$/.test(label), label);
    assertEquals(labels.includes("le"), false);
  }
  const names = all.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
});

Deno.test("a span is counted by what it is of and by its result", () => {
  const metrics = newShimMetrics();
  const kinds: [SpanKind, string][] = [
    ["rpc", "containerd.task.v3.Task/Start"],
    ["bridge", "Start"],
    ["hcs", "modify"],
    ["hcn", "endpoint"],
    ["vm", "boot"],
    ["guest", "Start"],
  ];
  for (const [kind, name] of kinds) countSpan(metrics, span(kind, name));
  countSpan(metrics, span("hcs", "modify", new ShimError("NotFound", "no")));
  countSpan(metrics, span("hcs", "modify", "odd"));
  const counts = metrics.text(noGauges).split("\n").filter((line) =>
    /_count\{/.test(line)
  );
  assertEquals(counts, [
    'lcow_rpc_duration_seconds_count{service="containerd.task.v3.Task",method="Start",code="OK"} 1',
    'lcow_hcs_call_duration_seconds_count{operation="modify",code="OK"} 1',
    'lcow_hcs_call_duration_seconds_count{operation="modify",code="NotFound"} 1',
    'lcow_hcs_call_duration_seconds_count{operation="modify",code="Unknown"} 1',
    'lcow_hcn_call_duration_seconds_count{operation="endpoint",code="OK"} 1',
    'lcow_bridge_call_duration_seconds_count{rpc="Start",code="OK"} 1',
    'lcow_vm_phase_duration_seconds_count{phase="boot",code="OK"} 1',
  ]);
  assertStringIncludes(
    metrics.text(noGauges),
    'lcow_vm_phase_duration_seconds_sum{phase="boot",code="OK"} 0.02\n',
  );
});

Deno.test("whoever reads the metrics of a shim does not see the own call, nor misses the first loss", async () => {
  await withTasks(async (scene) => {
    const { shim } = scene;
    const handlers = operatorHandlers(shim, { namespace: "n", key: "pod1" });
    const server = new TtrpcServer({ log: silentLogger, clock: scene.clock });
    server.register(Operator, shim.calls.watch(handlers));
    const [stream, peer] = memoryPair();
    const served = server.handle(peer);
    const client = new TtrpcClient(stream, { clock: scene.clock });
    const { text } = await client.call(Operator, "Metrics", {});
    assertEquals(text.includes("lcow_rpcs_in_flight"), false);
    for (const topic of Object.values(taskTopics)) {
      assertStringIncludes(
        text,
        `lcow_events_lost_total{topic="${topic}"} 0\n`,
      );
    }
    await client.close();
    await server.close();
    await served;
  });
});

Deno.test("the text of a shim shows its sandboxes, tasks, execs and open calls by their states", async () => {
  await withTasks(async (scene) => {
    const { shim, tasks } = scene;
    const idle = metricsText(shim);
    assertEquals(idle.includes("lcow_tasks"), false);
    assertStringIncludes(idle, "\nprocess_resident_memory_bytes ");

    await scene.runPod("pod1", "web");
    await scene.create("job");
    const exec = { id: "web", execId: "probe", spec: processSpec };
    await tasks.call("Exec", exec);
    const waits = ["pod1", "web"].map((id) => tasks.call("Wait", { id }));
    const lines = new Set(metricsText(shim).split("\n"));
    for (
      const line of [
        'lcow_sandboxes{state="Running"} 1',
        'lcow_tasks{state="RUNNING"} 2',
        'lcow_tasks{state="CREATED"} 1',
        'lcow_execs{state="CREATED"} 1',
        'lcow_rpcs_in_flight{service="containerd.task.v3.Task",method="Wait"} 2',
      ]
    ) assert(lines.has(line), [...lines].join("\n"));
    const ended = shim.end("test");
    for (const process of scene.guest.processes) await process.endOutput();
    await ended;
    await Promise.all(waits);
  });
});
