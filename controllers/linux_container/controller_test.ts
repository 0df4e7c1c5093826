import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { defaultTimeouts, limits } from "../../base/timeouts.ts";
import { ContainerWorld } from "../testing/container_world.ts";
import { allStdio } from "../testing/fake_stdio.ts";
import { allowedPairs } from "../testing/state_table.ts";
import { containerStates } from "./states.ts";

const injected = new HResultError(HResult.Fail, "injected");
const exec = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["true"] };

Deno.test("the container states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(containerStates), [
    "Created exit Stopped",
    "Created fail Invalid",
    "Created start Running",
    "NotCreated create Created",
    "NotCreated fail Invalid",
    "Running exit Stopped",
  ]);
});

Deno.test("host:K1 a new container is NotCreated, its init with it", () => {
  const { container } = new ContainerWorld();
  assertEquals([container.id, container.state], ["web", "NotCreated"]);
  assertEquals(container.init.state, "NotCreated");
  assertEquals(container.processes().size, 0);
});

Deno.test("host:K22 a life: everything is acquired and released in order", async () => {
  const world = new ContainerWorld();
  await world.create();
  assertEquals(world.container.state, "Created");
  assertEquals(world.said(), [
    "Add MappedVirtualDisk",
    "Add MappedVirtualDisk",
    "Add MappedVirtualDisk",
    "Add CombinedLayers",
    "createContainer",
  ]);
  const init = world.guest.process(await world.container.start());
  assertEquals(world.container.state, "Running");
  assertEquals(world.said(), ["start", "execute"]);
  await init.exit(7);
  await world.container.terminated;
  assertEquals(world.container.state, "Stopped");
  const { exitCode } = await world.container.deleteProcess("");
  assertEquals(exitCode, 7);
  assertEquals(world.said(), [
    "Remove CombinedLayers",
    "deleteContainerState",
    "Remove MappedVirtualDisk", // the scratch disk goes first
    "Remove SCSIDevice",
    "Remove MappedVirtualDisk",
    "Remove SCSIDevice",
    "Remove MappedVirtualDisk",
    "Remove SCSIDevice",
  ]);
  assertEquals(world.scsi.disks, []);
  await assertRejects(() => world.container.deleteProcess(""), ShimError);
});

Deno.test("host:K2 host:K4 the end of init releases every waiter", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  const waiters = [world.container.terminated, world.container.terminated];
  await init.exit(0);
  await Promise.all(waiters);
  await world.container.terminated; // at once
});

Deno.test("host:K36 calls in the wrong state are refused", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  const refused = async (call: () => Promise<unknown>): Promise<void> => {
    const error = await assertRejects(call, ShimError, 'container "web"');
    assertEquals(error.code, "FailedPrecondition");
  };
  await refused(() => container.start());
  await refused(() => container.pids());
  await refused(() => container.stats());
  await refused(() => container.update({}));
  await world.create();
  await refused(() => world.create());
  await refused(() => container.pids());
});

Deno.test("host:K5 newProcess() needs a running container and a free id", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  assertThrows(() => container.newProcess("e"), ShimError, 'process "e" in');
  const init = await world.run();
  const process = container.newProcess("e");
  assertEquals(container.process("e"), process);
  const taken = assertThrows(() => container.newProcess("e"), ShimError);
  assertEquals(taken.code, "AlreadyExists");
  await init.exit(0);
});

Deno.test("newProcess() refuses more processes than a container may have", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  for (let count = 1; count < limits.processes; count++) {
    world.container.newProcess(`e${count}`);
  }
  const error = assertThrows(() => world.container.newProcess("x"), ShimError);
  assertEquals(error.code, "ResourceExhausted");
  await init.exit(0);
});

Deno.test("host:K6 host:K7 processes are found by their ids; init is not listed", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  const init = await world.run();
  assertEquals([...container.processes().keys()], []);
  container.newProcess("e");
  assertEquals([...container.processes().keys()], ["e"]);
  assertEquals(container.process(""), container.init);
  const error = assertThrows(() => container.process("x"), ShimError, '"x"');
  assertEquals(error.code, "NotFound");
  await init.exit(0);
});

