import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { NetworkAdapter } from "../../bridge/messages.gen.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import { FakeNetwork } from "./fake.ts";
import { takeSteps } from "./stack.ts";
import { networkSteps } from "./steps.ts";

const unreachable = 101;
const noRouteToHost = 113;

/** An interface `eth0` with index 2, and what is done with it. */
async function changesOf(
  adapter: NetworkAdapter,
  failures: FakeNetwork["failures"] = [],
): Promise<{ changes: string[]; error?: unknown }> {
  const network = new FakeNetwork();
  network.plug("a", "eth0");
  network.failures.push(...failures);
  const steps = networkSteps(adapter, adapter.EnableLowMetric ?? false);
  const { signal } = new AbortController();
  let error: unknown;
  try {
    await takeSteps(network.vm, "eth0", steps, signal);
  } catch (cause) {
    error = cause;
  }
  assertEquals(network.vm.stacks, 0, "a stack is left open");
  const changes = network.take().map((text) => text.replace("vm: ", ""));
  return error === undefined ? { changes } : { changes, error };
}

const ipv4 = { IPAddress: "192.168.0.5", PrefixLength: 24 };
const ipv6 = { IPAddress: "9541:a2ab:1234:5::5", PrefixLength: 64 };
const viaIpv4 = { NextHop: "192.168.0.100", DestinationPrefix: "0.0.0.0/0" };
const viaIpv6 = { NextHop: "9541:a2ab:1234:5::1", DestinationPrefix: "::/0" };

const cases: [name: string, adapter: NetworkAdapter, changes: string[]][] = [
  [
    "guest:I1 an IPv4 address keeps its host bits and has a default route",
    { IPConfigs: [ipv4], Routes: [viaIpv4] },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "route default via 192.168.0.100 link 2 table main metric 0",
    ],
  ],
  [
    "guest:I2 an IPv4 address with a low metric has a rule and a table of its own",
    { IPConfigs: [ipv4], Routes: [viaIpv4], EnableLowMetric: true },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "rule from 192.168.0.5/32 table 101 priority 5",
      "route default via 192.168.0.100 link 2 table 101 metric 500",
    ],
  ],
  [
    "guest:I3 an IPv6 address has a default route",
    { IPConfigs: [ipv6], Routes: [viaIpv6] },
    [
      "up eth0",
      "address 9541:a2ab:1234:5::5/64 link 2",
      "route default via 9541:a2ab:1234:5::1 link 2 table main metric 0",
    ],
  ],
  [
    "guest:I4 an IPv6 address with a low metric has a rule and a table of its own",
    { IPConfigs: [ipv6], Routes: [viaIpv6], EnableLowMetric: true },
    [
      "up eth0",
      "address 9541:a2ab:1234:5::5/64 link 2",
      "rule from 9541:a2ab:1234:5::5/128 table 101 priority 5",
      "route default via 9541:a2ab:1234:5::1 link 2 table 101 metric 500",
    ],
  ],
  [
    "guest:I5 with both versions of IP all addresses come before all routes",
    { IPConfigs: [ipv4, ipv6], Routes: [viaIpv4, viaIpv6] },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "address 9541:a2ab:1234:5::5/64 link 2",
      "route default via 192.168.0.100 link 2 table main metric 0",
      "route default via 9541:a2ab:1234:5::1 link 2 table main metric 0",
    ],
  ],
  [
    "guest:I6 without routes only addresses are added",
    { IPConfigs: [ipv4, ipv6] },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "address 9541:a2ab:1234:5::5/64 link 2",
    ],
  ],
  [
    "guest:I8 of many routes the empty default is skipped, destinations stay as given",
    {
      IPConfigs: [ipv4, ipv6],
      Routes: [
        { NextHop: "0.0.0.0", DestinationPrefix: "0.0.0.0/0" },
        { NextHop: "::", DestinationPrefix: "::/0" },
        { ...viaIpv4, Metric: 3 },
        { NextHop: "192.168.0.100", DestinationPrefix: "10.0.0.0/8" },
        { DestinationPrefix: "192.168.9.0/24" },
        { NextHop: "", DestinationPrefix: "2603:20:6040:38::3/64" },
      ],
    },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "address 9541:a2ab:1234:5::5/64 link 2",
      "route default via 192.168.0.100 link 2 table main metric 3",
      "route 10.0.0.0/8 via 192.168.0.100 link 2 table main metric 0",
      "route 192.168.9.0/24 link 2 table main metric 0",
      "route 2603:20:6040:38::3/64 link 2 table main metric 0",
    ],
  ],
  [
    "an all-zero next hop of a destination is passed on, one that is no address is none",
    {
      IPConfigs: [ipv4],
      Routes: [
        { NextHop: "0.0.0.0", DestinationPrefix: "10.0.0.0/8" },
        { NextHop: "router", DestinationPrefix: "10.1.0.0/16" },
      ],
    },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "route 10.0.0.0/8 via 0.0.0.0 link 2 table main metric 0",
      "route 10.1.0.0/16 link 2 table main metric 0",
    ],
  ],
  [
    "an encapsulation takes its overhead off the MTU, first of all",
    { IPConfigs: [ipv4], EncapOverhead: 50 },
    ["mtu 1450 eth0", "up eth0", "address 192.168.0.5/24 link 2"],
  ],
  [
    "an adapter without addresses asks DHCP for everything",
    { EncapOverhead: 50, Routes: [viaIpv4] },
    ["mtu 1450 eth0", "dhcp eth0"],
  ],
  [
    "a given metric wins over the low one",
    {
      IPConfigs: [ipv4],
      Routes: [{ ...viaIpv4, Metric: 7 }],
      EnableLowMetric: true,
    },
    [
      "up eth0",
      "address 192.168.0.5/24 link 2",
      "rule from 192.168.0.5/32 table 101 priority 5",
      "route default via 192.168.0.100 link 2 table 101 metric 7",
    ],
  ],
];

