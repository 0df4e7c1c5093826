import { assertEquals, assertRejects } from "@std/assert";
import { silentLogger } from "../../base/log.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { ModifyRequest } from "../../bridge/messages.gen.ts";
import type { LayerSet } from "../../hcs/ports.ts";
import { ContainerWorld, virtualDisk } from "../testing/container_world.ts";
import { allStdio } from "../testing/fake_stdio.ts";
import { ContainerResources, releaseOrder } from "./resources.ts";

const injected = new HResultError(HResult.Fail, "injected");

const threeLayers: LayerSet = {
  readOnly: ["/l/c.vhd", "/l/b.vhd", "/l/a.vhd"].map(virtualDisk),
  scratch: virtualDisk("/l/s.vhdx"),
};

/** Where the guest mounts the layers, then the scratch disk. */
const [layerC, layerB, layerA, scratch] = [0, 1, 2, 3].map((lun) =>
  `/run/mounts/scsi/0_${lun}_0`
);

/** A world with a created container, which nothing was said about yet. */
async function created(
  layers: LayerSet = threeLayers,
): Promise<ContainerWorld> {
  const world = new ContainerWorld();
  await world.create({ layers });
  world.said();
  return world;
}

/** Deletes the container. @returns Why that failed. */
async function failureOfDelete(world: ContainerWorld): Promise<unknown> {
  return await world.container.deleteProcess("")
    .then(() => undefined, (error) => error);
}

function mountPath({ Settings }: ModifyRequest): string | undefined {
  return (Settings as { MountPath?: string } | undefined)?.MountPath;
}

/** Where the guest was told to unmount disks since the last call, in order. */
function unmounted(world: ContainerWorld): (string | undefined)[] {
  const paths = world.guest.callsOf("modify")
    .map(({ argument }) => argument as ModifyRequest)
    .filter(({ RequestType, ResourceType }) =>
      RequestType === "Remove" && ResourceType === "MappedVirtualDisk"
    )
    .map(mountPath);
  world.guest.calls.length = 0;
  return paths;
}

/** The first unmount of this path fails, after the guest heard of it. */
function failUnmount(world: ContainerWorld, path: string | undefined): void {
  const modify = world.guest.modify.bind(world.guest);
  let isArmed = true;
  world.guest.modify = (request, id) => {
    if (
      isArmed && request.RequestType === "Remove" && mountPath(request) === path
    ) {
      isArmed = false;
      world.guest.failNext("modify", injected);
    }
    return modify(request, id);
  };
}

/** Paths of the disks that the VM holds. */
function attached(world: ContainerWorld): string[] {
  return world.scsi.disks.map(({ config }) => config.hostPath);
}

Deno.test("host:K23 release() without layers lets everything else go", async () => {
  const resources = new ContainerResources(silentLogger);
  const released: string[] = [];
  for (const kind of ["device", "share", "disk", "guest state"] as const) {
    resources.add(kind, "x", () => Promise.resolve(void released.push(kind)));
  }
  await resources.release();
  assertEquals(released, ["guest state", "disk", "share", "device"]);
  assertEquals(resources.isEmpty, true);

  const world = await created({ ...threeLayers, readOnly: [] });
  await world.container.deleteProcess("");
  assertEquals(world.said(), [
    "Remove CombinedLayers",
    "deleteContainerState",
    "Remove MappedVirtualDisk", // the scratch disk
    "Remove SCSIDevice",
  ]);
  assertEquals(attached(world), []);
});

Deno.test("host:K25 release() of what was released already does nothing", async () => {
  const resources = new ContainerResources(silentLogger);
  const released: string[] = [];
  for (const kind of releaseOrder) {
    resources.add(kind, "x", () => Promise.resolve(void released.push(kind)));
  }
  await resources.release();
  await resources.release();
  assertEquals(released, [...releaseOrder]);

  const world = new ContainerWorld();
  world.guest.failNext("createContainer", injected);
  assertEquals(await world.create().catch((error) => error), injected);
  assertEquals(attached(world), []); // the failed create let go of everything
  world.said();
  const { calls } = world.vm.script;
  const before = calls.length;
  await world.container.deleteProcess("");
  assertEquals([world.said(), calls.length], [[], before]);
});

