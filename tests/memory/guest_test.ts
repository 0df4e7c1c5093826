/** The guest agent over many containers, with a runtime in memory. */

import { assertEquals } from "@std/assert";
import { libc } from "../../ffi/linux/libc.ts";
import { type FakeVm, withFakeVm } from "../../guest/fake_vm.ts";
import { budget, growth } from "./heap.ts";

// It stays loaded for the life of the process.
Deno.test.beforeAll(() => void libc());

const sigKill = 9;

/** A pod with a workload and an exec comes and goes. */
async function cycle(vm: FakeVm): Promise<void> {
  const cri = (type: string) => ({
    "io.kubernetes.cri.container-type": type,
    "io.kubernetes.cri.sandbox-id": "pod",
  });
  const ids = ["pod", "web"];
  await vm.create({ id: "pod", annotations: cri("sandbox") });
  await vm.create({ id: "web", annotations: cri("container") });
  const pids = new Map<string, number>();
  for (const id of ids) pids.set(id, await vm.execute(id, {}));
  const exec = await vm.execute("web", {
    OciProcess: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } },
  });
  const ended = vm.wait("web", exec);
  vm.runtime.kill(exec, sigKill);
  assertEquals(await ended, 137);
  for (const id of ids.toReversed()) {
    const pid = pids.get(id)!;
    const init = vm.runtime.init(id);
    const code = vm.wait(id, pid);
    vm.runtime.kill(pid, sigKill);
    await init.close();
    assertEquals(await code, 137);
    await vm.delete(id);
  }
  assertEquals(vm.runtime.processes.size, 0);
  assertEquals([vm.cgroups.groups.size, vm.sandboxes.size], [0, 0]);
}

/** Drops what the fakes have recorded. */
function forget(vm: FakeVm): void {
  vm.runtime.calls.length = 0;
  vm.runtime.documents.length = 0;
  vm.notifications.length = 0;
  vm.cgroups.members.clear();
  vm.network.take();
}

Deno.test("5,000 containers come and go in the guest in flat memory", async () => {
  await withFakeVm(async (vm) => {
    const grown = await growth(2_500, async () => {
      await cycle(vm);
      forget(vm);
    });
    console.log(
      `5,000 containers in the guest: the heap has grown by ${grown} bytes`,
    );
    assertEquals(grown < budget, true, `${grown} bytes`);
  });
});