Deno.test("forgetProcess() takes back what could not be created, and nothing else", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  const init = await world.run();
  container.newProcess("bad");
  container.forgetProcess("bad");
  container.forgetProcess("");
  container.forgetProcess("unknown");
  container.newProcess("bad");
  assertEquals(container.process(""), container.init);
  await init.exit(0);
});

Deno.test("host:K8 host:K9 host:K10 host:K12 kill() refuses what makes no sense", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  const codeOf = (call: () => Promise<void>): Promise<string> =>
    call().then(() => "ok", classify);
  const code = "FailedPrecondition";
  assertEquals(await codeOf(() => container.kill("e", 9, true)), code);
  assertEquals(await codeOf(() => container.kill("", 9, false)), code);
  const init = await world.run();
  const bad = "InvalidArgument";
  assertEquals(await codeOf(() => container.kill("", 99, false)), bad);
  assertEquals(await codeOf(() => container.kill("x", 9, false)), "NotFound");
  await init.exit(0);
});

Deno.test("host:K13 host:K14 kill() ends what was never started, and leaves what has ended", async () => {
  const world = new ContainerWorld();
  await world.create();
  await world.container.kill("", 9, false);
  await world.container.terminated;
  assertEquals(world.container.state, "Stopped");
  assertEquals(world.container.init.status().exitCode, 1);
  await world.container.kill("", 9, true);
  assertEquals(world.guest.callsOf("signal"), []);
  await world.container.deleteProcess("");
  assertEquals(world.scsi.disks, []);
});

Deno.test("host:K15 host:K16 a signal to init reaches the execs first; one to an exec only it", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  const init = await world.run();
  const process = container.newProcess("e");
  await process.create({ bundle: "/b", spec: exec, stdio: allStdio });
  const pid = await process.start();
  const signalled = (): unknown[] =>
    world.guest.callsOf("signal").map(({ argument }) =>
      (argument as { pid: number }).pid
    );
  await container.kill("e", 10, false);
  assertEquals(signalled(), [pid]);
  world.guest.failNext("signal", injected); // of the exec: only logged
  await container.kill("", 15, true);
  assertEquals(signalled(), [pid, pid, init.pid]);
  await world.guest.process(pid).exit(0);
  await init.exit(0);
  await container.terminated;
  await process.exited;
});

Deno.test("host:K17 host:K19 host:K20 deleteProcess() refuses what is not there", async () => {
  const world = new ContainerWorld();
  const { container } = world;
  const fresh = await assertRejects(
    () => container.deleteProcess(""),
    ShimError,
    "NotCreated",
  );
  assertEquals(fresh.code, "FailedPrecondition");
  const init = await world.run();
  const missing = await assertRejects(() => container.deleteProcess("x"));
  assertEquals(classify(missing), "NotFound");
  container.newProcess("e");
  const early = await assertRejects(() => container.deleteProcess("e"));
  assertEquals(classify(early), "FailedPrecondition");
  await init.exit(0);
});

Deno.test("deleteProcess() of an exec forgets it and leaves the container", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  const process = world.container.newProcess("e");
  await process.create({ bundle: "/b", spec: exec, stdio: allStdio });
  const pid = await process.start();
  await assertRejects(() => world.container.deleteProcess("e"), ShimError);
  await world.guest.process(pid).exit(4);
  await process.exited;
  assertEquals((await world.container.deleteProcess("e")).exitCode, 4);
  assertEquals(world.container.processes().size, 0);
  assertEquals(world.container.state, "Running");
  await init.exit(0);
});

Deno.test("deleteProcess() of a container ends what was created in it and never started", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  const process = world.container.newProcess("e");
  await process.create({ bundle: "/b", spec: exec, stdio: allStdio });
  await init.exit(0);
  await world.container.deleteProcess("");
  assertEquals(process.status().status, "STOPPED");
  const { code, isLost } = await process.exited;
  assertEquals([code, isLost], [1, undefined]);
  assertEquals(world.client.events, [
    "closed stdin",
    "closed stdout",
    "closed stderr",
  ]);
});

Deno.test("deleteProcess() of a running container waits for its end", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  const deleted = world.container.deleteProcess("");
  await world.clock.advance(defaultTimeouts.deleteWait - 1);
  await init.exit(9);
  assertEquals((await deleted).exitCode, 9);
  assertEquals(world.scsi.disks, []);
});

