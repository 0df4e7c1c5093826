import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import type { JsonObject } from "../../base/json.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { cri } from "../../oci/annotations.ts";
import { type FakeVm, withFakeVm } from "../fake_vm.ts";
import { type QuestionName, questionNames } from "./questions.ts";
import { TableEnforcer } from "./table_enforcer.ts";

Deno.test.beforeAll(() => void libc());

/** What a host can see of a VM, and what is on its disk. */
async function worldOf(vm: FakeVm): Promise<unknown> {
  const files: string[] = [];
  const list = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      files.push(`${folder}/${name}`);
      if (isDirectory) await list(`${folder}/${name}`);
    }
  };
  await list(vm.folder);
  return structuredClone({
    files: files.sort(),
    runtime: vm.runtime.calls,
    signals: [...vm.runtime.processes].map(([pid, { signals }]) => ({
      pid,
      signals,
    })),
    groups: vm.cgroups.groups,
    sandboxes: vm.sandboxes,
    dialled: [...vm.ports.keys()],
    told: vm.notifications,
    // Pods, containers, processes, networks; without the memory in use.
    dump: vm.host.dump().split("\n").slice(1),
  });
}

const container = { id: "running" };
const sandbox = {
  id: "new",
  annotations: {
    [cri.containerType]: "sandbox",
    "io.microsoft.virtualmachine.lcow.hostnetwork": "true",
  },
};
const streams = { CreateStdOutPipe: true };
const stdout = { StdOut: 7 };

type Call = (vm: FakeVm, pid: number) => Promise<unknown>;

function modify(
  type: "Add" | "Remove",
  resource: string,
  settings: (path: string) => JsonObject,
): Call {
  return (vm) => vm.modify(resource, type, settings(`${vm.folder}/mnt`));
}

const layers = (path: string): JsonObject => ({
  ContainerRootPath: path,
  Layers: [{ Path: `${path}-layer` }],
  ScratchPath: `${path}-scratch`,
});

const create: Call = (vm) => vm.create(sandbox);

/** What the host does, by the question that is asked before. */
const rows: Record<QuestionName, Call[]> = {
  "block device mount": [
    modify("Add", "MappedVirtualDisk", (MountPath) => ({
      MountPath,
      BlockDev: true,
    })),
  ],
  "block device unmount": [
    modify("Remove", "MappedVirtualDisk", (MountPath) => ({
      MountPath,
      BlockDev: true,
    })),
  ],
  "device mount": [
    modify("Add", "MappedVirtualDisk", (MountPath) => ({
      MountPath,
      ReadOnly: true,
    })),
    modify("Add", "VPMemDevice", (MountPath) => ({ MountPath })),
  ],
  "device unmount": [
    modify("Remove", "MappedVirtualDisk", (MountPath) => ({
      MountPath,
      ReadOnly: true,
    })),
    modify("Remove", "VPMemDevice", (MountPath) => ({ MountPath })),
  ],
  "read-write device mount": [
    modify("Add", "MappedVirtualDisk", (MountPath) => ({ MountPath })),
  ],
  "read-write device unmount": [
    modify("Remove", "MappedVirtualDisk", (MountPath) => ({ MountPath })),
  ],
  "plan9 mount": [
    modify("Add", "MappedDirectory", (MountPath) => ({ MountPath, Port: 9 })),
  ],
  "plan9 unmount": [
    modify("Remove", "MappedDirectory", (MountPath) => ({ MountPath })),
  ],
  "scratch mount": [modify("Add", "CombinedLayers", layers)],
  "overlay mount": [modify("Add", "CombinedLayers", layers)],
  "overlay unmount": [modify("Remove", "CombinedLayers", layers)],
  "default mounts": [create],
  "user information": [
    create,
    (vm) => vm.execute("running", { ...streams, OciProcess: exec }, stdout),
  ],
  "container creation": [create],
  "host network": [create],
  "exec in container": [
    (vm) => vm.execute("running", { ...streams, OciProcess: exec }, stdout),
  ],
  "exec in VM": [
    (vm) => vm.execute(nullGuid, { ...streams, CommandArgs: ["true"] }, stdout),
  ],
  "container shutdown": [
    (vm) =>
      vm.handlers.ShutdownGraceful(vm.base("running"), vm.context("running")),
    (vm) =>
      vm.handlers.ShutdownForced(vm.base("running"), vm.context("running")),
  ],
  "signal": [
    (vm, pid) =>
      vm.handlers.SignalProcess(
        { ...vm.base("running"), ProcessId: pid },
        vm.context("running"),
      ),
  ],
  "properties": [
    (vm) =>
      vm.handlers.GetProperties(
        { ...vm.base("running"), Query: "" },
        vm.context("running"),
      ),
  ],
  "stack dump": [
    (vm) => vm.handlers.DumpStacks(vm.base(nullGuid), vm.context(nullGuid)),
  ],
  // Denied in its own way, when the policy is set.
  "runtime logging": [],
};

