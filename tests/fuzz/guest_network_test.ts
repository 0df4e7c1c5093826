/**
 * The guest's network against hostile settings and answers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ShimError } from "../../base/errors.ts";
import { parseIpAddress, parseIpPrefix } from "../../base/ip_address.ts";
import { silentLogger } from "../../base/log.ts";
import { NetworkAdapter } from "../../bridge/messages.gen.ts";
import {
  decodeAnswer,
  decodeAttributes,
  decodeMessages,
} from "../../ffi/linux/netlink.ts";
import { FakeNetwork } from "../../guest/network/fake.ts";
import { NetworkNamespaces } from "../../guest/network/namespaces.ts";

const id = "0a0a0a0a-0000-1000-8000-000000000001";

const text = (...usual: string[]): fc.Arbitrary<string> =>
  fc.oneof(fc.constantFrom("", "../..", ...usual), fc.string());

const address = text("10.0.0.5", "fd00::5", "0.0.0.0", "::", "1.2.3.4.5");
const prefix = text("0.0.0.0/0", "::/0", "10.0.0.0/8", "fd00::/64", "1/1");

const settings = fc.record({
  NamespaceID: text(id, id.toUpperCase()),
  ID: text(id, id.toUpperCase()),
  DNSSuffix: text("a,b", "a b", "a\n"),
  DNSServerList: text("1.1.1.1,::1"),
  EncapOverhead: fc.integer({ min: 0, max: 0xffff }),
  VPCIAssigned: fc.boolean(),
  IPConfigs: fc.array(fc.record({
    IPAddress: address,
    PrefixLength: fc.integer({ min: 0, max: 255 }),
  })),
  Routes: fc.array(fc.record({
    NextHop: address,
    DestinationPrefix: prefix,
    Metric: fc.integer({ min: 0, max: 0xffff }),
  })),
  PolicyBasedRouting: fc.boolean(),
  EnableLowMetric: fc.boolean(),
}, { requiredKeys: [] });

Deno.test("whatever a host says of an adapter, it is added whole or not at all", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(settings, async (given) => {
      const network = new FakeNetwork();
      network.plug(id, "eth0");
      const kernel = network;
      const namespaces = new NetworkNamespaces({ kernel, log: silentLogger });
      const adapter = NetworkAdapter.decode(given, "$");
      const { signal } = new AbortController();
      try {
        const owned = namespaces.getOrAdd(given.NamespaceID ?? "");
        await owned.attach("web", () => network.hold(7));
        await namespaces.addAdapter(adapter, signal);
      } catch (error) {
        assert(error instanceof ShimError, `${error}`);
        assert(error.message.length < 1000, error.message);
        assertEquals(namespaces.all.map(({ size }) => size), [0]);
        assertEquals([...network.vm.links.keys()], ["eth0"]);
        return;
      }
      accepted++;
      assertEquals([...network.vm.links.keys()], []);
      namespaces.removeAdapter(adapter);
      await namespaces.leave(given.NamespaceID ?? "", "web");
      assertEquals(namespaces.all, []);
    }),
    { numRuns: 3000 },
  );
  assert(accepted > 0, "no settings were right");
});

Deno.test("whatever answers, reading it ends with a value or a classified error", () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (given, hasHead) => {
      const data = Uint8Array.from(given);
      // A right length leads deeper.
      if (hasHead && data.length >= 16) {
        new DataView(data.buffer).setUint32(0, data.length, true);
      }
      try {
        for (const message of decodeMessages(data)) decodeAnswer(message);
        decodeAttributes(data);
      } catch (error) {
        assert(error instanceof ShimError && error.code === "DataLoss");
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("addresses are read as the URL parser reads them, or not at all", () => {
  const groups = fc.array(fc.constantFrom("", "0", "1", "ffff", "1.2.3.4"), {
    maxLength: 10,
  }).map((parts) => parts.join(":"));
  const any = fc.oneof(fc.ipV4(), fc.ipV6(), groups, fc.string());
  fc.assert(
    fc.property(any, (given) => {
      const parsed = parseIpAddress(given);
      const isIpv6 = given.includes(":");
      const host = isIpv6 ? `[${given}]` : given;
      const url = URL.canParse(`http://${host}/`);
      if (parsed === undefined) {
        // URLs take more forms of IPv4, and names.
        assert(!isIpv6 || !url || !/^[0-9a-f:.]+$/i.test(given), given);
        return;
      }
      assert(url, given);
      assertEquals(parsed.bytes.length, isIpv6 ? 16 : 4);
      const hex = parsed.bytes.toHex().replace(/(.{4})(?=.)/g, "$1:");
      const again = isIpv6 ? `[${hex}]` : [...parsed.bytes].join(".");
      const { hostname } = new URL(`http://${host}/`);
      assertEquals(new URL(`http://${again}/`).hostname, hostname);
      assertEquals(parseIpPrefix(`${given}/8`)?.length, 8);
    }),
    { numRuns: 20_000 },
  );
});