for (const [name, adapter, changes] of cases) {
  Deno.test(name, async () => {
    assertEquals(await changesOf(adapter), { changes });
  });
}

Deno.test("guest:I7 a gateway outside of the subnet becomes an address, and the route is tried once more", async () => {
  for (
    const [ip, route, gateway, bits] of [
      [ipv4, viaIpv4, viaIpv4.NextHop, 32],
      [ipv6, viaIpv6, viaIpv6.NextHop, 128],
    ] as const
  ) {
    const adapter = { IPConfigs: [ip], Routes: [route] };
    const added = `route default via ${gateway} link 2 table main metric 0`;
    const start = [
      "up eth0",
      `address ${ip.IPAddress}/${ip.PrefixLength} link 2`,
    ];
    const all = [
      ...start,
      added,
      `address ${gateway}/${bits} link 2`,
      added,
    ];
    const failure = [`vm: ${added}`, unreachable] as [string, number];
    assertEquals(await changesOf(adapter, [failure]), { changes: all });
    const twice = await changesOf(adapter, [failure, failure]);
    assertEquals(twice.changes, all);
    await assertRejects(
      () => Promise.reject(twice.error),
      ErrnoError,
      "network is unreachable",
    );
  }
});

Deno.test("an IPv6 gateway that Linux has no route to gets one on the link", async () => {
  const added =
    "route default via 9541:a2ab:1234:5::1 link 2 table 101 metric 500";
  const { changes, error } = await changesOf({
    IPConfigs: [ipv6],
    Routes: [viaIpv6],
    EnableLowMetric: true,
  }, [[`vm: ${added}`, noRouteToHost]]);
  assertEquals(error, undefined);
  assertEquals(changes.slice(-3), [
    added,
    "route 9541:a2ab:1234:5::1/128 link 2 table 101 metric 500",
    added,
  ]);
});

