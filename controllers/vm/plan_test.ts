import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResultError } from "../../base/hresult.ts";
import { formatJson, type Json } from "../../base/json.ts";
import { FakeCompute } from "../testing/fake_compute.ts";
import { FakeFiles } from "../testing/fake_files.ts";
import { VmWorld } from "../testing/vm_world.ts";
import { planVm, putFiles } from "./plan.ts";

const request = {
  owner: "",
  bundle: "/bundle",
  annotations: {},
  devices: [],
};

function host(arch = "amd64") {
  return {
    compute: new FakeCompute(),
    files: new FakeFiles(),
    platform: { arch, build: 26100, cpus: 2 },
  };
}

Deno.test("host:N1 host:O6 without options a VM has the platform and the boot directory of its host", async () => {
  for (const arch of ["amd64", "arm64"]) {
    const { sandboxOptions, boot } = await planVm(
      host(arch),
      request,
      "/bundle",
    );
    assertEquals(sandboxOptions.architecture, arch);
    assertEquals(boot.directory, "/boot");
  }
});

Deno.test("planVm() looks into the boot directory that is named, relative to its base", async () => {
  const { files, ...rest } = host();
  const error = await assertRejects(
    () =>
      planVm(
        { files, ...rest },
        {
          ...request,
          options: { bootFilesRootPath: "own", sandboxPlatform: "linux/amd64" },
        },
        "/base",
      ),
    ShimError,
    'boot_files_root_path "/base/own" not found',
  );
  assertEquals(error.code, "NotFound");
});

Deno.test("planVm() fails when the service does not tell its processors", async () => {
  const { compute, ...rest } = host();
  for (const Properties of [[], [{}, {}]]) {
    compute.answer = { Properties };
    await assertRejects(
      () => planVm({ compute, ...rest }, request, "/bundle"),
      ShimError,
      "Wrong number of service properties present",
    );
  }
});

const copies = [
  { from: "/boot/a", to: "/bundle/a" },
  { from: "/boot/b", to: "/bundle/b" },
];

Deno.test("putFiles() copies in order, and lets virtual machines open each copy", async () => {
  const files = new FakeFiles();
  await putFiles(files, copies);
  assertEquals(files.script.calls, [
    { call: "copy", argument: copies[0] },
    { call: "grantVmGroup", argument: "/bundle/a" },
    { call: "copy", argument: copies[1] },
    { call: "grantVmGroup", argument: "/bundle/b" },
  ]);
});

Deno.test("putFiles() names both paths of what it cannot copy, and does not grant it", async () => {
  const files = new FakeFiles();
  files.script.failNext("copy", new ShimError("NotFound", "no such disk"));
  const error = await assertRejects(
    () => putFiles(files, copies),
    ShimError,
    'Cannot copy "/boot/a" to "/bundle/a": no such disk',
  );
  assertEquals(error.code, "NotFound");
  assertEquals(files.script.of("grantVmGroup"), []);
});

Deno.test("putFiles() names the copy that it cannot grant, and stops there", async () => {
  const files = new FakeFiles();
  files.script.failNext(
    "grantVmGroup",
    new HResultError(0x80070005, "Cannot write the access list"),
  );
  const error = await assertRejects(
    () => putFiles(files, copies),
    ShimError,
    'Cannot let the virtual machine open "/bundle/a": Cannot write the access list: E_ACCESSDENIED',
  );
  assertEquals(error.code, "PermissionDenied");
  assertEquals(files.script.of("copy").length, 1);
});

Deno.test("create() of an isolated VM that cannot have its files makes no system, and can be repeated", async () => {
  const world = new VmWorld();
  world.files.boot = ["kernel.vmgs", "rootfs.vhd"];
  const annotations = {
    "io.microsoft.virtualmachine.lcow.securitypolicy": "cGFja2FnZSBwb2xpY3k=",
  };
  for (const step of ["copy", "grantVmGroup"]) {
    world.files.script.failNext(step, new HResultError(0x80070005, step));
    const error = await assertRejects(
      () => world.create({ annotations }),
      ShimError,
      '/bundle/kernel.vmgs": ',
    );
    assertEquals(error.code, "PermissionDenied");
    assertEquals([world.vm.state, world.vm.id], ["NotCreated", ""]);
  }
  assertEquals(world.compute.script.of("create"), []);
  world.files.script.calls.length = 0;
  await world.create({ annotations });
  assertEquals(
    world.files.script.of("grantVmGroup").map(({ argument }) => argument),
    ["/bundle/kernel.vmgs", "/bundle/rootfs.vhd"],
  );
});

Deno.test("peer:vm-files the files that an isolated VM is made of stay in its bundle", async () => {
  const world = new VmWorld();
  world.files.boot = ["kernel.vmgs", "rootfs.vhd"];
  await world.create({
    annotations: {
      "io.microsoft.virtualmachine.lcow.securitypolicy": "cGFja2FnZSBwb2xpY3k=",
    },
  });
  const [document] = world.compute.script.of("create").map(({ argument }) =>
    formatJson((argument ?? null) as Json)
  );
  for (const path of ["/bundle/kernel.vmgs", "/bundle/rootfs.vhd"]) {
    assert(document?.includes(path), document);
    const said = world.files.script.calls.filter(({ argument }) =>
      formatJson((argument ?? null) as Json).includes(path)
    );
    // What is done with each: nothing comes after the grant.
    assertEquals(said.map(({ call }) => call), ["copy", "grantVmGroup"]);
  }
});
