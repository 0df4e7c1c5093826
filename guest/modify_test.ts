import { assert, assertEquals, assertRejects } from "@std/assert";
import { nullGuid } from "../base/guid.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import type { Json } from "../base/json.ts";
import type { ModifyRequest } from "../bridge/messages.gen.ts";
import { type ErrorCode, ShimError } from "../base/errors.ts";
import { libc } from "../ffi/linux/libc.ts";
import { type FakeVm, withFakeVm } from "./fake_vm.ts";
import { openDoor } from "./policy/enforcers.ts";

Deno.test.beforeAll(() => void libc());

/** Sends a request about a resource of the VM, or of a container. */
async function modify(
  vm: FakeVm,
  request: Partial<ModifyRequest> | undefined,
  id = nullGuid,
): Promise<void> {
  const Request = request &&
    { ResourceType: "", RequestType: "", ...request };
  const message = { ...vm.base(id), ...(Request && { Request }) };
  await vm.handlers.ModifySettings(message, vm.context(id));
}

async function refused(
  call: () => Promise<unknown>,
  code: ErrorCode,
  message: string,
): Promise<void> {
  const error = await assertRejects(call, ShimError, message);
  assertEquals(error.code, code);
}

async function hresultOf(call: () => Promise<unknown>): Promise<number> {
  return (await assertRejects(call, HResultError)).hresult;
}

/** The RequestTypes that each resource has. */
const supported: Record<string, string[]> = {
  SCSIDevice: ["Remove"],
  MappedVirtualDisk: ["Add", "Remove"],
  MappedDirectory: ["Add", "Remove"],
  VPMemDevice: ["Add", "Remove"],
  CombinedLayers: ["Add", "Remove"],
  VPCIDevice: ["Add"],
};

Deno.test("a resource of the VM refuses the RequestTypes that it does not have", () =>
  withFakeVm(async (vm) => {
    for (const [ResourceType, types] of Object.entries(supported)) {
      for (
        const RequestType of ["Add", "Remove", "Update", "PreAdd", "toString"]
      ) {
        if (types.includes(RequestType)) continue;
        await refused(
          () => modify(vm, { ResourceType, RequestType, Settings: {} }),
          "InvalidArgument",
          `the RequestType "${RequestType}" is not supported`,
        );
      }
    }
  }));

Deno.test("guest:D7 the memory limit of all pods can only be updated", () =>
  withFakeVm(async (vm) => {
    const ResourceType = "PodCgroupMemoryLimit";
    for (const RequestType of ["Add", "Remove", "PreAdd"]) {
      await refused(
        () => modify(vm, { ResourceType, RequestType }),
        "InvalidArgument",
        "RequestType",
      );
    }
    await modify(vm, { ResourceType, RequestType: "Update" });
  }));

Deno.test("a request that cannot be read is told as such, before its type is looked at", () =>
  withFakeVm(async (vm) => {
    const invalid = HResult.InvalidJson;
    assertEquals(await hresultOf(() => modify(vm, undefined)), invalid);
    const members: Record<string, string> = {
      SCSIDevice: "Lun",
      VPMemDevice: "DeviceNumber",
      VPCIDevice: "VMBusGUID",
      CombinedLayers: "Layers",
    };
    for (const ResourceType of Object.keys(supported)) {
      const member = members[ResourceType] ?? "MountPath";
      for (const Settings of [undefined, null, { [member]: true }]) {
        const settings = Settings === undefined ? {} : { Settings };
        const request = { ResourceType, RequestType: "Nope", ...settings };
        assertEquals(await hresultOf(() => modify(vm, request)), invalid);
      }
    }
    for (const ResourceType of ["", "Nope", "constructor", "MappedVolumes"]) {
      await refused(
        () => modify(vm, { ResourceType, Settings: {} }),
        "InvalidArgument",
        `Invalid ResourceType '${ResourceType}'`,
      );
    }
  }));

Deno.test("hostile settings are refused, and change nothing", () =>
  withFakeVm(async (vm) => {
    const MountPath = `${vm.folder}/../elsewhere`;
    const place = `${vm.folder}/place`;
    const rows: [string, Json][] = [
      ["MappedDirectory", { MountPath, Port: 564, ShareName: "1" }],
      ["MappedDirectory", { MountPath: place, Port: -1 }],
      ["VPMemDevice", { MountPath }],
      ["CombinedLayers", { ContainerRootPath: MountPath }],
      ["CombinedLayers", { ContainerRootPath: place, Layers: [] }],
      ["MappedVirtualDisk", { MountPath: "elsewhere", Controller: 1 }],
      ["MappedVirtualDisk", { MountPath: place, Controller: 4 }],
      ["VPCIDevice", { VMBusGUID: "../../../.." }],
    ];
    for (const [ResourceType, Settings] of rows) {
      await refused(
        () => modify(vm, { ResourceType, RequestType: "Add", Settings }),
        "InvalidArgument",
        "",
      );
    }
    assertEquals(await Array.fromAsync(Deno.readDir(vm.folder)), []);
  }));

