import { assert, assertEquals, assertRejects } from "@std/assert";
import { HResult, HResultError } from "../../base/hresult.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { type FakeVm, withFakeVm } from "../fake_vm.ts";

Deno.test.beforeAll(() => void libc());

const namespace = "5E0E5A5A-0000-1000-8000-00000000000A";
const id = "0a0a0a0a-0000-1000-8000-000000000001";
const sandbox = { "io.kubernetes.cri.container-type": "sandbox" };
const skip = { "io.microsoft.cri.skip-pod-networking": "TRUE" };
const hostNetwork = { "io.microsoft.virtualmachine.lcow.hostnetwork": "true" };
const spec = { windows: { network: { networkNamespace: namespace } } };

const adapter = {
  NamespaceID: namespace.toLowerCase(),
  ID: id,
  DNSSuffix: "Cluster.local",
  DNSServerList: "10.0.0.10",
  IPConfigs: [{ IPAddress: "10.0.0.5", PrefixLength: 24 }],
};

async function addAdapter(vm: FakeVm): Promise<void> {
  vm.network.plug(id, "eth0");
  await vm.modify("Network", "Add", adapter);
}

async function resolvConf(vm: FakeVm, container: string): Promise<string> {
  return await Deno.readTextFile(`${vm.bundle({ id: container })}/resolv.conf`);
}

function dumped(vm: FakeVm): string {
  return vm.host.dump().match(/^ {2}'.*$/m)?.[0] ?? "";
}

Deno.test("a sandbox gets the adapters of its namespace, and its names", () =>
  withFakeVm(async (vm) => {
    await addAdapter(vm);
    await vm.create({ id: "pod", annotations: sandbox, spec });
    const pid = [...vm.runtime.processes.keys()][0]!;
    assertEquals(vm.network.take(), [
      "vm: down eth0",
      `vm: move eth0 to ${pid}`,
      `${pid}: up eth0`,
      `${pid}: address 10.0.0.5/24 link 3`,
    ]);
    assertEquals(
      await resolvConf(vm, "pod"),
      "search cluster.local\nnameserver 10.0.0.10\n",
    );
    assertEquals(
      dumped(vm),
      `  '${namespace.toLowerCase()}': 1 adapters, used by pod`,
    );
    await vm.delete("pod");
    assertEquals(vm.network.places.get(pid)!.isHeld, false);
    await vm.modify("Network", "Remove", {
      NamespaceID: namespace,
      ID: id.toUpperCase(),
    });
    assertEquals(dumped(vm), "");
  }));

Deno.test("a sandbox without its namespace is refused with the id, unless it needs none", () =>
  withFakeVm(async (vm) => {
    const error = await assertRejects(
      () => vm.create({ id: "pod", annotations: sandbox, spec }),
      HResultError,
      `namespace '${namespace.toLowerCase()}' not found`,
    );
    assertEquals(error.hresult, HResult.ElementNotFound);
    assertEquals(vm.runtime.calls, []);
    await vm.create({ id: "pod", annotations: { ...sandbox, ...skip }, spec });
    assertEquals(await resolvConf(vm, "pod"), "");
    await addAdapter(vm);
    assertEquals(vm.network.take().length, 4, "a later adapter reaches it");
    await vm.delete("pod");
  }));

Deno.test("a standalone container needs no namespace, and later adapters reach it", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "one", spec });
    await addAdapter(vm);
    assertEquals(vm.network.take().length, 4);
    await vm.modify("Network", "Remove", adapter);
    await vm.delete("one");
    assertEquals(dumped(vm), "");
  }));

Deno.test("with the network of the VM the adapters are configured there", () =>
  withFakeVm(async (vm) => {
    await addAdapter(vm);
    const annotations = { ...sandbox, ...hostNetwork };
    await vm.create({ id: "pod", annotations, spec });
    assertEquals(vm.network.take(), [
      "vm: up eth0",
      "vm: address 10.0.0.5/24 link 2",
    ]);
    await vm.delete("pod");
  }));

Deno.test("what is configured in the VM outlives its container, and serves all that use the VM's network", () =>
  withFakeVm(async (vm) => {
    const names = "search cluster.local\nnameserver 10.0.0.10\n";
    const own = { linux: { namespaces: [{ type: "network" }] } };
    await addAdapter(vm);
    await vm.create({ id: "early" });
    assertEquals(await resolvConf(vm, "early"), "");
    await vm.create({ id: "first", annotations: hostNetwork, spec });
    assertEquals(await resolvConf(vm, "first"), names);
    vm.network.take();
    await vm.create({ id: "second" });
    await vm.create({ id: "alone", spec: own });
    assertEquals(await resolvConf(vm, "second"), names);
    assertEquals(await resolvConf(vm, "alone"), "");
    await vm.delete("first");
    await vm.create({ id: "third" });
    assertEquals(await resolvConf(vm, "third"), names);
    // A host that names it once more finds it as it is.
    await vm.create({ id: "fourth", annotations: hostNetwork, spec });
    assertEquals(await resolvConf(vm, "fourth"), names);
    assertEquals(vm.network.take(), []);
    for (const id of ["early", "second", "alone", "third", "fourth"]) {
      await vm.delete(id);
    }
    await vm.modify("Network", "Remove", adapter);
    assertEquals(dumped(vm), "");
  }));

