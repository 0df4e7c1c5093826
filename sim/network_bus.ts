/**
 * The network adapters of a running machine: pairs of virtual interfaces, and
 * entries in the machine's `/sys/bus`, where the agent looks for them.
 *
 * One end is in the machine as `ethN`. The other one is in a network namespace
 * that belongs to the machine alone, and has the addresses of the endpoint's
 * gateways: what the computer itself is connected to is not reached.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import { isGuid } from "../base/guid.ts";
import { bitsOf, type IpPrefix, parseIpAddress } from "../base/ip_address.ts";
import { isErrno } from "../ffi/linux/errno.ts";
import { close } from "../ffi/linux/files.ts";
import { NetlinkSocket } from "../ffi/linux/netlink_socket.ts";
import {
  inNetworkNamespace,
  makeNetworkNamespace,
  openNetworkNamespace,
} from "../ffi/linux/network_namespace.ts";
import {
  addressOnLink,
  decodeLink,
  linkPair,
  linkQuery,
  linkRemoval,
  linkState,
} from "../ffi/linux/rtnetlink.ts";
import type { NetworkAdapter } from "../hcs/documents.gen.ts";
import type { HostEndpoint, HostNetwork } from "../hcs/ports.ts";
import { refusal } from "./hresults.ts";

/** Descriptors of the two namespaces between which the pairs are. */
interface Namespaces {
  readonly machine: number;
  readonly outside: number;
}

/** Addresses of an endpoint's gateways, as they are in its subnets. */
function gatewaysOf(endpoint: HostEndpoint): IpPrefix[] {
  const hops = new Set(endpoint.routes.map(({ nextHop }) => nextHop));
  const prefixes: IpPrefix[] = [];
  for (const hop of hops) {
    const address = parseIpAddress(hop);
    if (address === undefined) continue;
    const subnet = endpoint.ipConfigurations.find(({ ipAddress }) =>
      parseIpAddress(ipAddress)?.bytes.length === address.bytes.length
    );
    const length = subnet?.prefixLength ?? bitsOf(address);
    prefixes.push({ address, length });
  }
  return prefixes;
}

/** Reads `00-15-5D-00-00-05`. Undefined when the text is no such address. */
function hardwareOf(text = ""): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.fromHex(text.replaceAll("-", ""));
}

/** The adapters of one machine. Calls come one after another. */
export class NetworkBus {
  readonly #network: Pick<HostNetwork, "endpoint">;
  /** Numbers of the interfaces, by the adapter's GUID in lower case. */
  readonly #adapters = new Map<string, number>();
  #root = "";
  #pid = 0;
  #namespaces: Namespaces | undefined;

  /** @param network Knows the endpoints. */
  constructor(network: Pick<HostNetwork, "endpoint">) {
    this.#network = network;
  }

  /**
   * Adapters are attached afterwards.
   *
   * @param root The machine's root, seen from outside.
   * @param pid A process in the machine's network.
   */
  prepare(root: string, pid: number): void {
    this.#root = root;
    this.#pid = pid;
  }

  /** Made for the first adapter; most machines have none. */
  #open(): Namespaces {
    if (this.#namespaces !== undefined) return this.#namespaces;
    const machine = openNetworkNamespace(this.#pid);
    try {
      this.#namespaces = { machine, outside: makeNetworkNamespace() };
    } catch (error) {
      close(machine);
      throw error;
    }
    return this.#namespaces;
  }

  #device(id: string): string {
    return `${this.#root}/sys/bus/vmbus/devices/${id}`;
  }

  #freeNumber(): number {
    const taken = new Set(this.#adapters.values());
    let number = 0;
    while (taken.has(number)) number++;
    return number;
  }

  /**
   * Attaches an adapter.
   *
   * @param guid Its id.
   * @throws {HResultError} when the id is none or taken, or there is no such
   * endpoint. Nothing is attached then.
   */
  async attach(guid: string, adapter: NetworkAdapter): Promise<void> {
    const id = guid.toLowerCase();
    const what = `Cannot attach network adapter "${guid}"`;
    if (!isGuid(id)) throw refusal("unknownResource", `${what}: it is no GUID`);
    if (this.#adapters.has(id)) {
      throw refusal("slotInUse", `${what}: it is there already`);
    }
    const hardware = hardwareOf(adapter.MacAddress);
    if (hardware === undefined) {
      throw refusal(
        "invalidDocument",
        `$.Settings.MacAddress: "${adapter.MacAddress ?? ""}" is none`,
      );
    }
    const endpoint = await this.#endpoint(adapter.EndpointId ?? "", what);
    const number = this.#freeNumber();
    this.#adapters.set(id, number);
    try {
      this.#connect(number, hardware, gatewaysOf(endpoint));
      // Last: the agent takes its appearance as "ready".
      await Deno.mkdir(`${this.#device(id)}/net/eth${number}`, {
        recursive: true,
      });
    } catch (error) {
      await this.detach(id);
      throw error;
    }
  }

  async #endpoint(id: string, what: string): Promise<HostEndpoint> {
    try {
      return await this.#network.endpoint(id);
    } catch (cause) {
      const message = `${what}: ${messageOf(cause)}`;
      throw refusal("noSuchEndpoint", message, { cause });
    }
  }

  /** Makes the pair of a number. */
  #connect(
    number: number,
    hardware: Uint8Array<ArrayBuffer>,
    gateways: readonly IpPrefix[],
  ): void {
    const { machine, outside } = this.#open();
    using socket = inNetworkNamespace(outside, () => new NetlinkSocket());
    const name = `port${number}`;
    socket.request(linkPair(
      { name, namespace: outside },
      { name: `eth${number}`, namespace: machine, hardware },
    ));
    const { index } = decodeLink(socket.request(linkQuery(name)));
    socket.request(linkState(index, true));
    for (const gateway of gateways) {
      socket.request(addressOnLink(index, gateway));
    }
  }

  /** Takes an adapter away, wherever in the machine its interface is. @throws {HResultError} when there is none. */
  async detach(guid: string): Promise<void> {
    const id = guid.toLowerCase();
    const number = this.#adapters.get(id);
    if (number === undefined) {
      throw refusal("slotEmpty", `There is no network adapter "${guid}"`);
    }
    this.#disconnect(number);
    this.#adapters.delete(id);
    try {
      await Deno.remove(this.#device(id), { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #disconnect(number: number): void {
    if (this.#namespaces === undefined) return;
    const { outside } = this.#namespaces;
    using socket = inNetworkNamespace(outside, () => new NetlinkSocket());
    try {
      const link = socket.request(linkQuery(`port${number}`));
      socket.request(linkRemoval(decodeLink(link).index));
    } catch (error) {
      // The pair ends with the container that has the other end.
      if (!isErrno(error, "ENODEV")) throw error;
    }
  }

  /** Lets go of everything; the kernel removes the pairs. Idempotent. */
  release(): void {
    const namespaces = this.#namespaces;
    this.#namespaces = undefined;
    this.#adapters.clear();
    if (namespaces === undefined) return;
    close(namespaces.machine);
    close(namespaces.outside);
  }
}
