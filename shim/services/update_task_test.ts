import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import { refuses, type TaskScene, withTasks } from "./task_scene.ts";

function resources(name: string, text: string): { resources: Any } {
  const typeUrl = name === "LinuxResources"
    ? `types.containerd.io/opencontainers/runtime-spec/1/${name}`
    : `github.com/Microsoft/hcsshim/pkg/ctrdtaskapi/${name}`;
  return { resources: { typeUrl, value: new TextEncoder().encode(text) } };
}

const linux = (text: string) => resources("LinuxResources", text);

async function withPod(
  task: (scene: TaskScene) => Promise<void>,
): Promise<void> {
  await withTasks(async (scene) => {
    await scene.runPod("pod1", "web");
    scene.vm.modified.length = 0;
    await task(scene);
  });
}

/** What the guest was last asked to modify. */
function guestModified(scene: TaskScene): unknown {
  return scene.guest.callsOf("modify").at(-1)?.argument;
}

const memory = {
  ResourcePath: "VirtualMachine/ComputeTopology/Memory/SizeInMB",
  Settings: 2048n,
};
const limits = {
  ResourcePath: "VirtualMachine/ComputeTopology/Processor/Limits",
  Settings: { Limit: 0xffff_ffff_ffff_ffffn, Weight: 300n },
};
const group = {
  ResourcePath: "VirtualMachine/ComputeTopology/Processor/CpuGroup",
  Settings: { Id: "group" },
};
const cpuGroup = {
  annotations: { "io.microsoft.virtualmachine.cpugroup.id": "group" },
};

Deno.test("host:D9 Update of a pod's memory changes the VM's, in MiB", async () => {
  await withPod(async (scene) => {
    const request = linux('{"memory":{"limit":2147483648}}');
    await scene.tasks.call("Update", { id: "pod1", ...request });
    assertEquals(scene.vm.modified, [memory]);
    assertEquals(guestModified(scene), {
      RequestType: "Update",
      ResourceType: "PodCgroupMemoryLimit",
    });
  });
});

Deno.test("host:D10 Update of a pod's processors changes the VM's limits", async () => {
  await withPod(async (scene) => {
    const request = linux('{"cpu":{"quota":-1,"shares":300}}');
    await scene.tasks.call("Update", { id: "pod1", ...request });
    assertEquals(scene.vm.modified, [limits]);
  });
});

Deno.test("host:D11 Update with the annotation of a CPU group moves the VM, after memory and processors", async () => {
  await withPod(async (scene) => {
    const request = linux(
      '{"memory":{"limit":2147483648},"cpu":{"quota":-1,"shares":300}}',
    );
    const id = "pod1";
    await scene.tasks.call("Update", { id, ...request, ...cpuGroup });
    assertEquals(scene.vm.modified, [memory, limits, group]);
  });
});

Deno.test("host:D8 Update with a policy fragment reaches the guest's policy", async () => {
  await withPod(async (scene) => {
    const request = resources(
      "PolicyFragment",
      '{"fragment":"Zg==","mediaType":"application/x"}',
    );
    await scene.tasks.call("Update", { id: "pod1", ...request });
    assertEquals(guestModified(scene), {
      RequestType: "Add",
      ResourceType: "SecurityPolicyFragment",
      Settings: { Fragment: "Zg==", MediaType: "application/x" },
    });
    await refuses(
      scene.tasks.call("Update", { id: "web", ...request }),
      "InvalidArgument",
      "unsupported resource type",
    );
  });
});

Deno.test("host:D12 host:D13 host:D14 host:D15 what refuses an update of the VM ends it and is told", async () => {
  const failure = new ShimError("ResourceExhausted", "no");
  const cases: readonly [Record<string, unknown>, "vm" | "guest"][] = [
    [resources("PolicyFragment", '{"fragment":"Zg=="}'), "guest"],
    [linux('{"memory":{"limit":2147483648}}'), "vm"],
    [linux('{"cpu":{"quota":1}}'), "vm"],
    [{ ...linux("{}"), ...cpuGroup }, "vm"],
  ];
  for (const [request, who] of cases) {
    await withPod(async (scene) => {
      if (who === "guest") scene.guest.failNext("modify", failure);
      else scene.vm.refuseModify = failure;
      await refuses(
        scene.tasks.call("Update", { id: "pod1", ...request }),
        "ResourceExhausted",
      );
    });
  }
});

Deno.test("Update refuses what cannot be read, and memory that is none", async () => {
  await withPod(async (scene) => {
    for (
      const text of ["{", '{"memory":{"limit":"x"}}', '{"memory":{"limit":-1}}']
    ) {
      await refuses(
        scene.tasks.call("Update", { id: "pod1", ...linux(text) }),
        "InvalidArgument",
      );
    }
    assertEquals(scene.vm.modified, []);
  });
});