Deno.test("waits for devices end with the agent", () =>
  withFakeVm(async (vm) => {
    const rows: [string, string, Json][] = [
      ["SCSIDevice", "Remove", {}],
      ["MappedVirtualDisk", "Add", { MountPath: "/no/such" }],
      ["VPMemDevice", "Add", { MountPath: "/no/such", DeviceNumber: 77 }],
      ["VPCIDevice", "Add", { VMBusGUID: nullGuid }],
    ];
    const calls = rows.map(([ResourceType, RequestType, Settings]) =>
      assertRejects(() => modify(vm, { ResourceType, RequestType, Settings }))
    );
    while (vm.clock.sleepers < 2 * rows.length) await vm.clock.advance(0);
    await vm.handlers.ShutdownForced(vm.base(nullGuid), vm.context(nullGuid));
    await Promise.all(calls);
    assertEquals(vm.clock.sleepers, 0);
  }));

/** Ids as a confidential VM takes them. */
const a = "a".repeat(64);
const b = "b".repeat(64);

/** A VM with a policy that allows everything. */
function withConfidentialVm(
  test: (vm: FakeVm) => Promise<void>,
): Promise<void> {
  return withFakeVm(async (vm) => {
    await vm.setPolicy();
    await test(vm);
  }, { rego: () => openDoor });
}

/** Records an overlay that is not there. */
function recordOverlay(vm: FakeVm, path: string): Promise<void> {
  return vm.confidential.mount({
    change: (mounts) => mounts.addOverlay(path, [], ""),
    run: () => Promise.resolve(),
  });
}

/** Ends the init of a container. */
async function endInit(vm: FakeVm, id: string, pid: number): Promise<void> {
  const init = vm.runtime.init(id);
  await init.close();
  vm.runtime.exit(init, 0);
  assertEquals(await vm.wait(id, pid), 0);
}

Deno.test("guest:D2 only a running container uses an overlay", () =>
  withConfidentialVm(async (vm) => {
    const container = await vm.confidentialContainer(a);
    const root = `${vm.bundle(container)}/rootfs`;
    await recordOverlay(vm, root);
    await recordOverlay(vm, "/no/such/rootfs");
    const remove = (ContainerRootPath: string): Promise<void> =>
      modify(vm, {
        ResourceType: "CombinedLayers",
        RequestType: "Remove",
        Settings: { ContainerRootPath },
      });
    await vm.create(container);
    await remove(root); // created, not running
    await recordOverlay(vm, root);
    const pid = await vm.execute(a, {});
    for (const path of [root, `${vm.folder}/./${a}//rootfs`]) {
      await refused(
        () => remove(path),
        "FailedPrecondition",
        "running container",
      );
    }
    await remove("/no/such/rootfs");
    await endInit(vm, a, pid);
    await remove(root);
    assert(!vm.confidential.hasOverlayAt(root));
  }));

Deno.test("guest:D3 a confidential VM does not forget a container that runs", () =>
  withConfidentialVm(async (vm) => {
    await vm.create(await vm.confidentialContainer(a));
    const pid = await vm.execute(a, {});
    await refused(
      () => vm.delete(a),
      "PermissionDenied",
      "Denied deleting state of a running container",
    );
    await endInit(vm, a, pid);
    await vm.delete(a);
  }));

Deno.test("guest:D4 a confidential VM does not forget a container whose overlay stands", () =>
  withConfidentialVm(async (vm) => {
    const container = await vm.confidentialContainer(a);
    const other = await vm.confidentialContainer(b);
    await vm.create(container);
    const root = `${vm.bundle(container)}/rootfs`;
    await recordOverlay(vm, root);
    await refused(
      () => vm.delete(a),
      "FailedPrecondition",
      "overlay mount still active",
    );
    const step = {
      path: root,
      change: () => () => {},
      run: () => Promise.reject(new Error("busy")),
    };
    await assertRejects(() => vm.confidential.unmount(step), Error, "busy");
    // From now on neither is anything created nor forgotten.
    await refused(() => vm.delete(a), "FailedPrecondition", "busy");
    await refused(
      () => vm.create(other),
      "FailedPrecondition",
      "busy",
    );
    const request = {
      ResourceType: "ContainerConstraints",
      Settings: { Linux: {} },
    };
    await modify(vm, request, a); // still registered
  }));
