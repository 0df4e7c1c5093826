import { assert, assertEquals } from "@std/assert";
import type { GuestProcess } from "../../bridge/guest.ts";
import { readText } from "./guest_fixture.ts";
import { adapter, end, networkTest, pod } from "./network_fixture.ts";

networkTest(
  "with the network of the VM, adapters are configured in it",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1));
    const annotations = {
      ...pod.annotations,
      "io.microsoft.virtualmachine.lcow.hostnetwork": "true",
    };
    await vm.create({ ...pod, annotations });
    const init = await vm.start("pod");
    assertEquals(await network.addresses("eth1"), [
      "10.0.1.5/24",
      "fd00:1::5/64",
    ]);
    assert((await network.run("ip link show", init.pid)).includes("router1"));
    await end(vm, init);
  },
);

networkTest(
  "containers in the network of the VM share its adapters, after the end of the one that named them",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1, {
      DNSServerList: "10.0.1.10",
      Routes: [{ NextHop: "10.0.1.1", DestinationPrefix: "0.0.0.0/0" }],
    }));
    const linux = { namespaces: [{ type: "pid" }, { type: "mount" }] };
    const run = async (id: string, more = {}): Promise<GuestProcess> => {
      const { args } = pod;
      await vm.create({ id, args, spec: { linux }, ...more });
      const bundle = vm.path(`/run/gcs/pods/${id}/${id}`);
      assertEquals(
        await Deno.readTextFile(`${bundle}/resolv.conf`),
        "nameserver 10.0.1.10\n",
      );
      return await vm.start(id);
    };
    const first = await run("first", {
      annotations: { "io.microsoft.virtualmachine.lcow.hostnetwork": "true" },
      spec: { ...pod.spec, linux },
    });
    const second = await run("second");
    const remove = async (id: string, init: GuestProcess): Promise<void> =>
      await end(vm, init, { ...pod, id });
    await remove("first", first);
    const third = await run("third");
    for (const { pid } of [second, third]) {
      assertEquals(await network.addresses("eth1", pid), [
        "10.0.1.5/24",
        "fd00:1::5/64",
      ]);
      assertEquals(await network.routes(pid), [
        "default via 10.0.1.1 dev eth1",
      ]);
    }
    await remove("second", second);
    await remove("third", third);
    assertEquals(await network.addresses("eth1"), [
      "10.0.1.5/24",
      "fd00:1::5/64",
    ]);
  },
);

networkTest(
  "a pod without a network namespace of its own uses the adapters in the VM, again and again",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1));
    for (const id of ["one", "two"]) {
      const linux = { namespaces: [{ type: "pid" }, { type: "mount" }] };
      const container = { ...pod, id, spec: { ...pod.spec, linux } };
      await vm.create(container);
      const init = await vm.start(id);
      assertEquals(await network.addresses("eth1"), [
        "10.0.1.5/24",
        "fd00:1::5/64",
      ]);
      await end(vm, init, container);
    }
  },
);

networkTest(
  "workloads share the interfaces and the resolv.conf of their sandbox",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1, { DNSServerList: "10.0.1.10" }));
    await vm.create(pod);
    const init = await vm.start("pod");
    const web = {
      id: "web",
      pod: "pod",
      args: ["sh", "-c", "cat /etc/resolv.conf; ip address show dev eth1"],
      annotations: {
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.sandbox-id": "pod",
      },
      spec: {
        linux: {
          namespaces: [
            { type: "network", path: `/proc/${init.pid}/ns/net` },
            { type: "pid" },
            { type: "mount" },
          ],
        },
      },
    };
    await vm.create(web);
    const process = await vm.start("web");
    const output = await readText(process.stdout);
    assert(output.startsWith("nameserver 10.0.1.10\n"), output);
    assert(output.includes("inet 10.0.1.5/24"), output);
    await process.close();
    assertEquals(await process.exited, 0);
    await vm.remove(web);
    await end(vm, init);
  },
);