Deno.test("the sandbox of a virtual pod makes its namespace, which outlives it", () =>
  withFakeVm(async (vm) => {
    const annotations = { "io.microsoft.cri.virtual-pod-id": "virtual" };
    await vm.create({ id: "virtual", annotations, spec });
    await vm.delete("virtual");
    assertEquals(
      dumped(vm),
      `  '${namespace.toLowerCase()}': 0 adapters, used by nobody`,
    );
  }));

Deno.test("a network that cannot be made undoes the create, and the adapter serves the next", () =>
  withFakeVm(async (vm) => {
    await addAdapter(vm);
    const first = 0x4000_0001;
    vm.network.failures.push([`${first}: address 10.0.0.5/24 link 3`, 17]);
    await assertRejects(
      () => vm.create({ id: "pod", annotations: sandbox, spec }),
      Error,
      "EEXIST",
    );
    assertEquals(vm.runtime.calls, ["create pod", "delete pod force"]);
    assertEquals(vm.network.places.get(first)!.isHeld, false);
    await assertRejects(
      () => vm.delete("pod"),
      HResultError,
      '"pod" not found',
    );
    await vm.create({ id: "pod", annotations: sandbox, spec });
    assert(vm.network.take().at(-1)!.includes("address 10.0.0.5/24"));
    await vm.delete("pod");
  }));

Deno.test("more than 6 searches refuse the sandbox, not the adapter", () =>
  withFakeVm(async (vm) => {
    vm.network.plug(id, "eth0");
    const DNSSuffix = "a,b,c,d,e,f,g";
    await vm.modify("Network", "Add", { ...adapter, DNSSuffix });
    await assertRejects(
      () => vm.create({ id: "pod", annotations: sandbox, spec }),
      Error,
      "7 search domains",
    );
  }));

Deno.test("adapters are only added and removed; what is missing is removed already", () =>
  withFakeVm(async (vm) => {
    await vm.modify("Network", "Remove", { NamespaceID: namespace, ID: id });
    for (const type of ["Update", "PreAdd", "Frobnicate"]) {
      await assertRejects(
        () => vm.modify("Network", type, adapter),
        Error,
        `the RequestType "${type}" is not supported`,
      );
    }
    await assertRejects(
      () => vm.modify("Network", "Add", {}),
      Error,
      '"" must be a GUID',
    );
    assertEquals(dumped(vm), "");
  }));

Deno.test("a container is invisible until it has its network, and may end meanwhile", () =>
  withFakeVm(async (vm) => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    vm.network.dhcp = () => {
      asked.resolve();
      return answer.promise;
    };
    vm.network.plug(id, "eth0");
    await vm.modify("Network", "Add", { ...adapter, IPConfigs: [] });
    const creating = vm.create({ id: "pod", annotations: sandbox, spec });
    await asked.promise;
    const error = await assertRejects(
      () => vm.execute("pod", {}),
      HResultError,
      "still being created",
    );
    assertEquals(error.hresult, HResult.GuestInvalidState);
    const init = vm.runtime.init("pod");
    await init.close();
    vm.runtime.exit(init, 3);
    answer.resolve();
    await creating;
    assertEquals(await vm.wait("pod", init.pid), 3);
    await vm.delete("pod");
    assertEquals(vm.network.places.get(init.pid)!.isHeld, false);
  }));

Deno.test("a sandbox whose init has ended gets no network, and is undone", () =>
  withFakeVm(async (vm) => {
    await addAdapter(vm);
    const { create } = vm.runtime;
    vm.runtime.create = async (...args) => {
      const made = await create.apply(vm.runtime, args);
      vm.runtime.exit(vm.runtime.init("pod"), 1);
      return made;
    };
    await assertRejects(
      () => vm.create({ id: "pod", annotations: sandbox, spec }),
      Error,
      "its init has ended",
    );
    assertEquals(vm.network.take(), []);
    vm.runtime.create = create;
    await vm.create({ id: "pod", annotations: sandbox, spec });
    assertEquals(vm.network.take().length, 4);
    await vm.delete("pod");
  }));
