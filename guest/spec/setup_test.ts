import { assert, assertEquals, assertRejects } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { parseJson } from "../../base/json.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { type FakeVm, withFakeVm } from "../fake_vm.ts";

Deno.test.beforeAll(() => void libc());

const type = "io.kubernetes.cri.container-type";
const sandboxId = "io.kubernetes.cri.sandbox-id";
const virtualPodId = "io.microsoft.cri.virtual-pod-id";

const sandbox = { [type]: "sandbox" };
const workload = { [type]: "container", [sandboxId]: "pod" };

/** The specification that the runtime got, as JSON without loss. */
async function configOf(vm: FakeVm, id: string): Promise<JsonObject> {
  const text = await Deno.readTextFile(`${vm.folder}/${id}/config.json`);
  return parseJson(text) as JsonObject;
}

/** A VM with a pod. */
function withPod(test: (vm: FakeVm) => Promise<void>): Promise<void> {
  return withFakeVm(async (vm) => {
    const spec = { hostname: "box.example" };
    await vm.create({ id: "pod", annotations: sandbox, spec });
    await test(vm);
  });
}

const roles: [
  role: string,
  id: string,
  annotations: Record<string, string>,
  cgroup: string,
  root: string,
  isBound: boolean,
][] = [
  ["sandbox", "s", sandbox, "/pods/s/s", "s", false],
  [
    "sandbox of a virtual pod",
    "v",
    { [virtualPodId]: "v" },
    "/pods/v/v",
    "virtual-pods/v",
    false,
  ],
  ["workload", "w", workload, "/pods/pod/w", "pod", true],
  ["standalone container", "x", {}, "/pods/x", "x", true],
];
for (const [role, id, annotations, cgroup, root, isBound] of roles) {
  const views = isBound ? "sees its files" : "has files for others";
  Deno.test(`5 a ${role} has its group, and ${views}`, () =>
    withPod(async (vm) => {
      await vm.create({ id, annotations });
      const { linux, mounts, windows } = await configOf(vm, id);
      assertEquals((linux as JsonObject).cgroupsPath, cgroup);
      assertEquals(windows, undefined);
      const files = ["hostname", "hosts", "resolv.conf"];
      const sources = files.map((name) => `${vm.folder}/${root}/${name}`);
      for (const path of sources) assert((await Deno.stat(path)).isFile);
      const expected = files.map((name, i) => ({
        destination: `/etc/${name}`,
        type: "bind",
        source: sources[i]!,
        options: ["bind"],
      }));
      assertEquals(mounts ?? [], isBound ? expected : []);
    }));
}

Deno.test("5 mounts of network files are read-only with the root, and stay when the host has its own", () =>
  withPod(async (vm) => {
    const own = { destination: "/etc/hosts", type: "bind", source: "/own" };
    for (const [id, annotations] of [["w", workload], ["x", {}]] as const) {
      const root = { path: `${vm.folder}/${id}/rootfs`, readonly: true };
      await vm.create({ id, annotations, spec: { root, mounts: [own] } });
      const mounts = (await configOf(vm, id)).mounts as JsonObject[];
      assertEquals(mounts[0], own);
      assertEquals(mounts.map(({ destination }) => destination), [
        "/etc/hosts",
        "/etc/hostname",
        "/etc/resolv.conf",
      ]);
      assertEquals(mounts[1]?.options, ["bind", "ro"]);
    }
  }));

const hostnames: [
  role: string,
  annotations: Record<string, string>,
  hostname: string,
  written: string | undefined,
][] = [
  ["sandbox", sandbox, "", "uvm\n"],
  ["sandbox", sandbox, "box.example", "box.example\n"],
  ["sandbox", sandbox, "a b", undefined],
  ["standalone container", {}, "", "uvm\n"],
  ["standalone container", {}, "box", "box\n"],
  ["standalone container", {}, "a\nb", undefined],
  ["workload", workload, "box", undefined],
];
for (const [role, annotations, hostname, written] of hostnames) {
  const what = written === undefined ? "is refused" : "is written";
  Deno.test(`5 hostname ${JSON.stringify(hostname)} of a ${role} ${what}`, () =>
    withPod(async (vm) => {
      const create = vm.create({ id: "c", annotations, spec: { hostname } });
      if (written === undefined) {
        await assertRejects(() => create, Error, "hostname");
        assertEquals(vm.runtime.calls.includes("create c"), false);
        return;
      }
      await create;
      const path = `${vm.folder}/c/hostname`;
      assertEquals(await Deno.readTextFile(path), written);
    }));
}