Deno.test("deleteProcess() of a container that does not end gives up, and can be repeated", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  const deleted = assertRejects(() => world.container.deleteProcess(""));
  await world.clock.advance(defaultTimeouts.deleteWait);
  assertEquals(classify(await deleted), "DeadlineExceeded");
  await init.exit(0);
  await world.container.deleteProcess("");
  assertEquals(world.scsi.disks, []);
});

Deno.test("deleteProcess() of a container that was never started has exit code 0", async () => {
  const world = new ContainerWorld();
  await world.create({ stdio: allStdio });
  assertEquals((await world.container.deleteProcess("")).exitCode, 0);
  await world.container.terminated;
  assertEquals([world.scsi.disks, world.client.events.length], [[], 3]);
});

Deno.test("host:K26 host:K34 deleteProcess() stops at the first failure and goes on later", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  await init.exit(0);
  await world.container.terminated;
  world.said();
  world.guest.failNext("deleteContainerState", injected);
  const error = await world.container.deleteProcess("").catch((error) => error);
  assertEquals(error, injected);
  assertEquals(world.said(), ["Remove CombinedLayers", "deleteContainerState"]);
  await world.container.deleteProcess("");
  assertEquals(world.said()[0], "deleteContainerState"); // no second uncombine
  assertEquals(world.scsi.disks, []);
});

Deno.test("host:K35 what is gone with the bridge counts as released", async () => {
  const world = new ContainerWorld();
  await world.run();
  world.guest.lose();
  await world.container.terminated;
  const { exitCode } = await world.container.deleteProcess("");
  assertEquals(exitCode, 255);
});

Deno.test("host:K21 update() passes the limits unchanged", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  world.said();
  await world.container.update({
    memory: { limit: 9223372036854775807n },
    cpu: { quota: 0n },
  });
  const [call] = world.guest.calls;
  assertEquals([call?.containerId, call?.argument], ["web", {
    ResourceType: "ContainerConstraints",
    RequestType: "Update",
    Settings: {
      Windows: {},
      Linux: {
        memory: { limit: 9223372036854775807n },
        cpu: { quota: 0n },
      },
    },
  }]);
  await init.exit(0);
});

Deno.test("pids() names the execs, stats() gives the guest's metrics", async () => {
  const world = new ContainerWorld();
  const init = await world.run();
  const process = world.container.newProcess("e");
  await process.create({ bundle: "/b", spec: exec, stdio: allStdio });
  const pid = await process.start();
  world.guest.propertiesOf.set("web", {
    ProcessList: [
      { ProcessId: init.pid },
      { ProcessId: pid },
      { ProcessId: 999 },
    ],
    LCOWMetrics: { pids: { current: 3n, limit: 100n } },
  });
  assertEquals(await world.container.pids(), [
    { pid: init.pid, execId: "" },
    { pid, execId: "e" },
    { pid: 999 },
  ]);
  assertEquals((await world.container.stats()).pids?.current, 3n);
  await world.guest.process(pid).exit(0);
  await init.exit(0);
  await process.exited;
});

Deno.test("a container that is lost with the bridge before its start ends", async () => {
  const world = new ContainerWorld();
  await world.create({ stdio: allStdio });
  world.guest.lose();
  assertEquals((await world.container.init.exited).code, 255);
  await world.container.terminated;
  assertEquals(world.container.state, "Stopped");
  await world.container.deleteProcess("");
});

Deno.test("abandon() ends a container that was never started", async () => {
  const world = new ContainerWorld();
  await world.create({ stdio: allStdio });
  world.guest.lose();
  await world.pod.abandon(new Error("the VM has ended"));
  await world.container.terminated;
  assertEquals(world.container.state, "Stopped");
  assertEquals((await world.container.init.exited).code, 255);
  await world.container.deleteProcess("");
});

Deno.test("state queries answer while a create is under way", async () => {
  const world = new ContainerWorld();
  const release = world.guest.holdNext("createContainer");
  const created = world.create();
  await world.clock.advance(0);
  assertEquals(world.container.state, "NotCreated");
  assertEquals(world.container.init.status().status, "UNKNOWN");
  release();
  await created;
});
