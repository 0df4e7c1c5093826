import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import type { HostNetwork } from "../hcs/ports.ts";
import { simulatedNetwork } from "./network.ts";

const namespace = "a0000000-0000-4000-8000-00000000000a";
const endpoint = "E0000000-0000-4000-8000-000000ABCDEF";

/** A network service with one namespace, whose file says this. */
async function withNetwork(
  file: unknown,
  test: (network: HostNetwork, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const text = typeof file === "string" ? file : JSON.stringify(file);
    await Deno.writeTextFile(`${folder}/${namespace}.json`, text);
    await test(simulatedNetwork(folder), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a namespace is a file, in whatever case its id is written", () =>
  withNetwork({
    endpoints: [{
      id: endpoint,
      name: "pod_eth0",
      addresses: ["10.0.0.5/24", "fd00::5/64"],
      gateways: ["10.0.0.1", "fd00::1"],
      servers: ["10.0.0.10"],
      searches: ["cluster.local"],
    }],
  }, async (network) => {
    const id = namespace.toUpperCase();
    assertEquals(await network.namespace(id), {
      id,
      namespaceId: 0,
      endpointIds: [endpoint],
    });
    assertEquals(await network.endpoint(endpoint.toLowerCase()), {
      id: endpoint,
      name: "pod_eth0",
      networkId: "00000000-0000-0000-0000-000000000000",
      namespaceId: namespace,
      policies: [],
      ipConfigurations: [
        { ipAddress: "10.0.0.5", prefixLength: 24 },
        { ipAddress: "fd00::5", prefixLength: 64 },
      ],
      dns: {
        domain: "",
        search: ["cluster.local"],
        serverList: ["10.0.0.10"],
        options: [],
      },
      routes: [
        { nextHop: "10.0.0.1", destinationPrefix: "0.0.0.0/0", metric: 0 },
        { nextHop: "fd00::1", destinationPrefix: "::/0", metric: 0 },
      ],
      macAddress: "00-15-5D-AB-CD-EF",
    });
    assertEquals(await network.networks(), []);
  }));

Deno.test("a namespace without a file is not found, and what to do is said", async () => {
  const network = simulatedNetwork("/nonexistent/lcow/n");
  for (const id of [namespace, "", "../x", "a0"]) {
    const error = await assertRejects(
      () => network.namespace(id),
      ShimError,
      `Namespace ID "${id}" not found: describe it in a file of ` +
        "/nonexistent/lcow/n, or name no network namespace",
    );
    assertEquals(error.code, "NotFound");
  }
  const error = await assertRejects(
    () => network.endpoint("e1"),
    ShimError,
    'Endpoint ID "e1" not found',
  );
  assertEquals(error.code, "NotFound");
});

Deno.test("a file that cannot be right is told with its path", async () => {
  const files: [unknown, string][] = [
    ["{", "Cannot use"],
    [{ endpoint: [] }, "endpoint"],
    [{ endpoints: [{}] }, 'endpoint id "" is no GUID'],
    [{ endpoints: [{ id: endpoint, addresses: ["10.0.0.5"] }] }, "10.0.0.5/24"],
  ];
  for (const [file, message] of files) {
    await withNetwork(file, async (network, folder) => {
      const error = await assertRejects(
        () => network.namespace(namespace),
        ShimError,
        message,
      );
      assertEquals(error.code, "InvalidArgument");
      assertEquals(error.message.includes(`${folder}/${namespace}.json`), true);
    });
  }
});

Deno.test("a path stands for a namespace with one endpoint, the same for whoever asks", async () => {
  const path = await Deno.makeTempFile();
  try {
    const { id, endpointIds } = await simulatedNetwork("/none").namespace(path);
    assertEquals(endpointIds, [id]);
    const other = simulatedNetwork("/none");
    assertEquals((await other.namespace(path)).id, id);
    const { namespaceId, ipConfigurations, routes } = await other.endpoint(
      id.toUpperCase(),
    );
    assertEquals(namespaceId, id);
    const [address] = ipConfigurations;
    assertEquals(address?.prefixLength, 24);
    assertEquals(routes, [{
      nextHop: address?.ipAddress.replace(/\.2$/, ".1") ?? "",
      destinationPrefix: "0.0.0.0/0",
      metric: 0,
    }]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a path where nothing is is no namespace", async () => {
  const path = "/nonexistent/lcow/netns";
  const error = await assertRejects(
    () => simulatedNetwork("/none").namespace(path),
    ShimError,
    `Cannot use network namespace "${path}"`,
  );
  assertEquals(error.code, "NotFound");
});
