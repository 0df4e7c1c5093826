import { assertEquals } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { vmAnnotations as names } from "../../oci/annotations.ts";
import { requestTypes } from "../../bridge/message_types.ts";
import type { ReceivedFrame } from "../../bridge/scripted_peer.ts";
import { type BootedGuest, VmWorld } from "../testing/vm_world.ts";

/** A VM that is told what to enforce, without the hardware for it. */
const annotations = {
  [names.securityPolicy]: "cG9saWN5",
  [names.noSecurityHardware]: "true",
};

/** A VM that is being started, after the handshake. */
async function starting(
  world: VmWorld,
  more: Readonly<Record<string, string>> = {},
): Promise<{ guest: BootedGuest; started: Promise<unknown> }> {
  await world.create({ annotations: { ...annotations, ...more } });
  const started = world.vm.start().catch((error) => error);
  const guest = await world.dial();
  await guest.bridge.welcome();
  return { guest, started };
}

function settingsOf({ type, body }: ReceivedFrame): unknown {
  assertEquals(type, requestTypes.ModifySettings);
  const request = body.Request as Record<string, unknown>;
  assertEquals([request.ResourceType, request.RequestType], [
    "SecurityPolicy",
    "Add",
  ]);
  return request.Settings;
}

async function end(world: VmWorld, guest: BootedGuest): Promise<void> {
  const terminated = world.vm.terminate();
  await guest.log.close();
  await terminated;
}

Deno.test("start() of a confidential VM tells the guest its policy before the VM runs", async () => {
  const world = new VmWorld();
  world.files.contents.set("/boot/reference_info.cose", "signed");
  const { guest, started } = await starting(world);
  const request = await guest.bridge.receive();
  assertEquals(settingsOf(request), {
    EnforcerType: "rego",
    EncodedSecurityPolicy: "cG9saWN5",
    EncodedUVMReference: btoa("signed"),
  });
  assertEquals(world.vm.state, "Created");
  await guest.bridge.answer(request);
  assertEquals([await started, world.vm.state], [undefined, "Running"]);
  await end(world, guest);
});

Deno.test("start() reads the descriptions of the directory that the VM boots from, by the names that are given", async () => {
  const world = new VmWorld();
  world.files.boot = ["kernel", "initrd.img"];
  world.files.contents.set("/boot/mine.cose", "mine");
  world.files.contents.set("/boot/reference_info_hash_envelope.cose", "hashes");
  const { guest, started } = await starting(world, {
    [names.uvmReferenceInfoFile]: "mine.cose",
    [names.securityPolicyEnforcer]: "standard",
  });
  const request = await guest.bridge.receive();
  assertEquals(settingsOf(request), {
    EnforcerType: "standard",
    EncodedSecurityPolicy: "cG9saWN5",
    EncodedUVMReference: btoa("mine"),
    EncodedUVMHashEnvelopeReference: btoa("hashes"),
  });
  await guest.bridge.answer(request);
  await started;
  await end(world, guest);
});

Deno.test("start() fails when a description is there and cannot be read", async () => {
  const world = new VmWorld();
  const injected = new ShimError("PermissionDenied", "injected");
  world.files.script.failNext("read", injected);
  const { guest, started } = await starting(world);
  assertEquals([await started, world.vm.state], [injected, "Invalid"]);
  await end(world, guest);
});

Deno.test("a VM whose guest refuses its policy is Invalid, and is ended by a terminate", async () => {
  const world = new VmWorld();
  const { guest, started } = await starting(world);
  const refusal = { Result: 0x80070005 | 0, ErrorMessage: "no such rule" };
  await guest.bridge.answer(await guest.bridge.receive(), refusal);
  const error = await started;
  assertEquals([classify(error), world.vm.state], [
    "PermissionDenied",
    "Invalid",
  ]);
  assertEquals(String(error).includes("no such rule"), true);
  await end(world, guest);
  assertEquals([world.compute.system.closed, world.clock.sleepers], [true, 0]);
});

Deno.test("start() of any other VM says nothing about policies", async () => {
  const world = new VmWorld();
  await world.create();
  const guest = await world.boot();
  assertEquals([world.vm.state, world.files.script.of("read")], [
    "Running",
    [],
  ]);
  await end(world, guest);
});
