import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { fakeRuntimeId } from "../testing/fake_compute.ts";
import { allowedPairs } from "../testing/state_table.ts";
import { VmWorld } from "../testing/vm_world.ts";
import { bridgePort } from "../../bridge/places.ts";
import { vmStates } from "./states.ts";

const injected = new ShimError("Internal", "injected");

function systemCalls(world: VmWorld): string[] {
  return world.compute.system.script.calls.map(({ call }) => call);
}

Deno.test("the VM states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(vmStates), [
    "Created exit Terminated",
    "Created fail Invalid",
    "Created start Running",
    "Created terminate Terminated",
    "Invalid exit Terminated",
    "Invalid fail Invalid",
    "Invalid terminate Terminated",
    "NotCreated create Created",
    "Running exit Terminated",
    "Running fail Invalid",
    "Running terminate Terminated",
  ]);
});

Deno.test("create() hands the document to the compute service", async () => {
  const world = new VmWorld();
  assertEquals([world.vm.state, world.vm.runtimeId], ["NotCreated", ""]);
  await world.create({ options: { sandboxPlatform: "linux/amd64" } });
  const [{ argument } = { argument: undefined }] = world.compute.script.of(
    "create",
  );
  const { id, document } = argument as {
    id: string;
    document: Record<string, unknown>;
  };
  assertEquals(id, "pod1@vm");
  assertEquals(document["Owner"], "containerd-shim-lcow-v2");
  assertEquals(document["ShouldTerminateOnLastHandleClosed"], true);
  const { vm } = world;
  assertEquals([vm.state, vm.id, vm.runtimeId], [
    "Created",
    "pod1@vm",
    fakeRuntimeId,
  ]);
  assertEquals(vm.sandboxOptions?.architecture, "amd64");
});

Deno.test("create() without options takes the host's architecture", async () => {
  const world = new VmWorld();
  await world.create();
  assertEquals(world.vm.sandboxOptions?.architecture, "amd64");
});

Deno.test("create() that fails can be repeated, at whatever step it failed", async () => {
  for (const step of ["bootFiles", "serviceProperties", "create"]) {
    const world = new VmWorld();
    const script = step === "bootFiles"
      ? world.files.script
      : world.compute.script;
    script.failNext(step, injected);
    assertEquals(await world.create().catch((error) => error), injected);
    assertEquals([world.vm.state, world.vm.id], ["NotCreated", ""]);
    await world.create();
    await assertRejects(() => world.create(), ShimError, "it is Created");
  }
});

Deno.test("create() over a foreign system names its owner", async () => {
  const world = new VmWorld();
  const cause = new HResultError(HResult.SystemAlreadyExists, "create");
  world.compute.script.failNext("create", cause);
  world.compute.rows = [
    { Id: "pod1@vm", Owner: "somebody", RuntimeId: "", State: "Running" },
  ];
  const error = await assertRejects(
    () => world.create(),
    ShimError,
    'owned by "somebody"',
  );
  assertEquals(error.code, "AlreadyExists");
});

Deno.test("create() with a missing boot directory names it", async () => {
  const world = new VmWorld();
  await assertRejects(
    () =>
      world.create({
        options: { sandboxPlatform: "linux/amd64", bootFilesRootPath: "boot2" },
      }),
    ShimError,
    'boot_files_root_path "/bundle/boot2" not found',
  );
});

Deno.test("start() listens before the VM starts, gives 512 random bytes and shakes hands", async () => {
  const world = new VmWorld();
  await world.create();
  const started = world.vm.start();
  await world.starting();
  assertEquals(
    world.sockets.script.calls.map(({ call }) => call),
    ["listen 1", "listen 109", `listen ${bridgePort}`],
  );
  const guest = await world.dial();
  await guest.bridge.welcome();
  await started;
  assertEquals(new Set(guest.entropy).size > 100, true);
  assertEquals(world.sockets.ports, []); // each is closed after its dial
  assertEquals(world.vm.state, "Running");
  assertEquals(world.vm.startedAt, world.clock.now());
  assertEquals(world.vm.guest.capabilities.RuntimeOsType, "Linux");
  await world.vm.start(); // a success without any call
  assertEquals(systemCalls(world), ["start"]);
  await guest.log.close();
  await world.vm.terminate();
});

