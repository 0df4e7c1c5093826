import { assert, assertEquals, assertRejects } from "@std/assert";
import { HResultError } from "../../base/hresult.ts";
import type { JsonObject } from "../../base/json.ts";
import { GuestVm, mustSkip, readText } from "./guest_fixture.ts";

const ignore = await mustSkip("storage of the guest");

/** A test in an agent of its own, which leaves nothing mounted. */
function guestTest(name: string, test: (vm: GuestVm) => Promise<void>): void {
  Deno.test({ name, ignore }, async () => {
    const vm = await GuestVm.start();
    try {
      const before = await mountsOf(vm);
      await test(vm);
      assertEquals(await vm.leftovers(), []);
      assertEquals(await mountsOf(vm), before);
    } finally {
      await vm.stop();
    }
  });
}

async function mountsOf(vm: GuestVm): Promise<string> {
  return await Deno.readTextFile(`/proc/${vm.pid}/mounts`);
}

/** Changes the VM. */
function modify(
  vm: GuestVm,
  RequestType: "Add" | "Remove",
  ResourceType: string,
  Settings: JsonObject,
): Promise<void> {
  return vm.guest.modify({ ResourceType, RequestType, Settings });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

guestTest("a container runs on 200 layers with long names", async (vm) => {
  const layers = [await vm.image()];
  for (let i = 1; i < 200; i++) {
    const path = `${vm.folder}/layers/layer-${i}-${"x".repeat(60)}`;
    await Deno.mkdir(path, { recursive: true });
    await Deno.writeTextFile(`${path}/file-${i}`, `layer ${i}\n`);
    layers.push(path);
  }
  const container = { id: "many", args: ["cat", "/file-1", "/file-199"] };
  const bundle = "/run/gcs/pods/many/many";
  const scratch = `${vm.folder}/scratch`;
  await modify(vm, "Add", "CombinedLayers", {
    ContainerID: "many",
    ContainerRootPath: `${bundle}/rootfs`,
    Layers: layers.map((Path) => ({ Path })),
    ScratchPath: scratch,
  });
  await vm.createOn(container, scratch);
  const init = await vm.start("many");
  assertEquals(await readText(init.stdout), "layer 1\nlayer 199\n");
  await init.close();
  assertEquals(await init.exited, 0);
  await vm.remove(container);
});

guestTest(
  "layers of a container that was never made leave nothing when they are taken apart",
  async (vm) => {
    const container = { id: "never", args: ["true"] };
    const settings = {
      ContainerID: container.id,
      ContainerRootPath: "/run/gcs/pods/never/never/rootfs",
      Layers: [{ Path: await vm.image() }],
      ScratchPath: `${vm.folder}/scratch`,
    };
    const before = await mountsOf(vm);
    await modify(vm, "Add", "CombinedLayers", settings);
    await modify(vm, "Remove", "CombinedLayers", settings);
    assertEquals(await mountsOf(vm), before);
    assert(!await exists(vm.path("/run/gcs/pods/never")));
    // The folders of the next try are in nobody's way.
    await modify(vm, "Add", "CombinedLayers", settings);
    await vm.createOn(container, settings.ScratchPath);
    await vm.remove(container);
  },
);

guestTest("an assigned device is waited for", async (vm) => {
  const VMBusGUID = "5C1B5C1B-0000-4000-8000-00000000ABCD";
  const added = modify(vm, "Add", "VPCIDevice", { VMBusGUID });
  const bus = `/sys/bus/vmbus/devices/${VMBusGUID.toLowerCase()}`;
  const device = vm.path(`${bus}/pci1234:00/1234:00:00.0`);
  await Deno.mkdir(device, { recursive: true });
  await added;
  await assertRejects(
    () => modify(vm, "Add", "VPCIDevice", { VMBusGUID: "*" }),
    HResultError,
    "no GUID",
  );
});

guestTest("a disk is linked as a block device, and unlinked", async (vm) => {
  const folder = `${vm.folder}/disk`;
  await Deno.mkdir(folder);
  const Lun = await vm.attach(folder);
  const MountPath = "/run/mounts/block/disk";
  const disk = { MountPath, Lun, BlockDev: true };
  await modify(vm, "Add", "MappedVirtualDisk", disk);
  assertEquals(await Deno.readLink(vm.path(MountPath)), "/dev/sda");
  await assertRejects(
    () =>
      modify(vm, "Add", "MappedVirtualDisk", {
        MountPath: `${MountPath}/below`,
        Lun,
      }),
    HResultError,
    "symbolic link",
  );
  await modify(vm, "Remove", "MappedVirtualDisk", disk);
  await modify(vm, "Remove", "MappedVirtualDisk", disk);
  assert(!await exists(vm.path(MountPath)));
});

guestTest(
  "a share without a server is refused, and leaves nothing",
  async (vm) => {
    const share = { MountPath: "/run/mounts/share", Port: 564, ShareName: "0" };
    const error = await assertRejects(
      () => modify(vm, "Add", "MappedDirectory", share),
      HResultError,
      "/run/mounts/share",
    );
    assert(error.message.includes("564"));
    assert(!await exists(vm.path(share.MountPath)));
    await modify(vm, "Remove", "MappedDirectory", share);
  },
);

guestTest("a disk that leads out of itself is refused", async (vm) => {
  const disk = `${vm.folder}/disk`;
  await Deno.mkdir(`${disk}/layer`, { recursive: true });
  await Deno.symlink("/", `${disk}/scratch`);
  const Lun = await vm.attach(disk);
  const place = "/run/mounts/scsi/evil";
  const settings = { MountPath: place, Lun };
  await modify(vm, "Add", "MappedVirtualDisk", settings);
  const rows = [
    { Layers: [{ Path: `${place}/layer` }], ScratchPath: `${place}/scratch/x` },
    { Layers: [{ Path: `${place}/scratch/etc` }] },
  ];
  for (const row of rows) {
    const ContainerRootPath = "/run/gcs/pods/evil/evil/rootfs";
    await assertRejects(
      () => modify(vm, "Add", "CombinedLayers", { ContainerRootPath, ...row }),
      HResultError,
      "symbolic link",
    );
  }
  assert(!await exists(vm.path("/run/gcs/pods/evil")));
  await modify(vm, "Remove", "MappedVirtualDisk", settings);
  assert(!await exists(vm.path(place)));
});

guestTest(
  "what was never mounted is not removed with its contents",
  async (vm) => {
    const folder = `${vm.folder}/kept`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/file`, "kept");
    await modify(vm, "Remove", "MappedVirtualDisk", { MountPath: folder });
    await modify(vm, "Remove", "MappedDirectory", { MountPath: folder });
    await modify(vm, "Remove", "VPMemDevice", { MountPath: folder });
    await modify(vm, "Remove", "CombinedLayers", { ContainerRootPath: folder });
    await assertRejects(
      () =>
        modify(vm, "Remove", "MappedVirtualDisk", {
          MountPath: folder,
          BlockDev: true,
        }),
      HResultError,
      "no link",
    );
    assertEquals(await Deno.readTextFile(`${folder}/file`), "kept");
  },
);
