import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { FakeCompute } from "../testing/fake_compute.ts";
import { FakeFiles } from "../testing/fake_files.ts";
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

Deno.test("host:N1 without options a VM has the platform of its host", async () => {
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

Deno.test("putFiles() copies in order, and names both paths of what it cannot copy", async () => {
  const files = new FakeFiles();
  const copies = [
    { from: "/boot/a", to: "/bundle/a" },
    { from: "/boot/b", to: "/bundle/b" },
  ];
  await putFiles(files, copies);
  assertEquals(
    files.script.of("copy").map(({ argument }) => argument),
    copies,
  );
  files.script.failNext("copy", new ShimError("NotFound", "no such disk"));
  const error = await assertRejects(
    () => putFiles(files, copies),
    ShimError,
    'Cannot copy "/boot/a" to "/bundle/a": no such disk',
  );
  assertEquals(error.code, "NotFound");
});
