import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import {
  ContainerWorld,
  plainSpec,
  virtualDisk,
} from "../testing/container_world.ts";
import { noStdio } from "../testing/fake_stdio.ts";
import type { PodContainer } from "./dependencies.ts";
import { FakePodNetwork } from "./testing.ts";

const injected = new ShimError("Unavailable", "injected");

/** A pod `pod1` with a network and a container `web` that is not created. */
function scene(
  isVmRunning = () => true,
): { world: ContainerWorld; network: FakePodNetwork } {
  const network = new FakePodNetwork();
  const parts = { network, isVmRunning };
  const options = { exitOnKill: true };
  return {
    world: new ContainerWorld(options, undefined, false, parts),
    network,
  };
}

/** Creates a further container. */
async function create(
  { pod }: ContainerWorld,
  id: string,
): Promise<PodContainer> {
  const container = pod.newContainer(id);
  await container.create({
    bundle: "/b",
    spec: plainSpec,
    layers: { readOnly: [], scratch: virtualDisk(`/${id}.vhdx`) },
    stdio: noStdio,
  });
  return container;
}

Deno.test("host:I2 setupNetwork() and teardownNetwork() give the network's results and errors", async () => {
  const { world: { pod }, network } = scene();
  network.script.failNext("teardown", injected);
  await pod.setupNetwork();
  assertEquals(await assertRejects(() => pod.teardownNetwork()), injected);
  await pod.teardownNetwork();
  assertEquals(network.said(), ["setup", "teardown", "teardown"]);
  const other = scene();
  other.network.script.failNext("setup", injected);
  assertEquals(
    await assertRejects(() => other.world.pod.setupNetwork()),
    injected,
  );
});

Deno.test("setupNetwork() gives the network the client's signal", async () => {
  const { world: { pod } } = scene();
  const gone = AbortSignal.abort(injected);
  assertEquals(await assertRejects(() => pod.setupNetwork(gone)), injected);
});

Deno.test("the network is set up once, and everybody hears how that went", async () => {
  const { world: { pod }, network } = scene();
  const release = network.script.holdNext("setup");
  network.script.failNext("setup", injected);
  const callers = [pod.setupNetwork(), pod.setupNetwork()];
  release();
  for (const caller of [...callers, pod.setupNetwork()]) {
    assertEquals(await assertRejects(() => caller), injected);
  }
  assertEquals(network.said(), ["setup"]);
});

Deno.test("a pod without a network has nothing to set up, and goes on after its end", async () => {
  const { pod } = new ContainerWorld();
  await pod.setupNetwork();
  await pod.teardownNetwork();
  assertEquals(pod.newContainer("db").id, "db");
});

Deno.test("the network goes with the last container, not before", async () => {
  const { world, network } = scene();
  await world.create();
  const db = await create(world, "db");
  await world.container.deleteProcess("");
  assertEquals(network.said(), []);
  await db.deleteProcess("");
  assertEquals(network.said(), ["teardown"]);
});

Deno.test("the delete of an exec takes no network down", async () => {
  const { world, network } = scene();
  await world.run();
  const exec = world.container.newProcess("sh");
  await exec.create({ bundle: "/b", stdio: noStdio });
  await world.container.deleteProcess("sh");
  assertEquals(network.said(), []);
  await world.pod.killAll(9);
  await world.container.deleteProcess("");
});

Deno.test("a container that is not created yet keeps the network", async () => {
  const { world, network } = scene();
  await world.create();
  world.pod.newContainer("db");
  await world.container.deleteProcess("");
  assertEquals(network.said(), []);
  world.pod.remove("db"); // its create failed
  await world.pod.teardownNetwork();
  assertEquals(network.said(), ["teardown"]);
});

Deno.test("a container that cannot be deleted keeps the network", async () => {
  const { world, network } = scene();
  await world.create();
  world.guest.failNext("modify", new ShimError("Internal", "busy"));
  await assertRejects(() => world.container.deleteProcess(""), ShimError);
  assertEquals(network.said(), []);
  await world.container.deleteProcess("");
  assertEquals(network.said(), ["teardown"]);
});

Deno.test("a delete that fails at the network is repeated there, with the same status", async () => {
  const { world, network } = scene();
  await world.run();
  await world.pod.killAll(9);
  network.script.failNext("teardown", injected);
  const error = await assertRejects(() => world.container.deleteProcess(""));
  assertEquals(error, injected);
  world.said();
  const status = await world.container.deleteProcess("");
  assertEquals([status.exitCode, world.said()], [137, []]);
  assertEquals(network.said(), ["teardown", "teardown"]);
  const again = await assertRejects(() => world.container.deleteProcess(""));
  assertEquals(classify(again), "NotFound");
});

Deno.test("of deletes at the same time the last one takes the network down, once", async () => {
  const { world, network } = scene();
  await world.create();
  const others = [await create(world, "db"), await create(world, "log")];
  const release = world.guest.holdNext("modify");
  const deletes = [world.container, ...others].map((container) =>
    container.deleteProcess("")
  );
  await Promise.all(deletes.slice(1));
  assertEquals(network.said(), []);
  release();
  await Promise.all(deletes);
  assertEquals(network.said(), ["teardown"]);
});

Deno.test("a pod whose network is taken down takes no further container", async () => {
  const { world, network } = scene();
  await world.create();
  const release = network.script.holdNext("teardown");
  const deleted = world.container.deleteProcess("");
  await release.reached;
  const error = assertThrows(
    () => world.pod.newContainer("late"),
    ShimError,
    'Cannot add container "late" to pod "pod1"',
  );
  assertEquals(classify(error), "FailedPrecondition");
  release();
  await deleted;
});

Deno.test("a pod whose network is taken down does not set it up again", async () => {
  const { world: { pod }, network } = scene();
  await pod.teardownNetwork();
  const error = await assertRejects(
    () => pod.setupNetwork(),
    ShimError,
    'Cannot set up the network of pod "pod1": the pod has ended',
  );
  assertEquals([classify(error), network.said()], [
    "FailedPrecondition",
    ["teardown"],
  ]);
});

Deno.test("the sandbox container is deleted last while the VM runs", async () => {
  let isRunning = true;
  const { world, network } = scene(() => isRunning);
  await world.create();
  const sandbox = await create(world, "pod1");
  const error = await assertRejects(
    () => sandbox.deleteProcess(""),
    ShimError,
    'Cannot delete sandbox container "pod1": 1 containers of its pod are left',
  );
  assertEquals([classify(error), sandbox.state], [
    "FailedPrecondition",
    "Created",
  ]);
  isRunning = false;
  await sandbox.deleteProcess("");
  assertEquals(network.said(), []);
  await world.container.deleteProcess("");
  assertEquals(network.said(), ["teardown"]);
});

Deno.test("requireLast() concerns the sandbox container alone, and counts who is left", async () => {
  const { world } = scene();
  world.pod.requireLast("web");
  await create(world, "pod1");
  assertThrows(() => world.pod.requireLast("pod1"), ShimError, "1 containers");
  await world.create();
  await world.container.deleteProcess("");
  world.pod.requireLast("pod1");
  world.pod.requireLast("nobody");
});
