/**
 * What the kernel is asked about links, addresses, routes and rules, as netlink
 * requests. Numbers are those of `linux/rtnetlink.h`, `linux/if_link.h`,
 * `linux/if_addr.h` and `linux/fib_rules.h`.
 *
 * @module
 */

import {
  type IpAddress,
  type IpPrefix,
  isUnspecified,
  prefixText,
} from "../../base/ip_address.ts";
import { ShimError } from "../../base/errors.ts";
import {
  decodeAttributes,
  encodeAttributes,
  type NetlinkAttribute,
  type NetlinkMessage,
  type NetlinkRequest,
  textBytes,
  uint32Bytes,
} from "./netlink.ts";

const newLink = 16;
const deleteLink = 17;
const getLink = 18;
const newAddress = 20;
const newRoute = 24;
const newRule = 32;

/** `NLM_F_EXCL | NLM_F_CREATE`: what is there already is an error. */
const create = 0x600;

const familyIpv4 = 2;
const familyIpv6 = 10;

/** Routing table that is looked at after all rules (`RT_TABLE_MAIN`). */
export const mainTable = 254;

/** A network interface. */
export interface Link {
  /** Its number in its namespace. */
  readonly index: number;
  /** Bytes of its largest packet. */
  readonly mtu: number;
}

/** A route. */
export interface Route {
  /** Index of the link that packets leave by. */
  readonly link: number;
  /** Where to; absent for the default route. */
  readonly destination?: IpPrefix;
  /** Next hop; absent when the destination is on the link. */
  readonly gateway?: IpAddress;
  /** Number of the routing table. */
  readonly table: number;
  /** Lower is preferred; 0 leaves it to the kernel. */
  readonly metric: number;
}

/** A rule that sends packets to a routing table by their source. */
export interface Rule {
  /** Source addresses. */
  readonly source: IpPrefix;
  /** Number of the routing table. */
  readonly table: number;
  /** Rules with lower ones are looked at first. */
  readonly priority: number;
}

function familyOf(address: IpAddress): number {
  return address.bytes.length === 4 ? familyIpv4 : familyIpv6;
}

/** `struct ifinfomsg`. */
function linkHeader(
  index: number,
  flags = 0,
  change = 0,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return header;
}

/** Asks for the link of a name; {@linkcode decodeLink} reads the reply. */
export function linkQuery(name: string): NetlinkRequest {
  return {
    what: `Cannot find network interface "${name}"`,
    type: getLink,
    flags: 0,
    header: linkHeader(0),
    attributes: [[3, textBytes(name)]], // IFLA_IFNAME
  };
}

/**
 * Reads the reply to {@linkcode linkQuery}.
 *
 * @throws {ShimError} DataLoss when it is none.
 */
export function decodeLink(message: NetlinkMessage | undefined): Link {
  const { type, payload } = message ?? { type: 0, payload: new Uint8Array() };
  const mtu = type === newLink && payload.length >= 16
    ? decodeAttributes(payload.subarray(16)).get(4) // IFLA_MTU
    : undefined;
  if (mtu?.length !== 4) {
    throw new ShimError("DataLoss", "Cannot read the reply about a link");
  }
  const read = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
  return { index: read(payload, 4), mtu: read(mtu, 0) };
}

const up = 1; // IFF_UP

/** Switches a link on or off. */
export function linkState(index: number, isUp: boolean): NetlinkRequest {
  return {
    what: `Cannot switch network interface ${index} ${isUp ? "on" : "off"}`,
    type: newLink,
    flags: 0,
    header: linkHeader(index, isUp ? up : 0, up),
    attributes: [],
  };
}

/** Sets the size of a link's largest packet, in bytes. */
export function linkMtu(index: number, mtu: number): NetlinkRequest {
  return {
    what: `Cannot set the MTU of network interface ${index} to ${mtu}`,
    type: newLink,
    flags: 0,
    header: linkHeader(index),
    attributes: [[4, uint32Bytes(mtu)]], // IFLA_MTU
  };
}

/**
 * Moves a link to another network namespace, where it is off and has no address.
 *
 * @param namespace Descriptor of the namespace.
 */
export function linkNamespace(
  index: number,
  namespace: number,
): NetlinkRequest {
  return {
    what: `Cannot move network interface ${index} to another namespace`,
    type: newLink,
    flags: 0,
    header: linkHeader(index),
    attributes: [[28, uint32Bytes(namespace)]], // IFLA_NET_NS_FD
  };
}

/** One end of a pair of virtual interfaces. */
export interface PairEnd {
  /** Its name, at most 15 bytes. */
  readonly name: string;
  /** Descriptor of the network namespace in which it appears. */
  readonly namespace: number;
  /** Its 6 bytes of hardware address; the kernel chooses when absent. */
  readonly hardware?: Uint8Array<ArrayBuffer>;
}

function endAttributes(end: PairEnd): NetlinkAttribute[] {
  return [
    [3, textBytes(end.name)], // IFLA_IFNAME
    [28, uint32Bytes(end.namespace)], // IFLA_NET_NS_FD
    ...(end.hardware ? [[1, end.hardware] as const] : []), // IFLA_ADDRESS
  ];
}

