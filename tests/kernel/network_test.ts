import { assert, assertEquals, assertRejects } from "@std/assert";
import { HResultError } from "../../base/hresult.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import { openFifo } from "../../ffi/linux/fifo.ts";
import { mkfifo } from "../../ffi/linux/files.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { GuestVm, mustSkip, readText } from "./guest_fixture.ts";
import { listContainers } from "./guest_runs.ts";
import {
  adapter,
  adapterId,
  GuestNetwork,
  namespaceId,
  pod,
} from "./network_fixture.ts";

Deno.test.beforeAll(() => void libc());

const ignore = await mustSkip("networks of the guest");

interface Lab {
  readonly vm: GuestVm;
  readonly network: GuestNetwork;
}

/** A test in an agent of its own, which leaves nothing and holds nothing. */
function networkTest(name: string, test: (lab: Lab) => Promise<void>): void {
  Deno.test({ name, ignore }, async () => {
    const vm = await GuestVm.start();
    const network = new GuestNetwork(vm);
    try {
      await test({ vm, network });
      assertEquals(await vm.leftovers(), []);
      assertEquals(await network.held(), 1);
    } finally {
      await vm.stop();
    }
  });
}

/** Ends a container and forgets it. */
async function end(
  vm: GuestVm,
  init: GuestProcess,
  container = pod,
): Promise<void> {
  await init.signal();
  await init.close();
  await init.exited;
  await vm.remove(container);
}

networkTest(
  "guest:P8 a sandbox whose namespace is there before is created, then runs",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1));
    await vm.create(pod);
    const [created, ...more] = await listContainers(vm);
    assertEquals([created?.id, created?.status, more], ["pod", "created", []]);
    const init = await vm.start("pod");
    assertEquals(await listContainers(vm), [
      { id: "pod", pid: init.pid, status: "running" },
    ]);
    await end(vm, init);
    await network.remove(1);
    assertEquals(await listContainers(vm), []);
  },
);

networkTest(
  "a pod has its addresses and routes, reaches its routers, and later adapters come too",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1, {
      EncapOverhead: 50,
      DNSSuffix: "Cluster.local,svc",
      DNSServerList: "10.0.1.10",
      Routes: [
        { NextHop: "0.0.0.0", DestinationPrefix: "0.0.0.0/0" },
        { NextHop: "10.0.1.1", DestinationPrefix: "0.0.0.0/0" },
        { NextHop: "10.0.1.2", DestinationPrefix: "10.7.0.0/16", Metric: 7 },
        { NextHop: "0.0.0.0", DestinationPrefix: "10.8.0.0/16" },
        { NextHop: "fd00:1::1", DestinationPrefix: "::/0" },
        { NextHop: "::", DestinationPrefix: "fd08::1/64" },
      ],
      PolicyBasedRouting: true,
    }));
    assert((await network.links()).includes("eth1"));
    await vm.create(pod);
    const init = await vm.start("pod");
    const { pid } = init;
    assertEquals((await network.links()).includes("eth1"), false);
    assertEquals(await network.addresses("eth1", pid), [
      "10.0.1.5/24",
      "fd00:1::5/64",
    ]);
    assertEquals(await network.routes(pid), [
      "default via 10.0.1.1 dev eth1",
      "10.7.0.0/16 via 10.0.1.2 dev eth1 metric 7",
      "10.8.0.0/16 dev eth1",
      "fd08::/64 dev eth1 metric 1024",
      "default via fd00:1::1 dev eth1 metric 1024",
    ]);
    assertEquals(await network.rules(pid), []);
    const link = await network.run("ip link show eth1", pid);
    assert(link.includes("mtu 1450"), link);
    await network.ping("10.0.1.1", pid);
    await network.ping("fd00:1::1", pid);
    const bundle = vm.path("/run/gcs/pods/pod/pod");
    assertEquals(
      await Deno.readTextFile(`${bundle}/resolv.conf`),
      "search cluster.local svc\nnameserver 10.0.1.10\n",
    );
    await network.plug(2, "pci0001:00/0001:00:02.0/net");
    await network.add(adapter(2, {
      VPCIAssigned: true,
      Routes: [
        { NextHop: "10.0.2.1", DestinationPrefix: "0.0.0.0/0" },
        { NextHop: "fd00:2::1", DestinationPrefix: "::/0" },
      ],
      PolicyBasedRouting: true,
    }));
    assertEquals(await network.rules(pid), [
      "5: from 10.0.2.5 lookup 101",
      "5: from fd00:2::5 lookup 101",
    ]);
    assertEquals(await network.routes(pid, "101"), [
      "default via 10.0.2.1 dev eth2 metric 500",
      "default via fd00:2::1 dev eth2 metric 500",
    ]);
    await network.ping("10.0.2.1", pid);
    // The host takes the adapter away; the agent has nothing to undo.
    await network.run("ip link delete router2");
    await network.remove(2);
    assertEquals(await network.routes(pid, "101").catch(() => []), []);
    // What was left of it does not stand in the way of the next one.
    await network.plug(2);
    await network.add(
      adapter(2, { VPCIAssigned: true, EnableLowMetric: true }),
    );
    assertEquals((await network.rules(pid)).length, 2);
    await network.ping("10.0.1.1", pid);
    await end(vm, init);
    await network.remove(2);
    await network.remove(1);
    const dump = await vm.guest.dumpStacks();
    assertEquals(dump.includes(namespaceId), false, dump);
  },
);

