import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type FinishedSpan, SpanTracer } from "../base/spans.ts";
import type { ComputeSystem, WindowsHost } from "./ports.ts";
import { tracedHost } from "./traced_host.ts";

const exit = { status: 0, exitType: "GracefulExit" } as const;

/** A system that notes what it is asked. */
function fakeSystem(asked: unknown[]): ComputeSystem {
  return {
    id: "pod1@vm",
    runtimeId: "r",
    exited: Promise.resolve(exit),
    start: () => Promise.reject(new TypeError("no memory")),
    modify: (request) => Promise.resolve(void asked.push(request)),
    properties: (query) => Promise.resolve({ answer: query }),
    terminate: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** A host whose calls are traced. */
class Scene {
  readonly asked: unknown[] = [];
  readonly ended: FinishedSpan[] = [];
  readonly host: WindowsHost;

  constructor() {
    const tracer = new SpanTracer();
    tracer.onEnd((span) => this.ended.push(span));
    const refuse = (): Promise<never> => Promise.reject(new TypeError("no"));
    const parts = {
      compute: {
        create: () => Promise.resolve(fakeSystem(this.asked)),
        open: () => Promise.resolve(fakeSystem(this.asked)),
        enumerate: () => Promise.resolve([]),
        serviceProperties: (query: unknown) => Promise.resolve({ query }),
        grantAccess: (vmId: string, path: string) =>
          Promise.resolve(void this.asked.push([vmId, path])),
        revokeAccess: refuse,
      },
      network: { namespace: refuse, endpoint: refuse, networks: refuse },
    };
    this.host = tracedHost(parts as unknown as WindowsHost, tracer);
  }

  get spans(): unknown[] {
    return this.ended.map(({ kind, name, attributes, error }) => [
      ...[kind, name, attributes],
      ...(error === undefined ? [] : ["failed"]),
    ]);
  }
}

Deno.test("every call of a compute system is a span that names it", async () => {
  const scene = new Scene();
  const system = await scene.host.compute.create("pod1@vm", {});
  await assertRejects(() => system.start(), TypeError, "no memory");
  const request = {
    ResourcePath: "VirtualMachine/Devices/Scsi",
    RequestType: "Add",
  };
  await system.modify(request);
  await system.modify(null);
  assertEquals(await system.properties("q"), { answer: "q" });
  await system.terminate();
  await system.close();
  const ids = { "uvm-id": "pod1@vm" };
  assertEquals(scene.spans, [
    ["hcs", "create", ids],
    ["hcs", "start", ids, "failed"],
    ["hcs", "modify", {
      ...ids,
      "resource-path": "VirtualMachine/Devices/Scsi",
      "request-type": "Add",
    }],
    ["hcs", "modify", ids],
    ["hcs", "properties", ids],
    ["hcs", "terminate", ids],
    ["hcs", "close", ids],
  ]);
  assertEquals(scene.asked, [request, null]);
  assertEquals([system.id, system.runtimeId], ["pod1@vm", "r"]);
  assertStrictEquals(await system.exited, exit);
});

Deno.test("every call of the services is a span", async () => {
  const scene = new Scene();
  const { compute, network } = scene.host;
  await (await compute.open("pod1@vm")).close();
  assertEquals(await compute.enumerate({}), []);
  assertEquals(await compute.serviceProperties("q"), { query: "q" });
  await compute.grantAccess("r", "C:\\disk.vhdx");
  await assertRejects(() => compute.revokeAccess("r", "C:\\disk.vhdx"));
  for (const call of ["namespace", "endpoint"] as const) {
    await assertRejects(() => network[call]("g"));
  }
  await assertRejects(() => network.networks());
  const ids = { "uvm-id": "pod1@vm" };
  const path = { "host-path": "C:\\disk.vhdx" };
  assertEquals(scene.spans, [
    ["hcs", "open", ids],
    ["hcs", "close", ids],
    ["hcs", "enumerate", {}],
    ["hcs", "serviceProperties", {}],
    ["hcs", "grantAccess", path],
    ["hcs", "revokeAccess", path, "failed"],
    ["hcn", "namespace", { "namespace-id": "g" }, "failed"],
    ["hcn", "endpoint", { "endpoint-id": "g" }, "failed"],
    ["hcn", "networks", {}, "failed"],
  ]);
  assertEquals(scene.asked, [["r", "C:\\disk.vhdx"]]);
});