const hostNetwork = "io.microsoft.virtualmachine.lcow.hostnetwork";
const networks: [
  role: string,
  annotations: Record<string, string>,
  ofSandbox: string,
  own: string,
  usesHost: boolean,
][] = [
  ["sandbox", sandbox, "false", "true", true],
  ["standalone container", {}, "false", "true", true],
  ["standalone container", {}, "true", "false", false],
  ["workload", workload, "true", "false", true],
  ["workload", workload, "false", "true", false],
];
for (const [role, annotations, ofSandbox, own, usesHost] of networks) {
  Deno.test(`4.2 a ${role} with hostnetwork=${own}, its sandbox with ${ofSandbox}, uses the ${usesHost ? "VM's" : "pod's"} network`, () =>
    withFakeVm(async (vm) => {
      const ofPod = { ...sandbox, [hostNetwork]: ofSandbox };
      await vm.create({ id: "pod", annotations: ofPod });
      const namespaces = [{ type: "pid" }, { type: "network" }];
      await vm.create({
        id: "c",
        annotations: { ...annotations, [hostNetwork]: own },
        spec: { linux: { namespaces } },
      });
      const linux = (await configOf(vm, "c")).linux as JsonObject;
      const left = usesHost ? [{ type: "pid" }] : namespaces;
      assertEquals(linux.namespaces, left);
    }));
}

Deno.test("what is written for the runtime has lost nothing: unknown members, 64-bit numbers, hooks", () =>
  withPod(async (vm) => {
    const kept = {
      hooks: {
        poststop: [{
          path: "/bin/x",
          args: ["x"],
          timeout: 5,
          later: "a<b>&c",
        }],
      },
      ociLater: { number: 18446744073709551615n, list: [null, true] },
      process: {
        user: { uid: 1, gid: 2, later: "u" },
        args: ["init"],
        cwd: "/",
        rlimits: [{
          type: "RLIMIT_NOFILE",
          soft: 9223372036854775807n,
          hard: 18446744073709551615n,
        }],
        later: [9007199254740993n],
      },
      mounts: [{ destination: "/m", type: "tmpfs", later: { x: 1 } }],
    };
    const annotations = { ...workload, "some.one/else": "kept" };
    await vm.create({ id: "w", annotations, spec: kept });
    const config = await configOf(vm, "w");
    for (const name of ["hooks", "ociLater", "process"] as const) {
      assertEquals(config[name], kept[name]);
    }
    assertEquals((config.mounts as JsonObject[])[0], kept.mounts[0]);
    assertEquals(config.annotations, annotations);
    const text = await Deno.readTextFile(`${vm.folder}/w/config.json`);
    assert(text.includes("a<b>&c"), "HTML is not escaped");
  }));

Deno.test("a sandbox does not write through links of a disk", () =>
  withFakeVm(async (vm) => {
    const kept = `${vm.folder}/kept`;
    await Deno.writeTextFile(kept, "kept");
    await Deno.mkdir(`${vm.folder}/s`);
    for (const name of ["hostname", "hosts", "resolv.conf", "config.json"]) {
      await Deno.symlink(kept, `${vm.folder}/s/${name}`);
    }
    await vm.create({ id: "s", annotations: sandbox });
    assertEquals(await Deno.readTextFile(kept), "kept");
    assertEquals(await Deno.readTextFile(`${vm.folder}/s/hostname`), "uvm\n");
    await Deno.symlink("s", `${vm.folder}/virtual-pods`);
    await assertRejects(
      () => vm.create({ id: "v", annotations: { [virtualPodId]: "v" } }),
      Error,
      "symbolic link",
    );
  }));

Deno.test("a workload whose assigned device does not come is undone", () =>
  withPod(async (vm) => {
    const windows = { devices: [{ id: "no guid", idType: "vpci" }] };
    await assertRejects(
      () => vm.create({ id: "w", annotations: workload, spec: { windows } }),
      Error,
      "no GUID",
    );
    assertEquals(vm.runtime.calls.includes("create w"), false);
    await vm.create({ id: "w", annotations: workload });
  }));

Deno.test("a working directory is made in the root of the container", () =>
  withPod(async (vm) => {
    const rootfs = `${vm.folder}/w/rootfs`;
    await Deno.mkdir(rootfs, { recursive: true });
    await Deno.symlink("/", `${rootfs}/link`);
    const process = { user: { uid: 0, gid: 0 }, args: ["x"], cwd: "/link/a/b" };
    await vm.create({ id: "w", annotations: workload, spec: { process } });
    assert((await Deno.stat(`${rootfs}/a/b`)).isDirectory);
  }));

/** What a virtual pod has left in its VM. */
async function leftOf(vm: FakeVm): Promise<unknown[]> {
  const roots = Deno.readDir(`${vm.folder}/virtual-pods`);
  const names = await Array.fromAsync(roots, ({ name }) => name);
  return [...names, ...vm.sandboxes, ...vm.cgroups.groups.keys()];
}

Deno.test("a virtual pod leaves no root: not when its create fails, not when it is deleted", () =>
  withFakeVm(async (vm) => {
    const pod = { id: "v", annotations: { [virtualPodId]: "v" } };
    vm.runtime.failNext("create", new Error("refused"));
    await assertRejects(() => vm.create(pod), Error, "refused");
    assertEquals(await leftOf(vm), []);
    await vm.create(pod);
    const root = `${vm.folder}/virtual-pods/v`;
    assertEquals(await leftOf(vm), ["v", root, "/pods/v"]);
    await vm.delete("v");
    assertEquals(await leftOf(vm), []);
    const workload = { [type]: "container", [virtualPodId]: "v" };
    await assertRejects(
      () => vm.create({ id: "w", annotations: workload }),
      Error,
      'Pod "v" does not exist',
    );
  }));
