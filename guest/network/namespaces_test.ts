import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { silentLogger } from "../../base/log.ts";
import type { NetworkAdapter } from "../../bridge/messages.gen.ts";
import { FakeNetwork } from "./fake.ts";
import { NetworkNamespaces } from "./namespaces.ts";

const namespaceId = "5E0E5A5A-0000-1000-8000-00000000000A";

function adapterId(number: number): string {
  return `0a0a0a0a-0000-1000-8000-${`${number}`.padStart(12, "0")}`;
}

/** Settings of an adapter with one address. */
function adapter(
  number: number,
  settings: NetworkAdapter = {},
): NetworkAdapter {
  return {
    NamespaceID: namespaceId,
    ID: adapterId(number),
    IPConfigs: [{ IPAddress: `10.0.0.${number}`, PrefixLength: 8 }],
    ...settings,
  };
}

class Lab {
  readonly network = new FakeNetwork();
  readonly namespaces = new NetworkNamespaces({
    kernel: this.network,
    log: silentLogger,
  });
  readonly signal = new AbortController().signal;

  /** Adds adapters whose interfaces are there: `eth1` of number 1. */
  async add(...adapters: NetworkAdapter[]): Promise<void> {
    for (const settings of adapters) {
      const number = Number(settings.ID!.slice(-12));
      this.network.plug(settings.ID!, `eth${number}`);
      await this.namespaces.addAdapter(settings, this.signal);
    }
  }

  /** Gives the namespace to the container of a process. */
  async attach(owner: string, pid: number): Promise<void> {
    const namespace = this.namespaces.get(namespaceId);
    await namespace.attach(owner, () => this.network.hold(pid));
  }
}

/** What a new adapter of number 1 is configured with. */
function configured(pid: number, number: number, link: number): string[] {
  return [
    `vm: down eth${number}`,
    `vm: move eth${number} to ${pid}`,
    `${pid}: up eth${number}`,
    `${pid}: address 10.0.0.${number}/8 link ${link}`,
  ];
}

Deno.test("guest:H1 the get of an unknown namespace is an error and makes none", () => {
  const { namespaces } = new Lab();
  const error = assertThrows(
    () => namespaces.get("A"),
    HResultError,
    "namespace 'a' not found",
  );
  assertEquals(error.hresult, HResult.ElementNotFound);
  assertEquals(namespaces.find("A"), undefined);
  assertEquals(namespaces.all, []);
});

Deno.test("guest:H2 get and get-or-add answer the same namespace, whatever the case", () => {
  const { namespaces } = new Lab();
  const made = namespaces.getOrAdd("Ab");
  assert(namespaces.get("aB") === made);
  assert(namespaces.getOrAdd("AB") === made);
});

Deno.test("guest:H3 get-or-add makes an unknown namespace", () => {
  const { namespaces } = new Lab();
  const made = namespaces.getOrAdd("Ab");
  assertEquals([made.id, made.size, made.owner], ["ab", 0, undefined]);
  assertEquals(namespaces.all, [made]);
});

Deno.test("guest:H4 the removal of an unknown namespace is a success", () => {
  new Lab().namespaces.remove("a");
});

Deno.test("guest:H5 a namespace with adapters is not removed, without them it is", async () => {
  const lab = new Lab();
  await lab.add(adapter(1));
  const error = assertThrows(
    () => lab.namespaces.remove(namespaceId),
    ShimError,
    "contains adapters",
  );
  assertEquals(error.code, "FailedPrecondition");
  lab.namespaces.removeAdapter(adapter(1));
  lab.namespaces.remove(namespaceId);
  assertEquals(lab.namespaces.find(namespaceId), undefined);
});

Deno.test("guest:H6 name servers and searches of adapters are merged in order", async () => {
  const lab = new Lab();
  const namespace = lab.namespaces.getOrAdd(namespaceId);
  assertEquals(namespace.dns, { searches: [], servers: [] });
  await lab.add(adapter(1, {
    DNSSuffix: "Azure-DNS.com",
    DNSServerList: "10.11.12.13, 1.1.1.1",
  }));
  const first = {
    searches: ["azure-dns.com"],
    servers: ["10.11.12.13", "1.1.1.1"],
  };
  assertEquals(namespace.dns, first);
  await lab.add(adapter(2));
  assertEquals(namespace.dns, first);
  await lab.add(adapter(3, {
    DNSSuffix: "azure-dns.COM, Second.com ,",
    DNSServerList: "1.1.1.1,FC00::A,fc00::a",
  }));
  assertEquals(namespace.dns, {
    searches: ["azure-dns.com", "second.com"],
    servers: ["10.11.12.13", "1.1.1.1", "fc00::a"],
  });
});

Deno.test("adapters move to the container that is attached, and to no other later", async () => {
  const lab = new Lab();
  await lab.add(adapter(1));
  assertEquals(lab.network.take(), []);
  await lab.attach("web", 7);
  assertEquals(lab.network.take(), configured(7, 1, 3));
  // The peer moves the first one again here.
  await lab.add(adapter(2));
  assertEquals(lab.network.take(), configured(7, 2, 5));
  const error = await assertRejects(
    () => lab.attach("other", 8),
    ShimError,
    'container "web" has it',
  );
  assertEquals(error.code, "FailedPrecondition");
  assertEquals(lab.network.places.has(8), false);
  assertEquals(lab.network.take(), []);
});

