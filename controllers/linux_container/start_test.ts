import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { ContainerWorld } from "../testing/container_world.ts";
import { allStdio } from "../testing/fake_stdio.ts";

const injected = new HResultError(HResult.Fail, "injected");

Deno.test("start() that fails in the guest ends init and leaves the release to delete", async () => {
  for (const call of ["start", "execute"] as const) {
    const world = new ContainerWorld();
    await world.create({ stdio: allStdio });
    world.guest.failNext(call, injected);
    const error = await world.container.start().catch((error) => error);
    assertEquals(error, injected);
    assertEquals(world.container.state, "Invalid");
    assertEquals((await world.container.init.exited).code, 1);
    await world.container.terminated;
    assertEquals(world.client.events.length, 3);
    await world.container.kill("", 9, true); // a success without action
    await world.container.deleteProcess("");
    assertEquals(world.scsi.disks, []);
  }
});

for (const call of ["createContainer", "start", "execute"] as const) {
  Deno.test(`a container has ended when the failure of ${call} is told`, async () => {
    const world = new ContainerWorld();
    const order: string[] = [];
    world.container.terminated.then(() => order.push("terminated"));
    world.guest.failNext(call, injected);
    if (call !== "createContainer") await world.create();
    const failed = call === "createContainer"
      ? world.create()
      : world.container.start();
    failed.catch(() => order.push("told"));
    await assertRejects(() => failed, HResultError);
    await world.container.terminated;
    assertEquals(order, ["terminated", "told"]);
  });
}

Deno.test("start() whose caller has left asks nothing of the guest", async () => {
  const world = new ContainerWorld();
  await world.create();
  const gone = AbortSignal.abort(new ShimError("Canceled", "nobody waits"));
  await assertRejects(() => world.container.start(gone), ShimError, "nobody");
  assertEquals(world.guest.callsOf("start"), []);
  assertEquals(world.container.state, "Invalid");
  assertEquals((await world.container.init.exited).code, 1);
  await world.container.deleteProcess("");
});

Deno.test("an exit before start() returns leaves the container Stopped", async () => {
  const world = new ContainerWorld();
  await world.create();
  const execute = world.guest.execute.bind(world.guest);
  world.guest.execute = async (...args) => {
    const process = await execute(...args);
    await process.exit(3);
    return process;
  };
  await world.container.start();
  await world.container.terminated;
  assertEquals(world.container.state, "Stopped");
  assertEquals((await world.container.deleteProcess("")).exitCode, 3);
});

Deno.test("kill() during a start reaches the process that it starts", async () => {
  const world = new ContainerWorld({ exitOnKill: true });
  await world.create();
  const release = world.guest.holdNext("execute");
  const started = world.container.start();
  const killed = world.container.kill("", 9, false);
  release();
  await Promise.all([started, killed]);
  assertEquals((await world.container.init.exited).code, 137);
});
