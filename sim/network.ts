/**
 * The network service of the simulated host. On Windows a CNI plugin makes
 * namespaces and endpoints in the host's network service; here a namespace is a
 * file in the state folder, `n/<GUID in lower case>.json`:
 *
 * ```json
 * {
 *   "endpoints": [{
 *     "id": "c0000000-0000-4000-8000-000000000001",
 *     "name": "eth0",
 *     "addresses": ["10.0.0.5/24", "fd00::5/64"],
 *     "gateways": ["10.0.0.1", "fd00::1"],
 *     "servers": ["10.0.0.10"],
 *     "searches": ["cluster.local"]
 *   }]
 * }
 * ```
 *
 * Only `id` and `addresses` are needed.
 *
 * A CRI plugin on Linux names a namespace by a path instead, and its CNI plugins
 * connect what is there, which no machine can use. Such a path stands for a
 * namespace with one endpoint, whose addresses follow from the path.
 *
 * @module
 */

import { string } from "../base/codec.ts";
import { filled, list, object } from "../base/codec_shapes.ts";
import { classify, messageOf, ShimError } from "../base/errors.ts";
import { isGuid, nullGuid } from "../base/guid.ts";
import { type IpPrefix, parseIpPrefix } from "../base/ip_address.ts";
import { parseJson } from "../base/json.ts";
import type { HostEndpoint, HostNamespace, HostNetwork } from "../hcs/ports.ts";

/** An endpoint in the file of its namespace. */
interface Endpoint {
  id?: string;
  name?: string;
  addresses?: string[];
  gateways?: string[];
  servers?: string[];
  searches?: string[];
}

const Endpoint = object<Endpoint>("Endpoint", {
  id: filled(string),
  name: filled(string),
  addresses: filled(list(string)),
  gateways: filled(list(string)),
  servers: filled(list(string)),
  searches: filled(list(string)),
});

const Namespace = object<{ endpoints?: Endpoint[] }>("Namespace", {
  endpoints: filled(list(Endpoint)),
});

/** The first three bytes of hardware addresses that Hyper-V gives. */
const hyperv = "00-15-5D";

/** A hardware address that only this endpoint has, as Windows writes it. */
function macOf(id: string): string {
  const [a, b, c] = id.slice(-6).match(/../g) ?? [];
  return `${hyperv}-${a}-${b}-${c}`.toUpperCase();
}

function requireAddress(text: string): IpPrefix {
  const prefix = parseIpPrefix(text);
  if (prefix !== undefined) return prefix;
  throw new ShimError(
    "InvalidArgument",
    `address ${JSON.stringify(text)} is none; write it as 10.0.0.5/24`,
  );
}

function hostEndpoint(endpoint: Endpoint, namespaceId: string): HostEndpoint {
  const { id = "", name = "eth0", addresses = [], gateways = [] } = endpoint;
  if (!isGuid(id)) {
    throw new ShimError("InvalidArgument", `endpoint id "${id}" is no GUID`);
  }
  return {
    id,
    name,
    networkId: nullGuid,
    namespaceId,
    policies: [],
    ipConfigurations: addresses.map(requireAddress)
      .map(({ address, length }) => ({
        ipAddress: address.text,
        prefixLength: length,
      })),
    dns: {
      domain: "",
      search: endpoint.searches ?? [],
      serverList: endpoint.servers ?? [],
      options: [],
    },
    routes: gateways.map((nextHop) => ({
      nextHop,
      destinationPrefix: nextHop.includes(":") ? "::/0" : "0.0.0.0/0",
      metric: 0,
    })),
    macAddress: macOf(id),
  };
}

/** First group of the GUIDs that stand for paths: the text `netn`. */
const ofPath = "6e65746e";

/** The GUID that stands for a path, for the namespace and for its endpoint. */
async function guidOfPath(path: string): Promise<string> {
  const text = new TextEncoder().encode(path);
  const digest = await crypto.subtle.digest("SHA-256", text);
  const hex = new Uint8Array(digest).toHex();
  const at = (start: number, end: number): string => hex.slice(start, end);
  return `${ofPath}-${at(0, 4)}-8${at(4, 7)}-8${at(7, 10)}-${at(10, 22)}`;
}

/** The endpoint of a path; its pod is alone in a network of its own. */
function endpointOfPath(id: string): HostEndpoint {
  const subnet = `10.${parseInt(id.slice(-4, -2), 16)}.${
    parseInt(id.slice(-2), 16)
  }`;
  const endpoint = {
    id,
    addresses: [`${subnet}.2/24`],
    gateways: [`${subnet}.1`],
  };
  return hostEndpoint(endpoint, id);
}

async function namespaceOfPath(path: string): Promise<HostNamespace> {
  try {
    await Deno.stat(path);
  } catch (cause) {
    throw new ShimError(
      classify(cause),
      `Cannot use network namespace "${path}": ${messageOf(cause)}`,
      { cause },
    );
  }
  const id = await guidOfPath(path);
  return { id, namespaceId: 0, endpointIds: [id] };
}

function notFound(kind: string, id: string, folder: string): ShimError {
  return new ShimError(
    "NotFound",
    `${kind} ID "${id}" not found: describe it in a file of ${folder}, or name ` +
      "no network namespace in the specification and for the sandbox",
  );
}

async function readEndpoints(
  folder: string,
  id: string,
): Promise<HostEndpoint[] | undefined> {
  if (!isGuid(id)) return undefined;
  const path = `${folder}/${id.toLowerCase()}.json`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const { endpoints = [] } = Namespace.validate(parseJson(text, path));
    return endpoints.map((endpoint) => hostEndpoint(endpoint, id));
  } catch (cause) {
    throw new ShimError(
      "InvalidArgument",
      `Cannot use ${path}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * A network service that reads namespaces from files.
 *
 * @param folder Their folder, which may be missing.
 */
export function simulatedNetwork(folder: string): HostNetwork {
  return {
    async namespace(id) {
      if (id.startsWith("/")) return await namespaceOfPath(id);
      const endpoints = await readEndpoints(folder, id);
      if (endpoints === undefined) throw notFound("Namespace", id, folder);
      const endpointIds = endpoints.map((endpoint) => endpoint.id);
      return { id, namespaceId: 0, endpointIds };
    },
    async endpoint(id) {
      const wanted = id.toLowerCase();
      if (wanted.startsWith(`${ofPath}-`)) return endpointOfPath(wanted);
      for (const namespace of await namespacesIn(folder)) {
        const endpoints = await readEndpoints(folder, namespace) ?? [];
        const found = endpoints.find((it) => it.id.toLowerCase() === wanted);
        if (found !== undefined) return found;
      }
      throw notFound("Endpoint", id, folder);
    },
    networks: () => Promise.resolve([]),
  };
}

async function namespacesIn(folder: string): Promise<string[]> {
  const ids: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".json")) ids.push(name.slice(0, -".json".length));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return ids.sort();
}