const exec = { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } };

Deno.test("what the policy denies fails, changes nothing and leaves nothing", async () => {
  assertEquals(Object.keys(rows).sort(), questionNames.toSorted());
  const initial = new TableEnforcer();
  await withFakeVm(async (vm) => {
    await vm.create(container);
    const pid = await vm.execute("running", {});
    const before = await worldOf(vm);
    for (const [name, calls] of Object.entries(rows)) {
      initial.table = { [name]: "deny" };
      for (const call of calls) {
        const error = await assertRejects(
          () => call(vm, pid),
          ShimError,
          `${name} denied due to policy`,
        );
        assertEquals(error.code, "PermissionDenied");
        assertEquals(initial.asked.at(-1)?.name, name);
        assertEquals(await worldOf(vm), before, name);
      }
    }
    // What was denied can be done once it is allowed.
    initial.table = {};
    await vm.create(sandbox);
    await vm.execute("running", { ...streams, OciProcess: exec }, stdout);
    assert(vm.ports.has(7));
    await rows.signal[0]!(vm, pid);
    assertEquals(vm.runtime.calls.slice(-2), ["create new", "exec running"]);
  }, { initial });
});

Deno.test("a container that the policy of a confidential VM denies leaves the host's layers as they are", async () => {
  const policy = new TableEnforcer();
  await withFakeVm(async (vm) => {
    await vm.setPolicy();
    const container = {
      ...await vm.confidentialContainer("a".repeat(64)),
      annotations: sandbox.annotations,
    };
    const root = `${vm.bundle(container)}/rootfs`;
    await vm.confidential.mount({
      change: (mounts) => mounts.addOverlay(root, [], ""),
      run: () => Promise.resolve(),
    });
    const before = await worldOf(vm);
    for (
      const name of [
        "default mounts",
        "user information",
        "container creation",
        "host network",
      ] as const
    ) {
      policy.table = { [name]: "deny" };
      await assertRejects(() => vm.create(container), ShimError, name);
      assertEquals(await worldOf(vm), before, name);
      assert(vm.confidential.hasOverlayAt(root));
    }
    policy.table = {};
    await vm.create(container);
  }, { rego: () => policy });
});

Deno.test("the end of the VM, a wait and a delete are no questions of the policy", async () => {
  const initial = new TableEnforcer();
  await withFakeVm(async (vm) => {
    await vm.create(container);
    const pid = await vm.execute("running", {});
    const init = vm.runtime.init("running");
    await init.close();
    vm.runtime.exit(init, 0);
    initial.table = Object.fromEntries(
      questionNames.map((name) => [name, "deny"]),
    );
    assertEquals(await vm.wait("running", pid), 0);
    await vm.delete("running");
    await vm.handlers.ShutdownForced(vm.base(nullGuid), vm.context(nullGuid));
    assert(vm.hasQuit);
  }, { initial });
});
