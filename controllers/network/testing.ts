/**
 * Fakes of a network's collaborators, for the tests of this folder and of all
 * who have a network.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import { silentLogger } from "../../base/log.ts";
import type { Capabilities, ModifyRequest } from "../../bridge/messages.gen.ts";
import type {
  HostEndpoint,
  HostNamespace,
  HostNetwork,
  HostNetworkInfo,
} from "../../hcs/ports.ts";
import { CallScript } from "../testing/call_script.ts";
import { NetworkController } from "./controller.ts";
import type { NetworkPeers } from "./peers.ts";

/** GUID of the namespace that most tests use. */
export const namespaceId = "a0000000-0000-1000-8000-0000000000a1";

/** What fails when a test says so. */
export const injected: ShimError = new ShimError("Internal", "injected");

/** An endpoint that has an address and nothing special. */
export function fakeEndpoint(
  id: string,
  more: Partial<HostEndpoint> = {},
): HostEndpoint {
  return {
    id,
    name: id,
    networkId: "c0000000-0000-1000-8000-0000000000c1",
    namespaceId,
    policies: [],
    ipConfigurations: [{ ipAddress: "10.0.0.5", prefixLength: 24 }],
    dns: { domain: "", search: [], serverList: [], options: [] },
    routes: [],
    macAddress: "00-15-5D-00-00-05",
    ...more,
  };
}

/**
 * A network service in memory. The script has the calls `namespace`, `endpoint`
 * and `networks`.
 *
 * @example A namespace with one endpoint
 * ```ts
 * import { FakeHostNetwork, fakeEndpoint } from "./testing.ts";
 * const host = new FakeHostNetwork().add("ns", fakeEndpoint("e1"));
 * console.assert((await host.namespace("ns")).endpointIds[0] === "e1");
 * ```
 */
export class FakeHostNetwork implements HostNetwork {
  /** What was called, and what fails. */
  readonly script: CallScript;
  /** What `networks` answers. */
  list: HostNetworkInfo[] = [];
  readonly #namespaces = new Map<string, HostNamespace>();
  readonly #endpoints = new Map<string, HostEndpoint>();

  /** @param script Shared with other fakes, for the order between them. */
  constructor(script: CallScript = new CallScript()) {
    this.script = script;
  }

  /** Adds a namespace with its endpoints in this order. */
  add(id: string, ...endpoints: readonly HostEndpoint[]): this {
    const endpointIds = endpoints.map((endpoint) => endpoint.id);
    this.#namespaces.set(id, { id, namespaceId: 1, endpointIds });
    for (const endpoint of endpoints) {
      this.#endpoints.set(endpoint.id, endpoint);
    }
    return this;
  }

  /** A namespace that was added. @throws {ShimError} NotFound. */
  async namespace(id: string, signal?: AbortSignal): Promise<HostNamespace> {
    await this.script.play("namespace", id, signal);
    const found = this.#namespaces.get(id);
    if (found !== undefined) return found;
    throw new ShimError("NotFound", `Namespace ID "${id}" not found`);
  }

  /** An endpoint that was added. @throws {ShimError} NotFound. */
  async endpoint(id: string, signal?: AbortSignal): Promise<HostEndpoint> {
    await this.script.play("endpoint", id, signal);
    const found = this.#endpoints.get(id);
    if (found !== undefined) return found;
    throw new ShimError("NotFound", `Endpoint ID "${id}" not found`);
  }

  /** What `list` has. */
  async networks(signal?: AbortSignal): Promise<HostNetworkInfo[]> {
    await this.script.play("networks", undefined, signal);
    return this.list;
  }
}

/** The part of either request that the fakes act on. */
interface AdapterRequest {
  readonly RequestType: string;
  readonly ResourcePath?: string;
  readonly Settings: {
    readonly ID?: string;
    readonly EndpointId?: string;
    readonly NamespaceID?: string;
  };
}

/** What a guest that takes adapters says of itself. */
export const takesAdapters: Capabilities = {
  SupportedSchemaVersions: [{ Major: 2, Minor: 1 }],
  RuntimeOsType: "Linux",
  GuestDefinedCapabilities: { NamespaceAddRequestSupported: true },
};