Deno.test("a route that fails for another reason, or has no gateway, is not tried again", async () => {
  const Routes = [{ DestinationPrefix: "10.0.0.0/8" }];
  const added = "route 10.0.0.0/8 link 2 table main metric 0";
  const { changes, error } = await changesOf(
    { IPConfigs: [ipv4], Routes },
    [[`vm: ${added}`, unreachable]],
  );
  assertEquals(changes.length, 3);
  assertEquals((error as ErrnoError).errno, "ENETUNREACH");
  const exists = await changesOf(
    { IPConfigs: [ipv4], Routes: [viaIpv4] },
    [["vm: route default via 192.168.0.100 link 2 table main metric 0", 17]],
  );
  assertEquals(exists.changes.length, 3);
  const { code, message } = exists.error as ShimError;
  assertEquals(code, "AlreadyExists");
  assertEquals(message.endsWith("or use policy based routing"), true);
});

Deno.test("a rule that is there already is no failure", async () => {
  const { changes, error } = await changesOf(
    { IPConfigs: [ipv4], EnableLowMetric: true },
    [["vm: rule from 192.168.0.5/32 table 101 priority 5", 17]],
  );
  assertEquals(error, undefined);
  assertEquals(changes.length, 3);
});

Deno.test("an overhead that leaves nothing of the MTU is refused before any change", async () => {
  const { changes, error } = await changesOf({ EncapOverhead: 1433 });
  assertEquals(changes, []);
  assertEquals(
    (error as ShimError).message,
    'Invalid EncapOverhead 1433: the MTU of network interface "eth0" is ' +
      "1500, and 68 must be left",
  );
});

function refused(adapter: NetworkAdapter, message: string): void {
  for (const isLowMetric of [false, true]) {
    const error = assertThrows(
      () => networkSteps(adapter, isLowMetric),
      ShimError,
      message,
    );
    assertEquals(error.code, "InvalidArgument");
  }
}

Deno.test("guest:I9 a route with an empty destination prefix is an error", () => {
  const Routes = [{ NextHop: "192.168.0.100", DestinationPrefix: "" }];
  refused({ IPConfigs: [ipv4], Routes }, 'Invalid route destination ""');
});

Deno.test("settings that cannot be right are refused", () => {
  const route = (DestinationPrefix: string, NextHop = ""): NetworkAdapter => ({
    IPConfigs: [ipv4],
    Routes: [{ DestinationPrefix, NextHop }],
  });
  refused({ IPConfigs: [{}] }, 'Invalid IP address ""');
  refused({ IPConfigs: [{ IPAddress: "0.0.0.0" }] }, "of one interface");
  refused({ IPConfigs: [{ ...ipv4, PrefixLength: 33 }] }, "33 exceeds 32");
  refused({ IPConfigs: [{ ...ipv6, PrefixLength: 129 }] }, "129 exceeds 128");
  refused({ IPConfigs: [ipv4, ipv4] }, "192.168.0.5: it is there twice");
  refused(route("10.0.0.0"), "as 10.0.0.0/8");
  refused(route("10.0.0.0/33"), "as 10.0.0.0/8");
  refused(route("0.0.0.0/0"), "needs a next hop");
  refused(route("::/0", "eth0"), 'needs a next hop, not "eth0"');
  refused(route("0.0.0.0/0", "fe80::1"), "of the other IP version");
  refused(
    { IPConfigs: [ipv4], Routes: [viaIpv4, viaIpv4] },
    "default via 192.168.0.100 metric",
  );
  refused({ Routes: [{ DestinationPrefix: "/" }] }, "Invalid route");
  const huge = (count: number, text: string): string[] =>
    new Array<string>(count).fill(text);
  refused(
    { IPConfigs: huge(257, "10.0.0.1").map((IPAddress) => ({ IPAddress })) },
    "257, at most 256 possible",
  );
  refused(
    {
      IPConfigs: [ipv4],
      Routes: huge(1025, "10.0.0.0/8")
        .map((DestinationPrefix) => ({ DestinationPrefix })),
    },
    "1025, at most 1024 possible",
  );
  refused({ IPConfigs: [{ IPAddress: "9".repeat(1 << 20) }] }, "IP address");
});
