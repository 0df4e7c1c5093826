import { assertEquals, assertRejects } from "@std/assert";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { create, describeNamespace, type Rig, rig } from "./sandbox_fixture.ts";
import { limit } from "./fixture.ts";

Deno.test.beforeAll(() => void libc());

const namespace = "A0000000-0000-4000-8000-00000000000A";
const windows = { network: { networkNamespace: namespace } };

/** Boots the sandbox. */
async function boot({ client, bundle }: Rig): Promise<void> {
  const sandboxId = bundle.id;
  await client.call(Sandbox, "CreateSandbox", {
    sandboxId,
    bundlePath: bundle.path,
  });
  await client.call(Sandbox, "StartSandbox", { sandboxId });
}

/** An endpoint, as the simulated host reads it. */
function endpoint(number: number, name: string): unknown {
  return {
    id: `e000000${number}-0000-4000-8000-000000abcdef`,
    name,
    addresses: [`10.0.${number}.5/24`, `fd00:${number}::5/64`],
    gateways: number === 1 ? ["10.0.1.1", "fd00:1::1"] : [],
    servers: ["10.0.1.10"],
    searches: ["Cluster.local"],
  };
}

/** Reads until the text has come. */
async function readUntil(stream: Duplex, wanted: string): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes(wanted)) {
    const n = await stream.read(buffer);
    if (n === null) throw new Error(`No "${wanted}" in "${text}"`);
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

Deno.test({
  name:
    "a pod has the network of its namespace, from the shim to the container",
  timeout: limit,
  fn: async () => {
    const id = "net1";
    await using it = await rig(id, windows);
    const { client, bundle } = it;
    await using _namespace = await describeNamespace(it, namespace, [
      endpoint(2, "second"),
      endpoint(1, "pod_eth0"),
    ]);
    await boot(it);
    const script = [
      "ip -o -4 address show dev eth0 | grep -o 'inet [^ ]*'",
      "ip -o -6 address show dev eth1 scope global | grep -o 'inet6 [^ ]*'",
      "ip route | grep ^default",
      "cat /etc/resolv.conf",
      "nc -w 5 10.0.1.1 9 2>&1 </dev/null | grep -o refused",
      "echo ready",
    ].join("; ");
    const web = await it.member("web", script);
    await create(client, bundle);
    const { pid } = await client.call(TaskV3, "Start", { id });
    await readUntil(bundle.output, "ready\n");
    const config = JSON.parse(
      await Deno.readTextFile(`${web.path}/config.json`),
    );
    config.linux.namespaces.find(({ type }: { type: string }) =>
      type === "network"
    ).path = `/proc/${pid}/ns/net`;
    await Deno.writeTextFile(
      `${web.path}/config.json`,
      JSON.stringify(config),
    );
    await create(client, web);
    await client.call(TaskV3, "Start", { id: "web" });
    const expected = [
      "inet 10.0.1.5/24",
      "inet6 fd00:2::5/64",
      "default via 10.0.1.1 dev eth0 ",
      "search cluster.local",
      "nameserver 10.0.1.10",
      "refused",
      "ready",
    ].join("\n") + "\n";
    assertEquals(await readUntil(web.output, "ready\n"), expected);
    for (const each of ["web", id]) {
      const waited = client.call(TaskV3, "Wait", { id: each });
      await client.call(TaskV3, "Kill", { id: each, signal: 9 });
      await waited;
      await client.call(TaskV3, "Delete", { id: each });
    }
  },
});

Deno.test({
  name:
    "a pod whose namespace nobody described is refused, and what to do is said",
  timeout: limit,
  fn: async () => {
    const id = "net2";
    await using it = await rig(id, windows);
    await boot(it);
    const error = await assertRejects(
      () => create(it.client, it.bundle),
      ShimError,
      `Namespace ID "${namespace}" not found: describe it in a file of`,
    );
    assertEquals(error.code, "NotFound");
  },
});
