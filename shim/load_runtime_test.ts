import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { readFull } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import type { JsonObject } from "../base/json.ts";
import { jsonLogger, silentLogger } from "../base/log.ts";
import { SpanTracer } from "../base/spans.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { bridgePort } from "../bridge/places.ts";
import { ScriptedPeer } from "../bridge/scripted_peer.ts";
import {
  fakeEndpoint,
  FakeHostNetwork,
} from "../controllers/network/testing.ts";
import { FakeCompute } from "../controllers/testing/fake_compute.ts";
import { FakeFiles } from "../controllers/testing/fake_files.ts";
import { FakeSockets } from "../controllers/testing/fake_sockets.ts";
import { entropyPort, logPort } from "../controllers/vm/kernel_command_line.ts";
import type { WindowsHost } from "../hcs/ports.ts";
import { TaskV3 } from "../ttrpc/api/task.gen.ts";
import { Calls } from "./calls.ts";
import { FakePlatform } from "./fake_platform.ts";
import { FakeCall } from "./fake_shim.ts";
import { loadRuntime } from "./load_runtime.ts";
import { countSpan, newShimMetrics } from "./metrics.ts";
import { noOptions } from "./options.ts";
import type { Runtime, Vm } from "./runtime.ts";
import { ServiceClient } from "./services/fake_client.ts";
import { noGauges } from "./testing.ts";

/** A host in memory with one running VM. */
class Scene {
  readonly clock = new FakeClock();
  readonly tracer = new SpanTracer();
  readonly metrics = newShimMetrics();
  /** What was logged. */
  readonly lines: Record<string, unknown>[] = [];
  readonly host = {
    compute: new FakeCompute(),
    network: new FakeHostNetwork(),
    sockets: new FakeSockets(),
    files: new FakeFiles(),
    platform: new FakePlatform(),
  } satisfies WindowsHost;

  async load(): Promise<Runtime> {
    const { platform } = this.host;
    const machine = { platform, host: () => Promise.resolve(this.host) };
    return await loadRuntime(machine, {
      namespace: "k8s.io",
      log: jsonLogger((line) => this.lines.push(JSON.parse(line))),
      clock: this.clock,
      timeouts: defaultTimeouts,
      tracer: this.tracer,
      metrics: this.metrics,
    });
  }

  /** Creates and boots a VM. */
  async boot(runtime: Runtime): Promise<{ vm: Vm; guest: ScriptedPeer }> {
    const vm = runtime.newVm("pod1@vm", "pod1");
    await vm.create({
      id: "pod1@vm",
      owner: "",
      bundle: "/bundle",
      options: { sandboxPlatform: "linux/amd64" },
      annotations: {},
      devices: [],
    });
    const started = vm.start();
    const { compute: { system }, sockets } = this.host;
    while (system.script.of("start").length === 0) await this.clock.advance(0);
    await readFull(sockets.dial(entropyPort), new Uint8Array(512));
    const log = sockets.dial(logPort);
    await log.write(new TextEncoder().encode('{"msg":"The guest is up"}'));
    await log.close();
    const guest = new ScriptedPeer(sockets.dial(bridgePort));
    await guest.welcome();
    await started;
    return { vm, guest };
  }
}

Deno.test("a pod with a namespace changes the adapters of the VM that it is in", async () => {
  const scene = new Scene();
  scene.host.network.add("ns1", fakeEndpoint("e1"));
  const runtime = await scene.load();
  const { vm, guest } = await scene.boot(runtime);
  const config = { id: "pod1", options: noOptions(), namespaceId: "ns1" };
  const pod = runtime.newPod(vm, config);
  const setup = pod.setupNetwork();
  const request = await guest.receive();
  const { Request } = request.body as { Request: { ResourceType: string } };
  assertEquals(Request.ResourceType, "Network");
  await guest.answer(request);
  await setup;
  const { script } = scene.host.compute.system;
  const [add] = script.of("modify");
  const { RequestType, Settings } = add?.argument as Record<string, unknown>;
  assertEquals([RequestType, Settings], ["Add", {
    EndpointId: "e1",
    MacAddress: "00-15-5D-00-00-05",
  }]);
  await vm.terminate();
  await pod.teardownNetwork(); // everything is gone: nothing fails
});

Deno.test("a pod without a namespace asks nobody for a network", async () => {
  const scene = new Scene();
  const runtime = await scene.load();
  const { vm } = await scene.boot(runtime);
  const pod = runtime.newPod(vm, {
    id: "pod1",
    options: noOptions(),
    namespaceId: "",
  });
  await pod.setupNetwork();
  await pod.teardownNetwork();
  assertEquals(scene.host.network.script.calls, []);
  assertEquals(scene.host.compute.system.script.of("modify"), []);
  await vm.terminate();
});

Deno.test("lines of the guest have the ids of its VM and sandbox", async () => {
  const scene = new Scene();
  const { vm } = await scene.boot(await scene.load());
  await vm.terminate();
  const { source, msg, ...line } =
    scene.lines.find(({ source }) => source === "guest") ?? {};
  assertEquals([source, msg], ["guest", "The guest is up"]);
  assertEquals([line["sandbox-id"], line["uvm-id"]], ["pod1", "pod1@vm"]);
});

