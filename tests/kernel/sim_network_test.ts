/**
 * The network adapters of the simulated host, with real interfaces.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { HResult } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { inLab, refused } from "./sim_fixture.ts";

Deno.test.beforeAll(() => void libc());

const namespace = "a0000000-0000-4000-8000-00000000000a";
const endpoint = "e0000000-0000-4000-8000-000000abcdef";
const nic = (number: number): string =>
  `c000000${number}-0000-4000-8000-00000000000A`;

function adapter(
  number: number,
  RequestType: "Add" | "Remove" | "Update",
  EndpointId = endpoint,
): Json {
  return {
    ResourcePath: `VirtualMachine/Devices/NetworkAdapters/${nic(number)}`,
    RequestType,
    Settings: { EndpointId, MacAddress: "00-15-5D-AB-CD-EF" },
  };
}

/** Interfaces of this computer. */
async function ownLinks(): Promise<string[]> {
  return await Array.fromAsync(
    Deno.readDir("/sys/class/net"),
    ({ name }) => name,
  );
}

/** Descriptors of network namespaces in this process. */
async function held(): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir("/proc/self/fd")) {
    const path = `/proc/self/fd/${name}`;
    const target = await Deno.readLink(path).catch(() => "");
    if (target.startsWith("net:[")) count++;
  }
  return count;
}

Deno.test("an adapter is an interface of the machine, whose gateway answers", () =>
  inLab(async ({ dir, boot }) => {
    const before = await ownLinks();
    const folder = `${dir}/state/n`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      `${folder}/${namespace}.json`,
      JSON.stringify({
        endpoints: [{
          id: endpoint,
          addresses: ["10.0.0.5/24"],
          gateways: ["10.0.0.1"],
        }],
      }),
    );
    const machine = await boot("a@vm");
    const { system } = machine;
    await system.modify(adapter(1, "Add"));
    await system.modify(adapter(2, "Add"));
    const device = `/sys/bus/vmbus/devices/${nic(1).toLowerCase()}/net`;
    assertEquals(await machine.sh(`ls ${device}`), "eth0");
    assertMatch(
      await machine.sh("cat /sys/class/net/eth0/address; ls /sys/class/net"),
      /^00:15:5d:ab:cd:ef\neth0\neth1\nlo$/,
    );
    // Nobody listens, but there is somebody who says so.
    assertMatch(
      await machine.sh(
        "ip link set eth0 up; ip addr add 10.0.0.5/24 dev eth0; " +
          "bash -c 'echo >/dev/tcp/10.0.0.1/9' 2>&1 || true",
      ),
      /Connection refused/,
    );
    await refused(() => system.modify(adapter(1, "Add")), 0x800700b7);
    await refused(() => system.modify(adapter(3, "Remove")), 0x80070490);
    await refused(
      () => system.modify(adapter(3, "Update")),
      HResult.InvalidJson,
    );
    await refused(() => system.modify(adapter(3, "Add", nic(3))), 0x803b0002);
    await refused(
      () =>
        system.modify({
          ...adapter(3, "Add") as Record<string, Json>,
          Settings: { EndpointId: endpoint },
        }),
      HResult.InvalidJson,
    );
    await refused(
      () =>
        system.modify({
          ...adapter(3, "Add") as Record<string, Json>,
          ResourcePath: "VirtualMachine/Devices/NetworkAdapters/x",
        }),
      HResult.InvalidArgument,
    );
    await system.modify(adapter(1, "Remove"));
    assertEquals(await machine.sh("ls /sys/class/net"), "eth1\nlo");
    assertEquals(
      await machine.sh(`ls -d ${device} 2>/dev/null || echo gone`),
      "gone",
    );
    await system.modify(adapter(4, "Add"));
    assertEquals(await machine.sh("ls /sys/class/net"), "eth0\neth1\nlo");
    assertEquals(await ownLinks(), before);
    assertEquals(await held(), 2);
    await machine.end();
    assertEquals(await held(), 0);
    await Deno.remove(folder, { recursive: true });
  }));
