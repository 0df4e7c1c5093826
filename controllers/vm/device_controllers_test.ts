import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { vmAnnotations } from "../../oci/annotations.ts";
import { type BootedGuest, VmWorld } from "../testing/vm_world.ts";

/** A running VM with its guest. */
async function running(
  annotations: Record<string, string> = {},
): Promise<{ world: VmWorld; guest: BootedGuest }> {
  const world = new VmWorld();
  await world.create({ annotations });
  const guest = await world.boot();
  await guest.log.close();
  return { world, guest };
}

const writable = { hostPath: "/data", readOnly: false };

Deno.test("plan9() is one object, which asks the VM, then its guest", async () => {
  const { world, guest } = await running();
  const { vm, compute } = world;
  assertEquals(vm.plan9() === vm.plan9(), true);
  const id = await vm.plan9().reserve(writable, { readOnly: false });
  const mapped = vm.plan9().map(id);
  const request = await guest.bridge.receive();
  assertEquals(compute.system.script.of("modify").length, 1);
  await guest.bridge.answer(request);
  assertEquals(await mapped, "/run/mounts/plan9/0");
  await vm.terminate();
});

Deno.test("vpci() is one object, which asks the VM, then its guest", async () => {
  const { world, guest } = await running();
  const { vm, compute } = world;
  assertEquals(vm.vpci() === vm.vpci(), true);
  const id = await vm.vpci().reserve({
    instancePath: "PCIP\\A",
    virtualFunction: 0,
  });
  const mapped = vm.vpci().map(id);
  const request = await guest.bridge.receive();
  assertEquals(compute.system.script.of("modify").length, 1);
  await guest.bridge.answer(request);
  assertEquals(await mapped, vm.vpci().devices[0]?.guid);
  await vm.terminate();
});

Deno.test("plan9() denies writable shares when the sandbox has none", async () => {
  const { world } = await running({
    [vmAnnotations.disableWritableFileShares]: "true",
  });
  await assertRejects(
    () => world.vm.plan9().reserve(writable, { readOnly: false }),
    ShimError,
    "adding writable shares is denied",
  );
  await world.vm.terminate();
});