Deno.test("with policy based routing all adapters but the first have a table of their own", async () => {
  const lab = new Lab();
  const routed = { PolicyBasedRouting: true, EnableLowMetric: true };
  await lab.add(adapter(1, routed), adapter(2, routed));
  await lab.attach("web", 7);
  await lab.add(adapter(3, { ...routed, EnableLowMetric: false }));
  const rules = lab.network.take().filter((text) => text.includes("rule"));
  assertEquals(rules, [
    "7: rule from 10.0.0.2/32 table 101 priority 5",
    "7: rule from 10.0.0.3/32 table 101 priority 5",
  ]);
});

Deno.test("with the network of the VM adapters are configured in place, once", async () => {
  const lab = new Lab();
  await lab.add(adapter(1));
  const namespace = lab.namespaces.get(namespaceId);
  await namespace.attach("web", () => lab.network.vm);
  await lab.add(adapter(2));
  const changes = [
    ...["vm: up eth1", "vm: address 10.0.0.1/8 link 2"],
    ...["vm: up eth2", "vm: address 10.0.0.2/8 link 3"],
  ];
  assertEquals(lab.network.take(), changes);
  await namespace.release("web");
  assert(lab.network.vm.isHeld, "the agent has it as long as it runs");
  await namespace.attach("again", () => lab.network.vm);
  assertEquals(lab.network.take(), []);
});

Deno.test("an adapter that cannot be configured returns to the VM and is forgotten", async () => {
  const lab = new Lab();
  await lab.add(adapter(1));
  await lab.attach("web", 7);
  lab.network.take();
  lab.network.failures.push(["7: address 10.0.0.2/8 link 5", 17]);
  await assertRejects(() => lab.add(adapter(2)), ShimError, "EEXIST");
  assertEquals(lab.network.take().slice(-2), [
    "7: down eth2",
    "7: move eth2 to vm",
  ]);
  assertEquals([...lab.network.vm.links.keys()], ["eth2"]);
  assertEquals(lab.namespaces.get(namespaceId).size, 1);
  await lab.namespaces.addAdapter(adapter(2), lab.signal);
  assertEquals(lab.namespaces.get(namespaceId).size, 2);
});

Deno.test("an adapter is waited for while others are added, and keeps its place", async () => {
  const lab = new Lab();
  const late = adapter(1, { PolicyBasedRouting: true });
  const adding = lab.namespaces.addAdapter(late, lab.signal);
  await lab.add(adapter(2, { PolicyBasedRouting: true }));
  await lab.attach("web", 7);
  assertEquals(lab.network.waiting, 1);
  lab.network.plug(late.ID!, "eth1");
  await adding;
  const rules = lab.network.take().filter((text) => text.includes("rule"));
  assertEquals(rules, ["7: rule from 10.0.0.2/32 table 101 priority 5"]);
});

Deno.test("the removal of an adapter ends the wait for it, and it can be added again", async () => {
  const lab = new Lab();
  const adding = lab.namespaces.addAdapter(adapter(1), lab.signal);
  const outcome = assertRejects(() => adding, ShimError, "was removed");
  lab.namespaces.removeAdapter(adapter(1));
  const again = lab.namespaces.addAdapter(adapter(1), lab.signal);
  assertEquals((await outcome).code, "Aborted");
  await assertRejects(
    () => lab.namespaces.addAdapter(adapter(1), lab.signal),
    ShimError,
    "has it",
  );
  lab.network.plug(adapterId(1), "eth1");
  await again;
  assertEquals(lab.namespaces.get(namespaceId).size, 1);
  assertEquals(lab.network.waiting, 0);
});

