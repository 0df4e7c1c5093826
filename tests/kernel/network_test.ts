import { assert, assertEquals, assertRejects } from "@std/assert";
import { HResultError } from "../../base/hresult.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { openFifo } from "../../ffi/linux/fifo.ts";
import { mkfifo } from "../../ffi/linux/files.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { listContainers } from "./guest_runs.ts";
import {
  adapter,
  adapterId,
  end,
  namespaceId,
  networkTest,
  pod,
} from "./network_fixture.ts";

Deno.test.beforeAll(() => void libc());

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
