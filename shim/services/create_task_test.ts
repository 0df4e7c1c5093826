import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { FakeCall } from "../fake_shim.ts";
import { networked, withNetwork } from "./network_scene.ts";
import { criSpec, refuses, withTasks } from "./task_scene.ts";

/** Turns of the event queue that lie behind the last step of a create, and more. */
const turns = 60;

Deno.test("a client that goes away while Create ends leaves no container, or the whole one", async () => {
  await withTasks(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    const open = scene.platform.stdio.bind(scene.platform);
    const made: boolean[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const call = new FakeCall();
      scene.platform.stdio = async (url, name) => {
        const stream = await open(url, name);
        void (async () => {
          for (let n = 0; n < turn; n++) await undefined;
          call.disconnect();
        })();
        return stream;
      };
      const id = `c${turn}`;
      const isMade = await scene.create(id, { stdout: `/${id}` }, call)
        .then(() => true, () => false);
      made.push(isMade);
      assertEquals(scene.shim.tasks.has(id), isMade, id);
      if (isMade) await scene.tasks.call("Delete", { id });
      const client = scene.platform.streams.get(`/${id}`)!;
      assertEquals(await client.read(new Uint8Array(1)), null);
      const deleted = scene.guest.callsOf("deleteContainerState");
      assertEquals(deleted.at(-1)?.containerId, id);
    }
    assertEquals([made[0], made.at(-1)], [false, true]);
  });
});

Deno.test("Create waits for a VM that another container boots, until its client goes away", async () => {
  await withTasks(async (scene) => {
    let release = (): void => {};
    scene.onVm = (vm) => release = vm.holdNext("start");
    const first = scene.create("web");
    await scene.until(() => scene.vms[0]?.calls.includes("start") ?? false);
    const second = scene.create("db");
    const call = new FakeCall();
    const third = scene.create("cache", {}, call);
    third.catch(() => {});
    await scene.until(() => scene.shim.tasks.size === 3);
    await scene.clock.advance(0);
    call.disconnect();
    await assertRejects(() => third, DOMException, "gone");
    release();
    await Promise.all([first, second]);
    assertEquals([...scene.shim.tasks.keys()], ["web", "db"]);
    assertEquals(scene.vms.length, 1);
  });
});

Deno.test("the id of a failed Create is free once its network is taken down", async () => {
  await withNetwork(async (scene) => {
    await scene.sandboxes.create("pod1", scene.bundle);
    await scene.sandboxes.start("pod1");
    await scene.writeSpec(networked("ns2", "sandbox", "pod1"));
    const fail = scene.guest.holdNext("createContainer");
    scene.guest.failNext("createContainer", new ShimError("Internal", "no"));
    const created = scene.create("pod1");
    created.catch(() => {});
    await scene.until(() =>
      scene.guest.callsOf("createContainer").length === 1
    );
    const before = scene.vm.calls.length;
    const release = scene.vm.holdNext("modify");
    fail();
    await scene.until(() => scene.vm.calls.length > before);
    await refuses(scene.create("pod1"), "AlreadyExists", '"pod1"');
    release();
    await refuses(created, "Internal", "no");
    await scene.create("pod1");
  });
});

Deno.test("a concurrent Create of one id is refused with AlreadyExists", async () => {
  await withTasks(async (scene) => {
    const results = await Promise.allSettled([
      scene.create("web"),
      scene.create("web"),
    ]);
    const [first, second] = results;
    assertEquals(first?.status, "fulfilled");
    assert(second?.status === "rejected");
    assertEquals((second.reason as ShimError).code, "AlreadyExists");
    assertEquals(scene.vms.length, 1);
  });
});

Deno.test("pains:2 a failed Create leaves nothing registered and can be repeated", async () => {
  await withTasks(async (scene) => {
    scene.onVm = (vm) =>
      vm.guest.failNext("createContainer", new ShimError("Internal", "no"));
    await refuses(scene.create("web"), "Internal", "no");
    assertEquals([scene.shim.tasks.size, scene.shim.sandboxes.size], [0, 0]);
    assertEquals(scene.vm.state, "Terminated");
    assertEquals(scene.topics, []);
    scene.onVm = () => {};
    await scene.create("web");
  });
});

Deno.test("a client that goes away during Create leaves no container and no VM", async () => {
  await withTasks(async (scene) => {
    const call = new FakeCall();
    let release = (): void => {};
    scene.onVm = (vm) => release = vm.guest.holdNext("createContainer");
    const created = scene.create("web", {}, call);
    created.catch(() => {});
    await scene.until(() =>
      scene.vms[0]?.guest.callsOf("createContainer").length === 1
    );
    call.disconnect();
    release();
    await assertRejects(() => created, DOMException, "gone");
    assertEquals([scene.shim.tasks.size, scene.vm.state], [0, "Terminated"]);
    assertEquals(scene.topics, []);
  });
});

Deno.test("Create refuses a missing, broken or contradictory specification", async () => {
  await withTasks(async (scene) => {
    await refuses(
      scene.create("a", { bundle: "/no/such/bundle" }),
      "InvalidArgument",
      "/no/such/bundle/config.json",
    );
    await scene.writeSpec("{");
    await refuses(scene.create("a"), "InvalidArgument", "config.json");
    const annotations = { "io.kubernetes.cri.container-type": "weird" };
    await scene.writeSpec(JSON.stringify({ ociVersion: "1", annotations }));
    await refuses(scene.create("a"), "InvalidArgument", "weird");
    await refuses(scene.create("../a"), "InvalidArgument", "not a name");
    await scene.writeSpec(criSpec("sandbox", "../x"));
    await refuses(scene.create("a"), "InvalidArgument", "not a name");
    assertEquals([scene.shim.tasks.size, scene.vms.length], [0, 0]);
  });
});

Deno.test("Create tells what is wrong with the options of start", async () => {
  const options = Promise.reject(new ShimError("InvalidArgument", "line 1"));
  options.catch(() => {});
  await withTasks(async (scene) => {
    await refuses(scene.create("a"), "InvalidArgument", "line 1");
  }, { options });
});