/** Makes a pair of virtual interfaces: what enters one leaves by the other. */
export function linkPair(one: PairEnd, other: PairEnd): NetlinkRequest {
  const peer = encodeAttributes(endAttributes(other));
  const header = linkHeader(0);
  const value = new Uint8Array(header.length + peer.length);
  value.set(header);
  value.set(peer, header.length);
  const info = encodeAttributes([
    [1, new TextEncoder().encode("veth")], // IFLA_INFO_KIND
    [2, encodeAttributes([[1, value]])], // IFLA_INFO_DATA: VETH_INFO_PEER
  ]);
  return {
    what: `Cannot make network interfaces "${one.name}" and "${other.name}"`,
    type: newLink,
    flags: create,
    header,
    attributes: [...endAttributes(one), [18, info]], // IFLA_LINKINFO
  };
}

/** Removes a link; of a pair, both ends. */
export function linkRemoval(index: number): NetlinkRequest {
  return {
    what: `Cannot remove network interface ${index}`,
    type: deleteLink,
    flags: 0,
    header: linkHeader(index),
    attributes: [],
  };
}

const noDuplicateDetection = 2; // IFA_F_NODAD

/**
 * Gives a link an address, host bits included. An IPv6 address can be used at
 * once: whoever gives it vouches that nobody else has it, and the kernel's own
 * search for duplicates would keep it from use for a second or two.
 */
export function addressOnLink(
  link: number,
  prefix: IpPrefix,
): NetlinkRequest {
  const { address, length } = prefix;
  const header = new Uint8Array(8); // struct ifaddrmsg
  const view = new DataView(header.buffer);
  view.setUint8(0, familyOf(address));
  view.setUint8(1, length);
  const isIpv6 = address.bytes.length === 16;
  view.setUint8(2, isIpv6 ? noDuplicateDetection : 0);
  view.setUint32(4, link, true);
  return {
    what: `Cannot add address ${prefixText(prefix)}`,
    type: newAddress,
    flags: create,
    header,
    attributes: [[2, address.bytes], [1, address.bytes]], // IFA_LOCAL, _ADDRESS
  };
}

/** `struct rtmsg` and `struct fib_rule_hdr`, which begin alike. */
function routeHeader(parts: {
  readonly family: number;
  readonly destination?: number;
  readonly source?: number;
  readonly table: number;
  readonly protocol?: number;
  readonly type: number;
}): Uint8Array<ArrayBuffer> {
  const { family, destination = 0, source = 0, table, protocol = 0 } = parts;
  const scope = 0; // RT_SCOPE_UNIVERSE
  return Uint8Array.of(
    ...[family, destination, source, 0],
    ...[table, protocol, scope, parts.type],
    ...[0, 0, 0, 0],
  );
}

function routeText({ destination, gateway }: Route): string {
  const to = destination === undefined ? "default" : prefixText(destination);
  return gateway === undefined ? to : `${to} via ${gateway.text}`;
}

/**
 * Adds a route of scope universe. An unspecified gateway means that the
 * destination is on the link: the kernel reads it so for IPv4 and refuses it for
 * IPv6, therefore it is left out for both.
 *
 * @throws {ShimError} InvalidArgument without destination and gateway.
 */
export function routeOnLink(route: Route): NetlinkRequest {
  const { link, destination, table, metric } = route;
  const address = route.gateway ?? destination?.address;
  if (address === undefined) {
    throw new ShimError("InvalidArgument", "A default route needs a gateway");
  }
  const gateway = route.gateway && !isUnspecified(route.gateway)
    ? route.gateway
    : undefined;
  const bytes: [number, Uint8Array<ArrayBuffer> | undefined][] = [
    [1, destination?.address.bytes], // RTA_DST
    [5, gateway?.bytes], // RTA_GATEWAY
    [4, uint32Bytes(link)], // RTA_OIF
    [6, metric === 0 ? undefined : uint32Bytes(metric)], // RTA_PRIORITY
  ];
  return {
    what: `Cannot add route ${routeText(route)}`,
    type: newRoute,
    flags: create,
    header: routeHeader({
      family: familyOf(address),
      destination: destination?.length ?? 0,
      table,
      protocol: 3, // RTPROT_BOOT, as administrators' routes have
      type: 1, // RTN_UNICAST
    }),
    attributes: bytes.filter((entry): entry is [
      number,
      Uint8Array<
        ArrayBuffer
      >,
    ] => entry[1] !== undefined),
  };
}

/** Adds a rule. */
export function ruleForSource(rule: Rule): NetlinkRequest {
  const { source, table, priority } = rule;
  const attributes: NetlinkAttribute[] = [
    [2, source.address.bytes], // FRA_SRC
    [6, uint32Bytes(priority)], // FRA_PRIORITY
  ];
  return {
    what: `Cannot add rule for source ${prefixText(source)}`,
    type: newRule,
    flags: create,
    header: routeHeader({
      family: familyOf(source.address),
      source: source.length,
      table,
      type: 1, // FR_ACT_TO_TBL
    }),
    attributes,
  };
}
