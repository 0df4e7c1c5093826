import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import {
  asked,
  guestAdapters,
  networked,
  remove,
  withNetwork,
} from "./network_scene.ts";
import { refuses, spec } from "./task_scene.ts";

const injected = new ShimError("PermissionDenied", "injected");

Deno.test("a container with a namespace has its adapters before its disks, and until it is deleted", async () => {
  await withNetwork(async (scene) => {
    await scene.writeSpec(networked("ns1"));
    await scene.run("web");
    assertEquals(asked(scene), ["Add e2", "Add e1", "Add disk", "Add disk"]);
    await remove(scene, "web");
    assertEquals(asked(scene), [
      "Remove disk",
      "Remove disk",
      "Remove e2",
      "Remove e1",
    ]);
    assertEquals(
      guestAdapters(scene).map(({ RequestType }) => RequestType),
      ["Add", "Add", "Remove", "Remove"],
    );
    assertEquals(scene.vm.state, "Running");
  });
});

Deno.test("a container without a namespace has no adapters", async () => {
  await withNetwork(async (scene) => {
    const specs = [
      spec(),
      spec({ windows: {} }),
      spec({ windows: { network: {} } }),
      networked(""),
    ];
    for (const [index, text] of specs.entries()) {
      await scene.writeSpec(text);
      await scene.create(`c${index}`);
    }
    assertEquals(scene.vms.map(({ calls }) => calls), [["create", "start"]]);
    assertEquals(scene.network.script.calls, []);
  });
});

Deno.test("a pod's network comes with its sandbox container, not with its workloads, and goes last", async () => {
  await withNetwork(async (scene) => {
    await scene.writeSpec(networked("ns1", "sandbox", "pod1"));
    await scene.run("pod1");
    asked(scene);
    await scene.writeSpec(networked("ns1", "container", "pod1"));
    await scene.run("a");
    await remove(scene, "a");
    assertEquals(asked(scene).filter((text) => !text.endsWith("disk")), []);
    assertEquals(scene.network.script.of("namespace").length, 1);
    await remove(scene, "pod1");
    assertEquals(asked(scene).slice(-2), ["Remove e2", "Remove e1"]);
  });
});

Deno.test("several pods in one VM have each its own network", async () => {
  await withNetwork(async (scene) => {
    for (const [pod, namespace] of [["pod1", "ns1"], ["pod2", "ns2"]]) {
      await scene.writeSpec(networked(namespace!, "sandbox", pod));
      await scene.run(pod!);
    }
    asked(scene);
    await remove(scene, "pod1");
    assertEquals(
      asked(scene).filter((text) => !text.includes("disk")),
      ["Remove e2", "Remove e1"],
    );
    await remove(scene, "pod2");
    assertEquals(
      asked(scene).filter((text) => !text.includes("disk")),
      ["Remove e3"],
    );
  });
});

Deno.test("the guest is told of policy-based routing when the sandbox asks for it", async () => {
  await withNetwork(async (scene) => {
    scene.onVm = (vm) => {
      const create = vm.create.bind(vm);
      vm.create = async (request, signal) => {
        await create(request, signal);
        vm.sandboxOptions = { ...vm.sandboxOptions!, policyBasedRouting: true };
      };
    };
    await scene.writeSpec(networked("ns2"));
    await scene.create("web");
    const [add] = guestAdapters(scene);
    const settings = add?.["Settings"] as Record<string, unknown>;
    assertEquals(settings["PolicyBasedRouting"], true);
  });
});

Deno.test("Delete that fails at the network is repeated, with the same answer and one event", async () => {
  await withNetwork(async (scene) => {
    await scene.writeSpec(networked("ns2"));
    await scene.run("web");
    await scene.tasks.call("Kill", { id: "web", signal: 9 });
    await scene.tasks.call("Wait", { id: "web" });
    scene.vm.failNext("modify", injected);
    await refuses(
      scene.tasks.call("Delete", { id: "web" }),
      "PermissionDenied",
    );
    assertEquals(scene.topics.includes("/tasks/delete"), false);
    const { exitStatus } = await scene.tasks.call("Delete", { id: "web" });
    assertEquals(exitStatus, 137);
    assertEquals(asked(scene).at(-1), "Remove e3");
    assertEquals(
      scene.topics.filter((topic) => topic === "/tasks/delete").length,
      1,
    );
  });
});

Deno.test("a VM that is gone has no network to take down", async () => {
  await withNetwork(async (scene) => {
    await scene.writeSpec(networked("ns1"));
    await scene.run("web");
    scene.vm.die();
    await scene.tasks.call("Wait", { id: "web" });
    await scene.tasks.call("Delete", { id: "web" });
    assertEquals(scene.shim.tasks.size, 0);
  });
});