/**
 * Host, VM and guest of one network. VM and guest know their adapters, and refuse
 * what makes no sense: a second Add, a Remove in the VM of what is not there. The
 * guest, like the real one, is silent about a Remove of what it does not know.
 *
 * All calls are in one script: `namespace`, `endpoint`, `vm Add`, `vm Remove`,
 * `guest Add` and `guest Remove`.
 */
export class NetworkWorld implements NetworkPeers {
  /** All calls, in order. */
  readonly script = new CallScript();
  /** The network service of the host. */
  readonly host = new FakeHostNetwork(this.script);
  /** Endpoint ids of the VM's adapters, by adapter. */
  readonly vmAdapters = new Map<string, string>();
  /** Namespaces of the guest's adapters, by adapter. */
  readonly guestAdapters = new Map<string, string>();
  /** Drops everything. */
  readonly log = silentLogger;
  /** The agent. */
  readonly guest: {
    readonly capabilities: Capabilities;
    modify(request: ModifyRequest): Promise<void>;
  };

  /** @param capabilities What the guest says of itself. */
  constructor(capabilities: Capabilities = takesAdapters) {
    this.guest = {
      capabilities,
      modify: (request) => this.#modifyGuest(request),
    };
  }

  /** The VM. */
  readonly vm = { modify: (request: Json) => this.#modifyVm(request) };

  /** A world whose namespace has these endpoints. */
  static with(...endpoints: readonly HostEndpoint[]): NetworkWorld {
    const world = new NetworkWorld();
    world.host.add(namespaceId, ...endpoints);
    return world;
  }

  /** True when neither VM nor guest have an adapter. */
  get isEmpty(): boolean {
    return this.vmAdapters.size === 0 && this.guestAdapters.size === 0;
  }

  /** The calls since the last time, with the endpoint where one is named. */
  said(): string[] {
    return this.script.calls.splice(0).map(({ call, argument }) => {
      const { Settings } = argument as Partial<AdapterRequest>;
      const subject = Settings?.EndpointId ??
        (Settings === undefined ? argument : undefined);
      return subject === undefined ? call : `${call} ${subject}`;
    });
  }

  async #modifyVm(request: Json): Promise<void> {
    const { RequestType, ResourcePath, Settings } =
      request as unknown as AdapterRequest;
    await this.script.play(`vm ${RequestType}`, request);
    const id = ResourcePath?.split("/").at(-1) ?? "";
    if (RequestType === "Add") add(this.vmAdapters, id, Settings.EndpointId);
    else if (!this.vmAdapters.delete(id)) {
      throw new HResultError(HResult.ElementNotFound, `Remove adapter ${id}`);
    }
  }

  async #modifyGuest(request: ModifyRequest): Promise<void> {
    const { RequestType, Settings } = request as unknown as AdapterRequest;
    await this.script.play(`guest ${RequestType}`, request);
    const { ID = "", NamespaceID } = Settings;
    if (RequestType === "Add") add(this.guestAdapters, ID, NamespaceID);
    else this.guestAdapters.delete(ID);
  }
}

function add(adapters: Map<string, string>, id: string, what = ""): void {
  if (adapters.has(id)) {
    throw new HResultError(HResult.SystemAlreadyExists, `Add adapter ${id}`);
  }
  adapters.set(id, what);
}

/** A further network of a world's namespace. */
export function networkOf(
  world: NetworkWorld,
  policyBasedRouting = false,
): NetworkController {
  return new NetworkController(world, { namespaceId, policyBasedRouting });
}

/** A network, and the world it is in. */
export interface NetworkScene {
  /** Everything around it. */
  readonly world: NetworkWorld;
  /** The network. */
  readonly network: NetworkController;
}

/**
 * A network that is not set up.
 *
 * @param endpoints How many its namespace has: `e1`, `e2`, …
 */
export function newNetwork(
  endpoints = 1,
  world: NetworkWorld = new NetworkWorld(),
): NetworkScene {
  const ids = Array.from({ length: endpoints }, (_, index) => `e${index + 1}`);
  world.host.add(namespaceId, ...ids.map((id) => fakeEndpoint(id)));
  return { world, network: networkOf(world) };
}

/** A network that is set up; what was said for that is forgotten. */
export async function configuredNetwork(endpoints = 1): Promise<NetworkScene> {
  const scene = newNetwork(endpoints);
  await scene.network.setup();
  scene.world.said();
  return scene;
}