networkTest(
  "gateways outside of the subnet are reached, over IPv4 and IPv6",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1, {
      EnableLowMetric: true,
      Routes: [
        { NextHop: "10.99.0.1", DestinationPrefix: "0.0.0.0/0" },
        { NextHop: "fd99::1", DestinationPrefix: "::/0" },
        { NextHop: "10.99.0.1", DestinationPrefix: "10.50.0.0/16" },
      ],
    }));
    await vm.create(pod);
    const init = await vm.start("pod");
    assertEquals(await network.routes(init.pid, "101"), [
      "default via 10.99.0.1 dev eth1 metric 500",
      "10.50.0.0/16 via 10.99.0.1 dev eth1 metric 500",
      "fd99::1 dev eth1 metric 500",
      "default via fd99::1 dev eth1 metric 500",
    ]);
    assertEquals(await network.addresses("eth1", init.pid), [
      "10.0.1.5/24",
      "10.99.0.1/32",
      "fd00:1::5/64",
    ]);
    await end(vm, init);
  },
);

networkTest(
  "an interface that appears late is waited for, one that never appears is told",
  async ({ vm, network }) => {
    const absent = assertRejects(
      () => network.add(adapter(9)),
      HResultError,
      `/sys/bus/vmbus/devices/${adapterId(9)}/net: it did not appear`,
    );
    const adding = network.add(adapter(1));
    await network.makeLink(1);
    await vm.create(pod);
    const init = await vm.start("pod");
    await network.makeDevice(1);
    await adding;
    assertEquals(await network.addresses("eth1", init.pid), [
      "10.0.1.5/24",
      "fd00:1::5/64",
    ]);
    await absent;
    await end(vm, init);
  },
);

networkTest(
  "a namespace whose only adapter never appeared still carries a pod",
  async ({ vm, network }) => {
    await assertRejects(
      () => network.add(adapter(1)),
      HResultError,
      `it did not appear within ${defaultTimeouts.deviceWait} ms`,
    );
    await vm.create(pod);
    const init = await vm.start("pod");
    await end(vm, init);
    await assertRejects(
      () => vm.create({ ...pod, id: "next" }),
      HResultError,
      `namespace '${namespaceId}' not found`,
    );
    await vm.guest.modify({
      ResourceType: "CombinedLayers",
      RequestType: "Remove",
      Settings: { ContainerRootPath: "/run/gcs/pods/next/next/rootfs" },
    });
  },
);

networkTest(
  "an interface that disappears fails the pod, which leaves nothing and can be made again",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1));
    await network.run("ip link delete eth1");
    const scratch = String((await vm.layers(pod)).ScratchPath);
    await assertRejects(
      () => vm.createOn(pod, scratch),
      HResultError,
      "ENODEV",
    );
    assertEquals(await network.held(), 1);
    assertEquals(await vm.leftovers(), []);
    await network.makeLink(1);
    const again = { ...pod, id: "again" };
    await vm.create(again);
    const init = await vm.start("again");
    await network.ping("10.0.1.1", init.pid);
    await end(vm, init, again);
  },
);

networkTest(
  "an adapter that the kernel refuses returns to the VM, the others stay",
  async ({ vm, network }) => {
    await network.plug(1);
    await network.add(adapter(1));
    await vm.create(pod);
    const init = await vm.start("pod");
    await network.plug(2);
    const wrong = adapter(2, {
      Routes: [{ NextHop: "10.0.2.1", DestinationPrefix: "10.3.0.1/16" }],
    });
    await assertRejects(
      () => network.add(wrong),
      HResultError,
      "Cannot add route 10.3.0.1/16 via 10.0.2.1 (Invalid prefix for given " +
        "prefix length): invalid argument (EINVAL)",
    );
    assert((await network.links()).includes("eth2"));
    await network.ping("10.0.1.1", init.pid);
    await network.add(adapter(2));
    await network.ping("10.0.2.1", init.pid);
    await end(vm, init);
  },
);

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
  "an adapter without addresses runs the DHCP client of the VM in the pod",
  async ({ vm, network }) => {
    await network.run("mount -t tmpfs programs /usr/local/sbin");
    const program = vm.path("/usr/local/sbin/udhcpc");
    const client = async (script: string): Promise<void> => {
      await Deno.writeTextFile(program, `#!/bin/sh\n${script}\n`, {
        mode: 0o755,
      });
    };
    await client(
      "echo $@ >/run/asked; ip link set $3 up; ip address add 10.0.1.77/24 dev $3",
    );
    await network.plug(1);
    await network.add(adapter(1, { IPConfigs: [] }));
    await vm.create(pod);
    const init = await vm.start("pod");
    assertEquals(await network.addresses("eth1", init.pid), ["10.0.1.77/24"]);
    assertEquals(
      await Deno.readTextFile(vm.path("/run/asked")),
      "-q -i eth1 -s /sbin/udhcpc_config.script\n",
    );
    await client("exit 3");
    await network.plug(2);
    const dhcp = adapter(2, { IPConfigs: [] });
    await assertRejects(
      () => network.add(dhcp),
      HResultError,
      "udhcpc ended with code 3",
    );
    mkfifo(vm.path("/run/begun"));
    const begun = await openFifo(vm.path("/run/begun"), "stdin");
    await client("echo begun >/run/begun; exec sleep 1000");
    const adding = assertRejects(
      () => network.add(dhcp),
      HResultError,
      "was removed",
    );
    await Promise.race([begun.read(new Uint8Array(16)), adding]);
    await begun.close();
    await network.remove(2);
    await adding;
    assert((await network.links()).includes("eth2"));
    await end(vm, init);
    await network.run("umount /usr/local/sbin");
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
