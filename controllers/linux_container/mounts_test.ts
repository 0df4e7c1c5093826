import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { ContainerDocument } from "../../bridge/messages.gen.ts";
import type { Mount } from "../../oci/spec.gen.ts";
import { ContainerWorld, plainSpec } from "../testing/container_world.ts";

const injected = new ShimError("Internal", "injected");

/** The mounts as the guest gets them. */
async function mountsOf(
  mounts: Mount[],
  world: ContainerWorld = new ContainerWorld(),
): Promise<unknown> {
  await world.create({ spec: { ...plainSpec, mounts } });
  const [call] = world.guest.callsOf("createContainer");
  const document = call?.argument as ContainerDocument;
  return document.OciSpecification?.["mounts"];
}

Deno.test("host:K66 host:K67 what the guest mounts by itself passes untouched", async () => {
  const mounts: Mount[] = [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "mode=755"],
    },
    { destination: "/dev/pts", type: "devpts", source: "devpts" },
    { destination: "/dev/shm", type: "tmpfs", source: "shm" },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue" },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" },
    { destination: "/a", type: "bind", source: "sandbox://a" },
    { destination: "/b", type: "bind", source: "sandbox-tmp://b" },
    { destination: "/c", type: "bind", source: "uvm:///c" },
    { destination: "/d", type: "bind", source: "hugepages://2M/d" },
  ];
  const world = new ContainerWorld();
  assertEquals(await mountsOf(mounts, world), mounts);
  assertEquals(world.scsi.disks.length, 3); // layers and scratch
});

Deno.test("host:K59 disks become paths of the guest", async () => {
  const world = new ContainerWorld();
  world.files.links.set("/links/v", "/disks/v.vhdx");
  const mounts = await mountsOf([
    { destination: "/v", type: "virtual-disk", source: "/links/v" },
    {
      destination: "/p",
      type: "physical-disk",
      source: "/p",
      options: ["ro", "noexec"],
    },
    { destination: "/e", type: "extensible-virtual-disk", source: "evd://t/e" },
  ], world);
  assertEquals(mounts, [
    { destination: "/v", type: "none", source: "/run/mounts/scsi/0_3_0" },
    {
      destination: "/p",
      type: "none",
      source: "/run/mounts/scsi/0_4_0",
      options: ["ro", "noexec"],
    },
    { destination: "/e", type: "none", source: "/run/mounts/scsi/0_5_0" },
  ]);
  assertEquals(
    world.scsi.disks.slice(3).map(({ config }) => config),
    [
      { hostPath: "/disks/v.vhdx", type: "VirtualDisk", readOnly: false },
      { hostPath: "/p", type: "PassThru", readOnly: true },
      {
        hostPath: "e",
        type: "ExtensibleVirtualDisk",
        readOnly: false,
        evdType: "t",
      },
    ],
  );
  // The scratch disk, and the disks that the VM opens itself.
  assertEquals(world.compute.script.of("grantAccess").length, 3);
});

Deno.test("host:K60 a block device is linked, not mounted", async () => {
  const world = new ContainerWorld();
  const destination = "blockdev:///dev/data";
  const mounts = await mountsOf([
    { destination, type: "virtual-disk", source: "/v" },
  ], world);
  assertEquals(mounts, [
    { destination, type: "bind", source: "/run/mounts/scsi/0_3_0" },
  ]);
  assertEquals(world.scsi.disks[3]?.mounts.get(0)?.config.blockDev, true);
});

Deno.test("host:K61 host:K62 failures of resolving, granting and attaching are returned", async () => {
  const mounts: Mount[] = [
    { destination: "/e", type: "extensible-virtual-disk", source: "evd://t/e" },
    { destination: "/v", type: "virtual-disk", source: "/v" },
  ];
  const fail: ((world: ContainerWorld) => void)[] = [
    (world) => {
      const resolve = world.files.resolve.bind(world.files);
      world.files.resolve = (path) =>
        path === "e" ? Promise.reject(injected) : resolve(path);
    },
    (world) => {
      const grant = world.compute.grantAccess.bind(world.compute);
      world.compute.grantAccess = (id, path) =>
        path === "/v" ? Promise.reject(injected) : grant(id, path);
    },
    (world) => {
      const modify = world.vm.modify.bind(world.vm);
      world.vm.modify = (request) =>
        JSON.stringify(request).includes('"/v"')
          ? Promise.reject(injected)
          : modify(request);
    },
  ];
  for (const arrange of fail) {
    const world = new ContainerWorld();
    arrange(world);
    const error = await mountsOf(mounts, world).catch((error) => error);
    assertEquals(error, injected);
    assertEquals([world.container.state, world.scsi.disks], ["Invalid", []]);
  }
});

Deno.test("host:K68 a mount without source or destination is refused, whatever its type", async () => {
  assertEquals(await mountsOf([]), []);
  for (const type of ["bind", "tmpfs", "virtual-disk", "proc"]) {
    for (
      const mount of [
        { destination: "/x", type, source: "" },
        { destination: "", type, source: "uvm:///x" },
      ]
    ) {
      await assertRejects(
        () => mountsOf([mount]),
        ShimError,
        "both source and destination are required",
      );
    }
  }
});

Deno.test("one disk mounted in two ways is refused", async () => {
  const error = await assertRejects(
    () =>
      mountsOf([
        { destination: "/a", type: "virtual-disk", source: "/v" },
        {
          destination: "/b",
          type: "virtual-disk",
          source: "/v",
          options: ["ro"],
        },
      ]),
    ShimError,
    'disk "/v" with different config',
  );
  assertEquals(error.code, "AlreadyExists");
});