Deno.test("a process of the VM ends with its exit code", async () => {
  const scene = new Scene();
  const runtime = await scene.load();
  const { vm, guest } = await scene.boot(runtime);
  const code = runtime.runInVm(vm, noOptions(), {
    args: ["/bin/sh", "-c", "exit 8"],
    workdir: "/tmp",
    stdio: { terminal: false, stdin: "", stdout: "", stderr: "" },
  }, new AbortController().signal);
  const request = await guest.receive();
  assertEquals(request.body["ContainerId"], nullGuid);
  const { ProcessParameters } = request.body["Settings"] as Record<
    string,
    string
  >;
  // As recorded of hcsshim.
  assertEquals(JSON.parse(ProcessParameters ?? ""), {
    CommandArgs: ["/bin/sh", "-c", "exit 8"],
    WorkingDirectory: "/tmp",
    Environment: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    },
  });
  await guest.answer(request, { ProcessId: 7 });
  await guest.answer(await guest.receive(), { ExitCode: 8 });
  assertEquals(await code, 8);
  await vm.terminate();
});

Deno.test("a logging program is told the namespace of containerd", async () => {
  const scene = new Scene();
  const runtime = await scene.load();
  const { vm, guest } = await scene.boot(runtime);
  const url = "binary:///bin/logger";
  const failed = assertRejects(
    () =>
      runtime.runInVm(vm, noOptions(), {
        args: ["/bin/true"],
        workdir: "",
        stdio: { terminal: false, stdin: "", stdout: url, stderr: "" },
      }, new AbortController().signal),
    ShimError,
    "no such program",
  );
  await guest.answer(await guest.receive(), {
    Result: -2147467259,
    ErrorMessage: "no such program",
  });
  await failed;
  const [program] = scene.host.platform.programs;
  assertEquals([program?.url, program?.process], [url, {
    namespace: "k8s.io",
    containerId: nullGuid,
    execId: "",
  }]);
  await vm.terminate();
});

Deno.test("a file of the host is shared with the VM", async () => {
  const scene = new Scene();
  const runtime = await scene.load();
  const { vm, guest } = await scene.boot(runtime);
  const { signal } = new AbortController();
  const path = runtime.share(
    vm,
    { hostPath: "/data/a.ini", readOnly: true },
    signal,
  );
  await guest.answer(await guest.receive());
  assertEquals(await path, "/run/mounts/plan9/0/a.ini");
  assertEquals(scene.host.compute.system.script.of("modify").length, 1);
  await vm.terminate();
});

Deno.test("host:M19 a call of a client is one trace down to the guest, and every call on the way is counted", async () => {
  const scene = new Scene();
  const { tracer, metrics } = scene;
  tracer.onEnd((span) => countSpan(metrics, span));
  const runtime = await scene.load();
  scene.host.network.add("ns1", fakeEndpoint("e1"));
  const { vm, guest } = await scene.boot(runtime);
  const config = { id: "pod1", options: noOptions(), namespaceId: "ns1" };
  const pod = runtime.newPod(vm, config);
  const calls = new Calls({
    clock: scene.clock,
    log: silentLogger,
    tracer,
    sandboxOf: () => undefined,
  });
  const tasks = new ServiceClient(
    TaskV3,
    calls.watch<typeof TaskV3>({
      Create: async () => {
        await pod.setupNetwork();
        return {};
      },
    }),
  );
  const call = new FakeCall(TaskV3.name, "Create");
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  call.metadata = new Map([
    ["traceparent", [`00-${traceId}-b7ad6b7169203331-01`]],
    ["tracestate", ["a=1"]],
  ]);
  const created = tasks.call("Create", { id: "web" }, call);
  const request = await guest.receive();
  const { traceparent, tracestate } = request.body["otsc"] as JsonObject;
  assertMatch(
    String(traceparent),
    new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`),
  );
  assertEquals(tracestate, "a=1");
  await guest.answer(request);
  await created;
  await vm.terminate();
  const text = metrics.text(noGauges);
  for (
    const series of [
      'lcow_rpc_duration_seconds_count{service="containerd.task.v3.Task",method="Create",code="OK"} 1',
      'lcow_hcs_call_duration_seconds_count{operation="start",code="OK"} 1',
      'lcow_hcs_call_duration_seconds_count{operation="modify",code="OK"} 1',
      'lcow_hcn_call_duration_seconds_count{operation="endpoint",code="OK"} 1',
      'lcow_bridge_call_duration_seconds_count{rpc="ModifySettings",code="OK"} 1',
      'lcow_bridge_call_duration_seconds_count{rpc="NegotiateProtocol",code="OK"} 1',
      'lcow_vm_phase_duration_seconds_count{phase="create",code="OK"} 1',
      'lcow_vm_phase_duration_seconds_count{phase="boot",code="OK"} 1',
      'lcow_vm_phase_duration_seconds_count{phase="handshake",code="OK"} 1',
    ]
  ) assertStringIncludes(text, `${series}\n`);
});
