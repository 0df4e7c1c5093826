import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { limits } from "../../base/timeouts.ts";
import {
  ContainerWorld,
  plainSpec,
  virtualDisk,
} from "../testing/container_world.ts";
import { noStdio } from "../testing/fake_stdio.ts";

Deno.test("host:I1 a new pod has its id and no containers but those made in it", () => {
  const { pod, container } = new ContainerWorld();
  pod.remove("web");
  assertEquals([pod.id, pod.containers.size, pod.list()], ["pod1", 0, []]);
  assertEquals(container.id, "web");
});

Deno.test("host:I3 host:I4 containers are found by their ids, which are unique", () => {
  const { pod, container } = new ContainerWorld();
  assertEquals(pod.get("web"), container);
  const missing = assertThrows(
    () => pod.get("db"),
    ShimError,
    '"db" not found',
  );
  assertEquals(missing.code, "NotFound");
  const taken = assertThrows(() => pod.newContainer("web"), ShimError);
  assertEquals(taken.code, "AlreadyExists");
});

Deno.test("host:I6 list() and containers are copies", () => {
  const { pod } = new ContainerWorld();
  const { containers } = pod;
  const list = pod.list();
  pod.newContainer("db");
  assertEquals([containers.size, list.length, pod.list().length], [1, 1, 2]);
});

Deno.test("host:I7 host:I8 a removed id can be used again", () => {
  const { pod, container } = new ContainerWorld();
  pod.remove("web");
  assertThrows(() => pod.remove("web"), ShimError, "not found");
  assertEquals(pod.newContainer("web") === container, false);
});

Deno.test("newContainer() refuses while the sandbox container is deleted, and afterwards, but not when that fails", async () => {
  const { pod, guest } = new ContainerWorld();
  pod.remove("web");
  const sandbox = pod.newContainer("pod1");
  await sandbox.create({
    bundle: "/b",
    spec: plainSpec,
    layers: { readOnly: [], scratch: virtualDisk("/pod1.vhdx") },
    stdio: noStdio,
  });
  const refuses = (): void => {
    const error = assertThrows(() => pod.newContainer("web"), ShimError);
    assertEquals(error.code, "FailedPrecondition");
  };
  const injected = new ShimError("Internal", "injected");
  guest.failNext("deleteContainerState", injected);
  const failing = sandbox.deleteProcess("").catch((error) => error);
  refuses();
  assertEquals(await failing, injected);
  pod.newContainer("web");
  pod.remove("web");
  const deleted = sandbox.deleteProcess("");
  refuses();
  await deleted;
  refuses();
  pod.remove("pod1");
  refuses();
});

Deno.test("newContainer() refuses more containers than a pod may have", () => {
  const { pod } = new ContainerWorld();
  for (let count = 1; count < limits.containers; count++) {
    pod.newContainer(`c${count}`);
  }
  const error = assertThrows(() => pod.newContainer("x"), ShimError);
  assertEquals(error.code, "ResourceExhausted");
});

Deno.test("killAll() reaches every container, and gives the first failure", async () => {
  const world = new ContainerWorld({ exitOnKill: true });
  await world.run();
  const other = world.pod.newContainer("db");
  await other.create({
    bundle: "/b",
    spec: plainSpec,
    layers: { readOnly: [], scratch: virtualDisk("/db.vhdx") },
    stdio: noStdio,
  });
  await other.start();
  world.pod.newContainer("not-created"); // there is nothing to kill
  const refused = new ShimError("Internal", "injected");
  world.guest.failNext("signal", refused);
  const error = await world.pod.killAll(15).catch((error) => error);
  assertEquals(error, refused);
  assertEquals(world.guest.callsOf("signal").length, 2);
  await world.pod.killAll(9);
  await Promise.all([world.container.terminated, other.terminated]);
});
