import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { FakeCall } from "../fake_shim.ts";
import { asked, networked, withNetwork } from "./network_scene.ts";
import { refuses, type TaskScene } from "./task_scene.ts";

const injected = new ShimError("PermissionDenied", "injected");

Deno.test("an unknown namespace fails Create with NotFound and leaves neither task nor VM", async () => {
  await withNetwork(async (scene) => {
    await scene.writeSpec(networked("nowhere"));
    await refuses(
      scene.create("web"),
      "NotFound",
      'Namespace ID "nowhere" not found',
    );
    assertEquals([scene.shim.tasks.size, scene.shim.sandboxes.size], [0, 0]);
    assertEquals(scene.vm.state, "Terminated");
    scene.network.add("nowhere");
    await scene.create("web");
  });
});

/** Starts a sandbox that no failed Create ends. */
async function startSandbox({ sandboxes, bundle }: TaskScene): Promise<void> {
  await sandboxes.create("pod1", bundle);
  await sandboxes.start("pod1");
}

/** How the calls of a pod's network are made to fail, one at a time. */
const faults: Record<string, (scene: TaskScene) => void> = {
  "the namespace": ({ network }) =>
    network.script.failNext("namespace", injected),
  "an endpoint": ({ network }) => network.script.failNext("endpoint", injected),
  "the host's Add": ({ vm }) => vm.failNext("modify", injected),
  "the guest's Add": ({ guest }) => guest.failNext("modify", injected),
};

for (const [what, fail] of Object.entries(faults)) {
  Deno.test(`Create that fails at ${what} leaves no adapter, and succeeds the next time`, async () => {
    await withNetwork(async (scene) => {
      await startSandbox(scene);
      await scene.writeSpec(networked("ns2", "sandbox", "pod1"));
      fail(scene);
      await refuses(scene.create("pod1"), "PermissionDenied", "injected");
      const said = asked(scene);
      assertEquals(
        said.filter((text) => text === "Add e3").length,
        said.filter((text) => text === "Remove e3").length,
      );
      assertEquals(scene.shim.sandbox?.pods.size, 0);
      await scene.run("pod1");
      assertEquals(asked(scene)[0], "Add e3");
    });
  });
}

Deno.test("a container that cannot be created takes its adapters along, before its VM ends", async () => {
  await withNetwork(async (scene) => {
    scene.onVm = (vm) => vm.guest.failNext("createContainer", injected);
    await scene.writeSpec(networked("ns2"));
    await refuses(scene.create("web"), "PermissionDenied");
    assertEquals(asked(scene).at(-1), "Remove e3");
    assertEquals(scene.vm.calls.slice(-2), ["modify", "terminate"]);
  });
});

Deno.test("Create gives its own error when the network cannot be taken down either", async () => {
  await withNetwork(async (scene) => {
    await startSandbox(scene);
    await scene.writeSpec(networked("ns2", "sandbox", "pod1"));
    scene.guest.failNext("modify", injected);
    scene.guest.failNext("modify", new ShimError("Internal", "busy"));
    await refuses(scene.create("pod1"), "PermissionDenied", "injected");
    assertEquals(scene.shim.tasks.size, 0);
  });
});

Deno.test("Create whose client goes away while the network is set up leaves no adapter", async () => {
  await withNetwork(async (scene) => {
    await startSandbox(scene);
    await scene.writeSpec(networked("ns1", "sandbox", "pod1"));
    const release = scene.vm.holdNext("modify");
    const call = new FakeCall();
    const created = scene.create("pod1", {}, call);
    created.catch(() => {});
    await scene.until(() => scene.vm.calls.includes("modify"));
    call.disconnect();
    release();
    await created.catch(() => {});
    assertEquals(asked(scene), ["Add e2", "Remove e2"]);
    assertEquals(scene.shim.tasks.size, 0);
  });
});

Deno.test("of two creates that share a failed network, the last one takes it down", async () => {
  await withNetwork(async (scene) => {
    await startSandbox(scene);
    await scene.writeSpec(networked("ns2", "sandbox", "pod1"));
    const release = scene.guest.holdNext("modify");
    scene.guest.failNext("modify", injected);
    const sandbox = scene.create("pod1");
    sandbox.catch(() => {});
    await scene.until(() => scene.guest.callsOf("modify").length === 1);
    await scene.writeSpec(networked("ns2", "container", "pod1"));
    const workload = scene.create("a");
    workload.catch(() => {});
    await scene.until(() => scene.shim.tasksOfPod("pod1").length === 2);
    release();
    await refuses(sandbox, "PermissionDenied");
    await refuses(workload, "PermissionDenied");
    assertEquals(asked(scene), ["Add e3", "Remove e3"]);
    assertEquals(
      [scene.shim.tasks.size, scene.shim.sandbox?.pods.size],
      [0, 0],
    );
  });
});

Deno.test("a workload that comes early waits for the network, and shares its failure", async () => {
  await withNetwork(async (scene) => {
    await startSandbox(scene);
    await scene.writeSpec(networked("ns1", "sandbox", "pod1"));
    const release = scene.vm.holdNext("modify");
    scene.vm.failNext("modify", injected);
    const sandbox = scene.create("pod1");
    sandbox.catch(() => {});
    await scene.until(() => scene.vm.calls.includes("modify"));
    await scene.writeSpec(networked("ns1", "container", "pod1"));
    const workload = scene.create("a");
    workload.catch(() => {});
    await scene.until(() => scene.shim.tasksOfPod("pod1").length === 2);
    release();
    await refuses(sandbox, "PermissionDenied");
    await refuses(workload, "PermissionDenied");
    assertEquals(
      [scene.shim.tasks.size, scene.shim.sandbox?.pods.size],
      [0, 0],
    );
    assertEquals(scene.guest.callsOf("createContainer"), []);
  });
});