Deno.test("host:K27 deleteProcess() unmaps every one of several layers", async () => {
  const world = await created();
  assertEquals(attached(world).length, 4);
  await world.container.deleteProcess("");
  assertEquals(unmounted(world), [scratch, layerC, layerB, layerA]);
  assertEquals(attached(world), []);
});

Deno.test("host:K28 deleteProcess() returns that layers cannot be taken apart, and tries it again", async () => {
  const world = await created();
  world.guest.failNext("modify", injected);
  assertEquals(await failureOfDelete(world), injected);
  assertEquals(world.said(), ["Remove CombinedLayers"]);
  assertEquals(attached(world).length, 4);
  await world.container.deleteProcess("");
  assertEquals(world.said().slice(0, 2), [
    "Remove CombinedLayers",
    "deleteContainerState",
  ]);
  assertEquals(attached(world), []);
});

Deno.test("host:K29 deleteProcess() returns that the scratch disk cannot be unmapped", async () => {
  const world = await created();
  failUnmount(world, scratch);
  assertEquals(await failureOfDelete(world), injected);
  assertEquals(attached(world).length, 4);
  assertEquals(unmounted(world), [scratch]);
  await world.container.deleteProcess("");
  assertEquals(unmounted(world), [scratch, layerC, layerB, layerA]);
  assertEquals(attached(world), []);
});

Deno.test("host:K30 deleteProcess() that fails between two layers keeps the rest of them", async () => {
  const world = await created();
  failUnmount(world, layerB);
  assertEquals(await failureOfDelete(world), injected);
  assertEquals(unmounted(world), [scratch, layerC, layerB]);
  assertEquals(attached(world), ["/l/b.vhd", "/l/a.vhd"]);
  await world.container.deleteProcess("");
  assertEquals(unmounted(world), [layerB, layerA]);
  assertEquals(attached(world), []);
});

Deno.test("host:K31 release() of nothing succeeds", async () => {
  const resources = new ContainerResources(silentLogger);
  assertEquals(resources.isEmpty, true);
  await resources.release();

  const world = new ContainerWorld();
  world.files.script.failNext("resolve", injected); // of the first layer
  assertEquals(await world.create().catch((error) => error), injected);
  assertEquals(await failureOfDelete(world), undefined);
  assertEquals([world.said(), world.vm.script.calls], [[], []]);
});

/** Counts the close() calls on the guest's containers from now on. */
function countCloses(world: ContainerWorld): () => number {
  let count = 0;
  const createContainer = world.guest.createContainer.bind(world.guest);
  world.guest.createContainer = async (...call) => {
    const container = await createContainer(...call);
    return {
      ...container,
      close: () => {
        count += 1;
        container.close();
      },
    };
  };
  return () => count;
}

Deno.test("host:K32 the guest's container is closed once when it ran, ended and is deleted", async () => {
  const world = new ContainerWorld();
  const closes = countCloses(world);
  await world.create({ layers: threeLayers });
  const pid = await world.container.start();
  await world.guest.process(pid).exit(0);
  await world.container.terminated;
  await world.container.deleteProcess("");
  assertEquals(closes(), 1);
});

Deno.test("host:K32 the guest's container is closed once when it was created only", async () => {
  const world = new ContainerWorld();
  const closes = countCloses(world);
  await world.create({ layers: threeLayers });
  await world.container.deleteProcess("");
  assertEquals(closes(), 1);
});

Deno.test("host:K32 the guest's container is closed once when its init process cannot be created", async () => {
  const world = new ContainerWorld();
  const closes = countCloses(world);
  const stdio = { ...allStdio, terminal: true }; // a terminal has no stderr
  await assertRejects(() => world.create({ layers: threeLayers, stdio }));
  assertEquals(world.guest.callsOf("createContainer").length, 1);
  await world.container.deleteProcess("");
  assertEquals([closes(), attached(world)], [1, []]);
});

Deno.test("host:K32 the guest's container is closed once when its deletion is repeated", async () => {
  const world = new ContainerWorld();
  const closes = countCloses(world);
  await world.create({ layers: threeLayers });
  failUnmount(world, scratch);
  assertEquals(await failureOfDelete(world), injected);
  await world.container.deleteProcess("");
  assertEquals(closes(), 1);
});
