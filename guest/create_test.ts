import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import { libc } from "../ffi/linux/libc.ts";
import { withFakeVm } from "./fake_vm.ts";
import { refused, sandbox, workload } from "./host_fixture.ts";
import { exists } from "./spec/pod_files.ts";

Deno.test.beforeAll(() => void libc());

Deno.test("a bundle behind a link is refused, and what the link leads to stays", () =>
  withFakeVm(async (vm) => {
    await Deno.mkdir(`${vm.folder}/kept`);
    await Deno.writeTextFile(`${vm.folder}/kept/file`, "");
    await Deno.symlink("kept", `${vm.folder}/link`);
    await assertRejects(
      () => vm.create({ id: "a", bundle: "link/a" }),
      ShimError,
      "symbolic link",
    );
    await assertRejects(() => vm.delete("a"), HResultError);
    const names = await Array.fromAsync(Deno.readDir(`${vm.folder}/kept`));
    assert(names.length === 1 && names[0]?.name === "file");
  }));

Deno.test("a second create with an id, or with another's bundle, is refused and harms nothing", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    await refused(() => vm.create({ id: "a" }), HResult.SystemAlreadyExists);
    await assertRejects(
      () => vm.create({ id: "b", bundle: "a" }),
      Error,
      'container "a" uses its bundle',
    );
    assert(await exists(`${vm.bundle({ id: "a" })}/config.json`));
    await vm.execute("a", {});
    await assertRejects(() => vm.execute("a", {}), Error, "Running");
  }));

Deno.test("a create that fails late is undone, and can be repeated", () =>
  withFakeVm(async (vm) => {
    const container = { id: "pod", annotations: sandbox };
    vm.runtime.failNext("create", new Error("no rootfs"));
    await assertRejects(() => vm.create(container), Error, "no rootfs");
    assertEquals(vm.runtime.calls, ["create pod", "delete pod force"]);
    assertEquals([...vm.cgroups.groups.keys()], []);
    assertEquals([...vm.sandboxes], []);
    assert(!await exists(vm.bundle(container)));
    vm.cgroups.failure = new Error("no memory controller");
    await assertRejects(() => vm.create(container), Error, "no memory");
    assertEquals([...vm.sandboxes], []);
    await vm.create(container);
    assertEquals([...vm.cgroups.groups.keys()], ["/pods/pod"]);
  }));

Deno.test("a sandbox gives its pod files, folders and a group, and takes them with it", () =>
  withFakeVm(async (vm) => {
    const spec = {
      hostname: "box",
      linux: { resources: { memory: { limit: 5 } } },
    };
    await vm.create({ id: "pod", annotations: sandbox, spec });
    const root = `${vm.folder}/pod`;
    assertEquals(await Deno.readTextFile(`${root}/hostname`), "box\n");
    assertEquals(await Deno.readTextFile(`${root}/resolv.conf`), "");
    assertEquals(vm.cgroups.groups.get("/pods/pod"), { memory: { limit: 5n } });
    const config = JSON.parse(await Deno.readTextFile(`${root}/config.json`));
    assertEquals(config.linux.cgroupsPath, "/pods/pod/pod");
    await vm.create({ id: "web", annotations: workload("pod"), spec: {} });
    const web = JSON.parse(
      await Deno.readTextFile(`${vm.folder}/web/config.json`),
    );
    assertEquals(web.linux.cgroupsPath, "/pods/pod/web");
    assertEquals(web.mounts.map(({ source }: { source: string }) => source), [
      `${root}/hostname`,
      `${root}/hosts`,
      `${root}/resolv.conf`,
    ]);
    await vm.delete("pod");
    assertEquals([...vm.cgroups.groups.keys()], []);
    assertEquals([...vm.sandboxes], []);
    await vm.delete("web");
    await assertRejects(
      () => vm.create({ id: "late", annotations: workload("pod") }),
      Error,
      'Pod "pod" does not exist for workload container "late"',
    );
  }));

Deno.test("a workload must not name its host, a sandbox may name any network that exists", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "pod", annotations: sandbox });
    await assertRejects(
      () =>
        vm.create({
          id: "web",
          annotations: workload("pod"),
          spec: { hostname: "box" },
        }),
      Error,
      "workload container must not change hostname: box",
    );
    await assertRejects(
      () =>
        vm.create({
          id: "other",
          annotations: sandbox,
          spec: { windows: { network: { networkNamespace: "ABC" } } },
        }),
      Error,
      "'abc' not found",
    );
    await assertRejects(
      () =>
        vm.create({
          id: "bad",
          annotations: sandbox,
          spec: { hostname: "a b" },
        }),
      Error,
      "Invalid hostname",
    );
    assertEquals([...vm.cgroups.groups.keys()], ["/pods/pod"]);
  }));

Deno.test("documents that cannot be right are refused as JSON errors", () =>
  withFakeVm(async (vm) => {
    const document = { SchemaVersion: { Major: 2, Minor: 1 } };
    const create = (ContainerConfig: string): Promise<void> =>
      vm.handlers.Create({ ...vm.base("c"), ContainerConfig }, vm.context("c"));
    for (
      const text of [
        "nope",
        "{}",
        JSON.stringify(document),
        JSON.stringify({ SchemaVersion: { Major: 1, Minor: 0 } }),
        JSON.stringify({ ...document, OciSpecification: { process: 7 } }),
      ]
    ) {
      await refused(() => create(text), HResult.InvalidJson);
    }
    for (const id of ["", ".", "..", "a/b", "../a", "a b", "x".repeat(256)]) {
      await refused(() => vm.create({ id }), HResult.InvalidArgument);
    }
    for (const bundle of ["", "/", "/etc", "a/b", "/a/../b"]) {
      const OciSpecification = {
        ociVersion: "1.1.0",
        root: { path: "/" },
        process: { cwd: "/" },
      };
      const text = JSON.stringify({
        ...document,
        OciBundlePath: bundle,
        OciSpecification,
      });
      await assertRejects(() => create(text), Error, "OciBundlePath");
    }
  }));
