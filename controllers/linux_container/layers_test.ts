import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type {
  ContainerDocument,
  ModifyRequest,
} from "../../bridge/messages.gen.ts";
import {
  ContainerWorld,
  plainSpec,
  twoLayers,
  virtualDisk,
} from "../testing/container_world.ts";
import { fakeRuntimeId } from "../testing/fake_compute.ts";
import { noStdio } from "../testing/fake_stdio.ts";

const injected = new ShimError("Internal", "injected");

function combined(world: ContainerWorld): unknown {
  return world.guest.callsOf("modify")
    .map(({ argument }) => argument as ModifyRequest)
    .find(({ ResourceType }) => ResourceType === "CombinedLayers")?.Settings;
}

Deno.test("host:K50 layers are joined in their order, over the scratch disk", async () => {
  const world = new ContainerWorld();
  await world.create();
  assertEquals(combined(world), {
    ContainerID: "web",
    ContainerRootPath: "/run/gcs/pods/pod1/web/rootfs",
    Layers: [
      { Path: "/run/mounts/scsi/0_0_0" },
      { Path: "/run/mounts/scsi/0_1_0" },
    ],
    ScratchPath: "/run/mounts/scsi/0_2_0/scratch/pod1/web",
  });
  assertEquals(world.compute.script.of("grantAccess"), [{
    call: "grantAccess",
    argument: { vmId: fakeRuntimeId, path: "/layers/s.vhdx" },
  }]);
  const [call] = world.guest.callsOf("createContainer");
  const { OciBundlePath, ScratchDirPath } = call?.argument as ContainerDocument;
  assertEquals([OciBundlePath, ScratchDirPath], [
    "/run/gcs/pods/pod1/web",
    "/run/mounts/scsi/0_2_0/scratch/pod1/web",
  ]);
});

Deno.test("layers can be partitions of one disk", async () => {
  const world = new ContainerWorld();
  const part = { path: "/p.vhd", type: "VirtualDisk", partition: 1 } as const;
  await world.create({
    layers: {
      readOnly: [part, { ...part, partition: 2 }],
      scratch: virtualDisk("/s"),
    },
  });
  assertEquals(world.scsi.disks.length, 2);
  assertEquals([...world.scsi.disks[0]?.mounts.keys() ?? []], [1, 2]);
});

Deno.test("host:K51 an encrypted scratch disk has another file system", async () => {
  for (const isEncrypted of [false, true]) {
    const world = new ContainerWorld({}, undefined, isEncrypted);
    await world.create();
    const config = world.scsi.disks[2]?.mounts.get(0)?.config;
    assertEquals(
      [config?.encrypted, config?.filesystem, config?.ensureFilesystem],
      [isEncrypted, isEncrypted ? "xfs" : "ext4", true],
    );
  }
});

Deno.test("host:K52 host:K53 host:K54 host:K55 host:K56 every failure of the layers is returned", async () => {
  const fail: ((world: ContainerWorld) => void)[] = [
    (world) => world.files.script.failNext("resolve", injected),
    (world) => world.vm.script.failNext("modify", injected),
    (world) => world.guest.failNext("modify", injected),
    (world) => world.compute.script.failNext("grantAccess", injected),
    (world) => {
      const modify = world.guest.modify.bind(world.guest);
      world.guest.modify = (request, id) =>
        request.ResourceType === "CombinedLayers"
          ? Promise.reject(injected)
          : modify(request, id);
    },
  ];
  for (const arrange of fail) {
    const world = new ContainerWorld();
    arrange(world);
    const error = await world.create().catch((error) => error);
    assertEquals(error, injected);
    assertEquals([world.container.state, world.scsi.disks], ["Invalid", []]);
  }
});

Deno.test("host:K24 layers that were never joined are not taken apart", async () => {
  const world = new ContainerWorld();
  world.compute.script.failNext("grantAccess", injected);
  await world.create().catch(() => {}); // the error is another test's business
  assertEquals(world.said(), [
    "Add MappedVirtualDisk",
    "Add MappedVirtualDisk",
    "Remove MappedVirtualDisk",
    "Remove SCSIDevice",
    "Remove MappedVirtualDisk",
    "Remove SCSIDevice",
  ]);
});

Deno.test("two containers share a layer, and the last one takes it away", async () => {
  const world = new ContainerWorld();
  await world.create();
  const other = world.pod.newContainer("db");
  await other.create({
    bundle: "/b",
    spec: { ociVersion: "1.1.0", linux: {} },
    layers: { ...twoLayers, scratch: virtualDisk("/layers/t.vhdx") },
    stdio: { terminal: false, stdin: "", stdout: "", stderr: "" },
  });
  assertEquals(world.scsi.disks.length, 4);
  await world.container.deleteProcess("");
  assertEquals(world.scsi.disks.length, 3);
  await other.deleteProcess("");
  assertEquals(world.scsi.disks, []);
});

Deno.test("containers on the scratch disk of their sandbox have folders of their own on it, and the last one takes it away", async () => {
  const world = new ContainerWorld();
  const { scratch } = twoLayers;
  const layers = { readOnly: [], scratch };
  await world.create({ layers });
  const mounted = { MountPath: "/run/mounts/scsi/0_0_0" };
  const joined = layersOf(world, "Add");
  const other = world.pod.newContainer("db");
  await other.create({ bundle: "/b", spec: plainSpec, layers, stdio: noStdio });
  assertEquals([...joined, ...layersOf(world, "Add")].map(scratchOf), [
    `${mounted.MountPath}/scratch/pod1/web`,
    `${mounted.MountPath}/scratch/pod1/db`,
  ]);
  assertEquals(world.scsi.disks.length, 1);
  await world.container.deleteProcess("");
  assertEquals(world.said(), ["Remove CombinedLayers", "deleteContainerState"]);
  assertEquals(world.scsi.disks.length, 1);
  await other.deleteProcess("");
  assertEquals(world.said(), [
    "Remove CombinedLayers",
    "deleteContainerState",
    "Remove MappedVirtualDisk",
    "Remove SCSIDevice",
  ]);
  assertEquals(world.scsi.disks, []);
});

/** The requests about layers since the last call of `said`. */
function layersOf(world: ContainerWorld, type: string): ModifyRequest[] {
  const requests = world.guest.callsOf("modify")
    .map(({ argument }) => argument as ModifyRequest)
    .filter(({ ResourceType, RequestType }) =>
      ResourceType === "CombinedLayers" && RequestType === type
    );
  world.said();
  return requests;
}

function scratchOf({ Settings }: ModifyRequest): unknown {
  return (Settings as { ScratchPath?: string }).ScratchPath;
}