Deno.test("members that need a running VM say in which state it is", async () => {
  const world = new VmWorld();
  const message = "vm is not running (state: NotCreated)";
  assertThrows(() => world.vm.requireRunning(), ShimError, message);
  assertThrows(() => world.vm.guest, ShimError, message);
  assertThrows(() => world.vm.scsi(), ShimError, message);
  assertThrows(() => world.vm.plan9(), ShimError, message);
  assertThrows(() => world.vm.vpci(), ShimError, message);
  const error = await assertRejects(() => world.vm.stats(), ShimError, message);
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("start() of a VM that was never created is refused", async () => {
  const error = await assertRejects(() => new VmWorld().vm.start(), ShimError);
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("start() that cannot listen leaves no listener", async () => {
  for (const port of [1, 109, bridgePort]) {
    const world = new VmWorld();
    await world.create();
    world.sockets.script.failNext(`listen ${port}`, injected);
    assertEquals(await world.vm.start().catch((error) => error), injected);
    assertEquals([world.vm.state, world.sockets.ports], ["Invalid", []]);
    assertEquals(systemCalls(world), []);
    await world.vm.terminate();
    assertEquals([world.vm.state, systemCalls(world)], [
      "Terminated",
      ["terminate", "close"],
    ]);
  }
});

Deno.test("start() that the compute service refuses leaves the VM Invalid", async () => {
  const world = new VmWorld();
  await world.create();
  world.compute.system.script.failNext("start", injected);
  assertEquals(await world.vm.start().catch((error) => error), injected);
  assertEquals([world.vm.state, world.sockets.ports], ["Invalid", []]);
  await assertRejects(() => world.vm.start(), ShimError, "it is Invalid");
  await world.vm.terminate();
});

Deno.test("start() that the guest's version ends closes the bridge", async () => {
  const world = new VmWorld();
  await world.create();
  const started = world.vm.start();
  const guest = await world.dial();
  await guest.bridge.answer(await guest.bridge.receive(), { Version: 3 });
  await assertRejects(() => started, ShimError, "unexpected version 3");
  assertEquals(await guest.bridge.isEnded(), true);
  assertEquals(world.vm.state, "Invalid");
  await guest.log.close();
  await world.vm.terminate();
});

Deno.test("start() ends after its time", async () => {
  const world = new VmWorld();
  await world.create();
  const started = assertRejects(() => world.vm.start(), DOMException);
  await world.starting();
  await world.clock.advance(defaultTimeouts.vmStart);
  assertEquals(classify(await started), "DeadlineExceeded");
  assertEquals([world.vm.state, world.sockets.ports], ["Invalid", []]);
  await world.vm.terminate();
});

Deno.test("start() ends when the VM does, with the VM's reason", async () => {
  const world = new VmWorld();
  await world.create();
  const started = assertRejects(() => world.vm.start(), HResultError);
  await world.starting();
  world.compute.system.exit({ status: 0xc0370106, exitType: "UnexpectedExit" });
  assertEquals((await started).hresult, 0xc0370106);
  const { error } = await world.vm.exited;
  assertEquals(classify(error), "Aborted");
  assertEquals([world.vm.state, world.sockets.ports], ["Terminated", []]);
  assertEquals(world.compute.system.closed, true);
});

Deno.test("terminate() ends a start that is under way", async () => {
  const world = new VmWorld();
  await world.create();
  const started = assertRejects(() => world.vm.start(), ShimError);
  await world.starting();
  await world.vm.terminate();
  assertEquals((await started).message, "The VM is being terminated");
  assertEquals([world.vm.state, world.sockets.ports], ["Terminated", []]);
  assertEquals((await world.vm.exited).error, undefined);
});

Deno.test("terminate() ends a create that is under way; nothing is left", async () => {
  const world = new VmWorld();
  world.compute.script.holdNext("create");
  const created = assertRejects(() => world.create(), ShimError);
  await world.clock.advance(0);
  await world.vm.terminate();
  await created;
  assertEquals([world.vm.state, world.compute.systems.size], ["NotCreated", 0]);
});

Deno.test("terminate() closes the bridge before the handle, once", async () => {
  const world = new VmWorld();
  await world.create();
  const guest = await world.boot();
  const { ended } = world.vm.guest;
  await guest.log.close();
  await world.vm.terminate();
  assertEquals(await guest.bridge.isEnded(), true);
  assertEquals(await ended, {});
  assertEquals(systemCalls(world), ["start", "terminate", "close"]);
  assertEquals(world.vm.state, "Terminated");
  assertEquals(await world.vm.exited, { at: world.clock.now() });
  await world.vm.terminate();
  assertEquals(systemCalls(world).length, 3);
});

Deno.test("terminate() of a VM that never ran only closes its handle", async () => {
  const world = new VmWorld();
  await world.vm.terminate(); // nothing to do
  await world.create();
  await world.vm.terminate();
  assertEquals(systemCalls(world), ["close"]);
  assertEquals(await world.vm.exited, { at: world.clock.now() });
});

Deno.test("terminate() whose close fails leaves the VM Invalid and can be repeated", async () => {
  const world = new VmWorld();
  await world.create();
  await (await world.boot()).log.close();
  world.compute.system.script.failNext("close", injected);
  assertEquals(await world.vm.terminate().catch((error) => error), injected);
  assertEquals(world.vm.state, "Invalid");
  await world.vm.terminate();
  assertEquals(world.vm.state, "Terminated");
  await world.vm.exited;
});

Deno.test("terminate() whose close fails releases who waits for the VM, which has ended", async () => {
  const world = new VmWorld();
  await world.create();
  await (await world.boot()).log.close();
  world.compute.system.script.failNext("close", injected);
  assertEquals(await world.vm.terminate().catch((error) => error), injected);
  assertEquals(await world.vm.exited, { at: world.clock.now() });
  assertEquals(world.vm.state, "Invalid");
  await world.vm.terminate();
  assertEquals(world.vm.state, "Terminated");
});

Deno.test("terminate() gives up waiting for a VM that does not end", async () => {
  const world = new VmWorld();
  await world.create();
  await (await world.boot()).log.close();
  world.compute.system.obedient = false;
  const terminated = world.vm.terminate();
  await world.clock.advance(defaultTimeouts.vmTerminate);
  await terminated;
  assertEquals([world.vm.state, world.compute.system.closed], [
    "Terminated",
    true,
  ]);
  await world.vm.exited;
});

Deno.test("pains:14 an exit that nobody asked for ends everything that waits for the guest", async () => {
  const world = new VmWorld();
  await world.create();
  const guest = await world.boot();
  const call = assertRejects(() => world.vm.guest.properties("web", []));
  await guest.bridge.receive();
  await guest.log.close();
  world.compute.system.exit({ exitType: "UnexpectedExit" });
  assertEquals(classify(await call), "Unavailable");
  const { error, at } = await world.vm.exited;
  assertEquals([classify(error), world.vm.stoppedAt], ["Aborted", at]);
  assertEquals([world.vm.state, world.compute.system.closed], [
    "Terminated",
    true,
  ]);
});

Deno.test("a lost compute service ends the VM with its reason", async () => {
  const world = new VmWorld();
  await world.create();
  await (await world.boot()).log.close();
  world.compute.system.lose(new Error("lost communication"));
  const { error } = await world.vm.exited;
  assertEquals([error?.message, classify(error)], [
    "lost communication",
    "Unavailable",
  ]);
});

Deno.test("a log that does not end with the VM is cut off", async () => {
  const world = new VmWorld();
  await world.create();
  await world.boot();
  world.compute.system.exit();
  await world.clock.advance(defaultTimeouts.drainGrace);
  await world.vm.exited;
  assertEquals(
    world.lines.some(({ msg }) => msg === "The guest's log is cut off"),
    true,
  );
});

Deno.test("the last lines of the guest are written before exited resolves", async () => {
  const world = new VmWorld();
  await world.create();
  const guest = await world.boot();
  await guest.log.write(new TextEncoder().encode('{"msg":"bye"}panic!'));
  world.compute.system.exit();
  await guest.log.close();
  await world.vm.exited;
  const said = world.lines.filter(({ source }) => source === "guest");
  assertEquals(said.map(({ msg }) => msg), ["bye", "gcs terminated"]);
  assertEquals(said[1]?.["stderr"], "panic!");
});

Deno.test("state queries answer while a start is under way", async () => {
  const world = new VmWorld();
  await world.create();
  world.compute.system.script.holdNext("start");
  const started = assertRejects(() => world.vm.start());
  await world.starting();
  assertEquals([world.vm.state, world.vm.startedAt], ["Created", undefined]);
  await world.vm.terminate();
  await started;
});

Deno.test("scsi() is one object, and holds the disk that the VM boots from", async () => {
  const world = new VmWorld();
  world.files.boot = ["kernel", "rootfs.vhd"];
  await world.create();
  await (await world.boot()).log.close();
  const scsi = world.vm.scsi();
  assertEquals(world.vm.scsi(), scsi);
  assertEquals(scsi.disks.map(({ config }) => config.hostPath), [
    "/boot/rootfs.vhd",
  ]);
  await world.vm.terminate();
});

Deno.test("stats() reads processor time and memory", async () => {
  const world = new VmWorld();
  await world.create({
    annotations: { "io.microsoft.virtualmachine.fullyphysicallybacked": "1" },
  });
  await (await world.boot()).log.close();
  world.compute.system.answer = {
    Id: "pod1@vm",
    Statistics: { Processor: { TotalRuntime100ns: 7 } },
    Memory: {
      VirtualNodeCount: 1,
      VirtualMachineMemory: { AssignedMemory: 1024 },
    },
  };
  const stats = await world.vm.stats();
  assertEquals(stats.processorRuntimeNs, 700n);
  assertEquals(stats.virtualNodeCount, 1);
  assertEquals(stats.memory?.AssignedMemory, 1024n);
  assertEquals(stats.workingSetBytes, 4194304n);
  assertEquals(world.compute.system.script.of("properties")[0]?.argument, {
    PropertyTypes: ["Statistics", "Memory"],
  });
  await world.vm.terminate();
});
