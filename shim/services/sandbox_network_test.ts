import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { ContainerDocument } from "../../bridge/messages.gen.ts";
import { Spec } from "../../oci/spec.gen.ts";
import { FakeCall } from "../fake_shim.ts";
import {
  asked,
  guestAdapters,
  networked,
  remove,
  withNetwork,
} from "./network_scene.ts";
import { criSpec, refuses, type TaskScene } from "./task_scene.ts";

const injected = new ShimError("PermissionDenied", "injected");
const hostNetwork = "io.microsoft.virtualmachine.lcow.hostnetwork";

/** CreateSandbox with a network namespace, whose VM does not run yet. */
async function createSandbox(
  scene: TaskScene,
  netnsPath = "ns1",
): Promise<void> {
  await scene.sandboxes.createIn(netnsPath, "pod1", scene.bundle);
}

/** Writes the specification of a member, as CRI's `shim` sandboxer sends it. */
async function writeMember(
  scene: TaskScene,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const base = JSON.parse(criSpec("container", "pod1"));
  await scene.writeSpec(JSON.stringify({ ...base, ...more }));
}

/** What the guest was told of the networks of its containers. */
function named({ guest }: TaskScene): unknown[] {
  return guest.callsOf("createContainer").map(({ containerId, argument }) => {
    const { OciSpecification } = argument as ContainerDocument;
    const { annotations, linux, windows } = Spec.decode(OciSpecification);
    return [
      containerId,
      windows?.network?.networkNamespace,
      annotations?.[hostNetwork],
      linux?.namespaces?.some(({ type }) => type === "network"),
    ];
  });
}

Deno.test("the VM has the adapters of its sandbox's namespace when StartSandbox answers, and to its end", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    assertEquals(scene.network.script.calls, []);
    await scene.sandboxes.start("pod1");
    assertEquals(asked(scene), ["Add e2", "Add e1"]);
    assertEquals(
      guestAdapters(scene).map(({ RequestType }) => RequestType),
      ["Add", "Add"],
    );
    await scene.sandboxes.start("pod1");
    await writeMember(scene);
    for (const id of ["a", "b"]) await scene.run(id);
    await remove(scene, "a");
    await scene.run("c");
    for (const id of ["b", "c"]) await remove(scene, id);
    assertEquals(asked(scene).filter((text) => !text.endsWith("disk")), []);
    await scene.sandboxes.stop("pod1");
    assertEquals(scene.vm.state, "Terminated");
  });
});

Deno.test("a sandbox without a network namespace gets no adapters", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene, "");
    await scene.sandboxes.start("pod1");
    await writeMember(scene);
    await scene.run("a");
    assertEquals(named(scene), [["a", undefined, undefined, false]]);
    assertEquals(scene.network.script.calls, []);
  });
});

Deno.test("the first container that shares the sandbox's network names it, and no other", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    await scene.sandboxes.start("pod1");
    const own = { linux: { namespaces: [{ type: "network" }] } };
    await writeMember(scene, own);
    await scene.run("own");
    const path = "/var/run/netns/cni-1";
    const sharing = { linux: { namespaces: [{ type: "network", path }] } };
    await writeMember(scene, sharing);
    scene.guest.failNext("createContainer", injected);
    await refuses(scene.create("failing"), "PermissionDenied");
    for (const id of ["first", "second"]) await scene.run(id);
    await remove(scene, "first");
    await writeMember(scene);
    await scene.run("third");
    assertEquals(named(scene), [
      ["own", undefined, undefined, true],
      ["failing", "ns1", "true", false],
      ["first", "ns1", "true", false],
      ["second", undefined, undefined, false],
      ["third", undefined, undefined, false],
    ]);
  });
});

Deno.test("a container that names the sandbox's namespace itself shares it, too", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    await scene.sandboxes.start("pod1");
    asked(scene);
    for (const id of ["first", "second"]) {
      await scene.writeSpec(networked("NS1", "container", "pod1"));
      await scene.run(id);
    }
    assertEquals(named(scene), [
      ["first", "ns1", "true", false],
      ["second", undefined, undefined, false],
    ]);
    assertEquals(asked(scene).filter((text) => !text.endsWith("disk")), []);
  });
});

Deno.test("a container in the sandbox that names another namespace has that network", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    await scene.sandboxes.start("pod1");
    asked(scene);
    await scene.writeSpec(networked("ns2"));
    await scene.run("other");
    assertEquals(named(scene), [["other", "ns2", undefined, false]]);
    assertEquals(asked(scene)[0], "Add e3");
    await remove(scene, "other");
    assertEquals(asked(scene).at(-1), "Remove e3");
  });
});

