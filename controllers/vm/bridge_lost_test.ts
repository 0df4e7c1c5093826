import { assertEquals, assertStringIncludes } from "@std/assert";
import { classify } from "../../base/errors.ts";
import { HResult } from "../../base/hresult.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { type BootedGuest, VmWorld } from "../testing/vm_world.ts";

const { bridgeLost, drainGrace } = defaultTimeouts;

/** A running VM whose guest has just closed its bridge. */
async function lost(): Promise<{ world: VmWorld; guest: BootedGuest }> {
  const world = new VmWorld();
  await world.create();
  const guest = await world.boot();
  await guest.bridge.stream.close();
  await world.vm.guest.ended;
  await world.clock.advance(0);
  return { world, guest };
}

function terminates({ compute }: VmWorld): number {
  return compute.system.script.of("terminate").length;
}

Deno.test("a VM whose bridge is lost is ended when it does not end by itself", async () => {
  const { world, guest } = await lost();
  await world.clock.advance(bridgeLost - 1);
  assertEquals([terminates(world), world.vm.state], [0, "Running"]);
  await world.clock.advance(1);
  await guest.log.close();
  const { error } = await world.vm.exited;
  assertEquals(classify(error), "Unavailable");
  assertStringIncludes(error?.message ?? "", 'VM "pod1@vm" was ended');
  assertEquals([terminates(world), world.vm.state], [1, "Terminated"]);
  assertEquals(world.compute.system.closed, true);
  assertEquals(world.clock.sleepers, 0);
  await world.vm.terminate();
  assertEquals(terminates(world), 1);
});

Deno.test("the reason why the bridge was lost is the reason of the VM's end", async () => {
  const world = new VmWorld();
  await world.create();
  const guest = await world.boot();
  await guest.bridge.sendHex("ffffffff ffffffff ffffffffffffffff");
  await world.vm.guest.ended;
  await world.clock.advance(bridgeLost + drainGrace);
  const { error } = await world.vm.exited;
  assertEquals(error?.cause instanceof Error, true);
  assertStringIncludes(error!.message, (error!.cause as Error).message);
});

Deno.test("a VM that ends by itself after its bridge gives its own reason", async () => {
  const { world, guest } = await lost();
  await world.clock.advance(bridgeLost - 1);
  const status = HResult.UnexpectedExit;
  world.compute.system.exit({ exitType: "UnexpectedExit", status });
  await guest.log.close();
  const { error } = await world.vm.exited;
  assertEquals(classify(error), "Aborted");
  await world.clock.advance(bridgeLost);
  assertEquals([terminates(world), world.clock.sleepers], [0, 0]);
});

Deno.test("a VM that is terminated after its bridge was lost ends in order", async () => {
  const { world, guest } = await lost();
  const terminated = world.vm.terminate();
  await guest.log.close();
  await terminated;
  const { error } = await world.vm.exited;
  await world.clock.advance(bridgeLost);
  assertEquals([error, terminates(world)], [undefined, 1]);
  assertEquals(world.clock.sleepers, 0);
});