Deno.test("the removal of an adapter, and the end of its container, end its DHCP", async () => {
  for (const end of ["adapter", "container"]) {
    const lab = new Lab();
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    lab.network.dhcp = (signal) => {
      resolve();
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    await lab.add(adapter(1, { IPConfigs: [] }));
    const outcome = assertRejects(() => lab.attach("web", 7), ShimError);
    await begun;
    if (end === "adapter") lab.namespaces.removeAdapter(adapter(1));
    else await lab.namespaces.leave(namespaceId, "web");
    assertEquals((await outcome).code, "Aborted");
    await lab.namespaces.leave(namespaceId, "web");
    assertEquals(lab.network.places.get(7)!.isHeld, false);
    assertEquals([...lab.network.vm.links.keys()], ["eth1"]);
    assertEquals(lab.network.vm.stacks + lab.network.places.get(7)!.stacks, 0);
  }
});

Deno.test("after the end of its container a namespace serves the next one", async () => {
  const lab = new Lab();
  await lab.add(adapter(1));
  await lab.attach("web", 7);
  lab.network.take();
  await lab.namespaces.leave(namespaceId, "other");
  assert(lab.network.places.get(7)!.isHeld, "only its owner releases it");
  await lab.namespaces.leave(namespaceId, "web");
  await lab.attach("next", 8);
  assertEquals(lab.network.take(), configured(8, 1, 5));
});

Deno.test("a namespace is forgotten with its container, or with its last adapter after that", async () => {
  const lab = new Lab();
  lab.namespaces.getOrAdd(namespaceId);
  await lab.attach("empty", 6);
  await lab.namespaces.leave(namespaceId, "empty");
  assertEquals(lab.namespaces.all, []);
  await lab.namespaces.leave(namespaceId, "empty");
  await lab.add(adapter(1), adapter(2));
  await lab.attach("web", 7);
  await lab.namespaces.leave(namespaceId, "web");
  lab.namespaces.removeAdapter(adapter(1));
  assertEquals(lab.namespaces.all.length, 1);
  lab.namespaces.removeAdapter(adapter(2));
  assertEquals(lab.namespaces.all, []);
  lab.namespaces.removeAdapter(adapter(2));
});

Deno.test("a namespace whose adapter does not appear is kept, for a sandbox without one", async () => {
  const lab = new Lab();
  const abort = new AbortController();
  const adding = lab.namespaces.addAdapter(adapter(1), abort.signal);
  abort.abort(new ShimError("DeadlineExceeded", "it did not appear"));
  await assertRejects(() => adding, ShimError, "did not appear");
  assertEquals(lab.namespaces.get(namespaceId).size, 0);
  await lab.attach("web", 7);
  assertEquals(lab.network.take(), []);
});

Deno.test("settings that cannot be right change nothing", async () => {
  const lab = new Lab();
  const wrong: NetworkAdapter[] = [
    { ...adapter(1), ID: "../x" },
    { ...adapter(1), NamespaceID: "../x" },
    { ...adapter(1), NamespaceID: "a".repeat(1 << 20) },
    adapter(1, { IPConfigs: [{ IPAddress: "x" }] }),
    adapter(1, { Routes: [{}] }),
    adapter(1, { DNSSuffix: "a\nnameserver 6.6.6.6" }),
    adapter(1, { DNSServerList: "1.1.1.1 2.2.2.2" }),
    adapter(1, { DNSServerList: "1".repeat(256) }),
    adapter(1, { DNSSuffix: "a,".repeat(65) }),
  ];
  for (const settings of wrong) {
    const error = await assertRejects(
      () => lab.namespaces.addAdapter(settings, lab.signal),
      ShimError,
    );
    assertEquals(error.code, "InvalidArgument");
    assert(error.message.length < 500, error.message.slice(0, 500));
  }
  assertEquals(lab.namespaces.all, []);
});

Deno.test("an adapter belongs to one namespace, in whatever case its id is written", async () => {
  const lab = new Lab();
  await lab.add(adapter(1));
  const other = adapter(1, {
    ID: adapterId(1).toUpperCase(),
    NamespaceID: adapterId(9),
  });
  const error = await assertRejects(
    () => lab.namespaces.addAdapter(other, lab.signal),
    ShimError,
    `'${namespaceId.toLowerCase()}' has it`,
  );
  assertEquals(error.code, "AlreadyExists");
  assertEquals(lab.namespaces.find(adapterId(9)), undefined);
  lab.namespaces.removeAdapter(other);
  lab.namespaces.removeAdapter({ ...other, NamespaceID: namespaceId });
  assertEquals(lab.namespaces.get(namespaceId).size, 0);
});

Deno.test("two thousand adapters end in errors and in nothing left", async () => {
  const lab = new Lab();
  const abort = new AbortController();
  const ids = Array.from({ length: 2_000 }, (_, i) => i);
  const outcomes = Promise.allSettled(ids.map((i) =>
    lab.namespaces.addAdapter(
      { NamespaceID: adapterId(i), ID: adapterId(i) },
      abort.signal,
    )
  ));
  assertEquals(lab.network.waiting, 1024);
  abort.abort(new ShimError("DeadlineExceeded", "they did not appear"));
  const codes = (await outcomes).map((outcome) =>
    outcome.status === "rejected" && (outcome.reason as ShimError).code
  );
  assertEquals(
    codes.filter((code) => code === "DeadlineExceeded").length,
    1024,
  );
  assertEquals(codes.lastIndexOf("DeadlineExceeded"), 1023);
  assertEquals(codes.at(-1), "ResourceExhausted");
  assertEquals(lab.network.waiting, 0);
});

Deno.test("a thousand adapters of one namespace are configured in order", async () => {
  const lab = new Lab();
  const settings = Array.from({ length: 1000 }, (_, i) =>
    adapter(i + 1, {
      IPConfigs: [{ IPAddress: `10.0.${(i / 200) | 0}.${i % 200 + 1}` }],
      PolicyBasedRouting: true,
    }));
  await lab.add(...settings);
  await lab.attach("web", 7);
  assertEquals(lab.network.take().length, 1000 * 4 + 999);
});