Deno.test("a sandbox container that names the sandbox's namespace finds its adapters there, and gets them", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    await scene.sandboxes.start("pod1");
    assertEquals(asked(scene), ["Add e2", "Add e1"]);
    await scene.writeSpec(networked("ns1", "sandbox", "pod1"));
    await scene.run("pod1");
    assertEquals(named(scene), [["pod1", "ns1", undefined, undefined]]);
    assertEquals(asked(scene).filter((text) => !text.endsWith("disk")), []);
  });
});

/** The guest takes one adapter, and refuses the next. */
async function failSecond(scene: TaskScene): Promise<void> {
  const { guest } = scene;
  const releases = [guest.holdNext("modify"), guest.holdNext("modify")];
  for (const [index, release] of releases.entries()) {
    await scene.until(() => guest.callsOf("modify").length > index);
    if (index === 1) guest.failNext("modify", injected);
    release();
  }
}

/** Ways in which the set-up fails: each call to host and guest in turn. */
const faults: Readonly<Record<string, (scene: TaskScene) => void>> = {
  "the look-up of the namespace": ({ network }) =>
    network.script.failNext("namespace", injected),
  "the look-up of an endpoint": ({ network }) =>
    network.script.failNext("endpoint", injected),
  "the host's adapter": ({ vm }) => vm.failNext("modify", injected),
  "the guest's adapter": ({ guest }) => guest.failNext("modify", injected),
  "the guest's second adapter": (scene) => void failSecond(scene),
};

for (const [what, fail] of Object.entries(faults)) {
  Deno.test(`StartSandbox fails with ${what}, and ends the VM with what it has got`, async () => {
    await withNetwork(async (scene) => {
      await createSandbox(scene);
      fail(scene);
      await refuses(scene.sandboxes.start("pod1"), "PermissionDenied");
      assertEquals(scene.vm.state, "Terminated");
      assertEquals(
        (await scene.sandboxes.status("pod1")).state,
        "SANDBOX_NOTREADY",
      );
      await refuses(scene.sandboxes.start("pod1"), "FailedPrecondition");
      await writeMember(scene);
      await refuses(scene.create("a"), "FailedPrecondition");
      assertEquals(scene.shim.tasks.size, 0);
      await scene.sandboxes.stop("pod1");
      await scene.sandboxes.wait("pod1");
    });
  });
}

Deno.test("StartSandbox whose client goes away while its network is set up ends the VM", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    const release = scene.vm.holdNext("modify");
    const call = new FakeCall();
    const started = scene.sandboxes.start("pod1", call);
    started.catch(() => {});
    await scene.until(() => scene.vm.calls.includes("modify"));
    call.disconnect();
    release();
    await assertRejects(() => started, DOMException, "the client is gone");
    assertEquals(scene.vm.state, "Terminated");
    assertEquals(asked(scene), ["Add e2"]);
  });
});

Deno.test("a VM that ends, or is stopped, while its network is set up fails StartSandbox", async () => {
  for (const stops of [true, false]) {
    await withNetwork(async (scene) => {
      await createSandbox(scene);
      scene.guest.holdNext("modify");
      const started = scene.sandboxes.start("pod1");
      started.catch(() => {});
      await scene.until(() => scene.guest.callsOf("modify").length > 0);
      if (stops) await scene.sandboxes.stop("pod1");
      else scene.vm.die(new Error("crashed"));
      await refuses(started, "Unavailable");
      await scene.sandboxes.wait("pod1");
    });
  }
});

Deno.test("a container that comes before StartSandbox has answered waits for the adapters", async () => {
  await withNetwork(async (scene) => {
    await createSandbox(scene);
    const release = scene.guest.holdNext("modify");
    const started = scene.sandboxes.start("pod1");
    await scene.until(() => scene.guest.callsOf("modify").length > 0);
    await writeMember(scene);
    const created = scene.create("a");
    await scene.until(() => scene.shim.sandbox?.pods.has("a") ?? false);
    assertEquals(named(scene), []);
    release();
    await Promise.all([started, created]);
    assertEquals(named(scene), [["a", "ns1", "true", false]]);
    assertEquals(
      asked(scene).filter((text) => !text.endsWith("disk")),
      ["Add e2", "Add e1"],
    );
  });
});
