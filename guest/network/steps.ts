/**
 * What is done with the network interface of an adapter, in which order
 * (`spec/guest-runtime.md` 13.5). Decisions only: nothing is changed here.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  bitsOf,
  type IpAddress,
  type IpPrefix,
  isUnspecified,
  parseIpAddress,
  parseIpPrefix,
  prefixText,
} from "../../base/ip_address.ts";
import { limits } from "../../base/timeouts.ts";
import type {
  IPConfig,
  NetworkAdapter,
  Route,
} from "../../bridge/messages.gen.ts";
import { mainTable } from "../../ffi/linux/rtnetlink.ts";

/** One change of an interface. */
export type NetworkStep =
  /** Its largest packet becomes smaller by this many bytes. */
  | { readonly kind: "mtu"; readonly overhead: number }
  /** A DHCP client finds out everything else. */
  | { readonly kind: "dhcp" }
  /** It is switched on. */
  | { readonly kind: "up" }
  /** It gets an address. */
  | { readonly kind: "address"; readonly prefix: IpPrefix }
  /** Packets from an address use the adapter's own routing table. */
  | { readonly kind: "rule"; readonly source: IpPrefix }
  /** Packets leave by it; without a destination it is the default route. */
  | {
    readonly kind: "route";
    readonly destination?: IpPrefix;
    readonly gateway?: IpAddress;
    readonly table: number;
    readonly metric: number;
  };

/** Routing table of adapters with a low metric (hcsshim). */
export const lowMetricTable = 101;
/** Priority of the rules that lead to it (hcsshim). */
export const rulePriority = 5;
/** Metric of its routes that have none (hcsshim). */
const lowMetric = 500;

const defaultRoutes = ["0.0.0.0/0", "::/0"];

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function invalid(what: string, reason: string): ShimError {
  return new ShimError("InvalidArgument", `Invalid ${what}: ${reason}`);
}

function parseAddress(config: IPConfig): IpPrefix {
  const { IPAddress = "", PrefixLength: length = 0 } = config;
  const what = `IP address ${quoted(IPAddress)}`;
  const address = parseIpAddress(IPAddress);
  if (address === undefined || isUnspecified(address)) {
    throw invalid(what, "use an IPv4 or IPv6 address of one interface");
  }
  if (length > bitsOf(address)) {
    throw invalid(what, `PrefixLength ${length} exceeds ${bitsOf(address)}`);
  }
  return { address, length };
}

interface Destination {
  readonly destination?: IpPrefix;
  readonly gateway?: IpAddress;
}

/** @returns Undefined for a route that says nothing and is skipped. */
function parseRoute(route: Route): Destination | undefined {
  const { DestinationPrefix = "", NextHop = "" } = route;
  const what = `route destination ${quoted(DestinationPrefix)}`;
  const destination = parseIpPrefix(DestinationPrefix);
  if (destination === undefined) {
    throw invalid(what, "use an address and a prefix length, as 10.0.0.0/8");
  }
  const gateway = parseIpAddress(NextHop); // what is none means: no gateway
  if (
    gateway && gateway.bytes.length !== destination.address.bytes.length
  ) {
    throw invalid(what, `next hop ${NextHop} is of the other IP version`);
  }
  if (!defaultRoutes.includes(DestinationPrefix)) {
    return gateway === undefined ? { destination } : { destination, gateway };
  }
  if (gateway === undefined) {
    throw invalid(
      what,
      `a default route needs a next hop, not ${quoted(NextHop)}`,
    );
  }
  return isUnspecified(gateway) ? undefined : { gateway };
}

function requireCount(what: string, count: number, most: number): void {
  if (count > most) throw invalid(what, `${count}, at most ${most} possible`);
}

/** @throws {ShimError} InvalidArgument when a text is there twice. */
function requireUnique(what: string, texts: readonly string[]): void {
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) throw invalid(`${what} ${text}`, "it is there twice");
    seen.add(text);
  }
}

/** @param isLowMetric The adapter has a routing table of its own. */
function routeSteps(
  routes: readonly Route[],
  isLowMetric: boolean,
): NetworkStep[] {
  const table = isLowMetric ? lowMetricTable : mainTable;
  const steps: Extract<NetworkStep, { kind: "route" }>[] = [];
  for (const route of routes) {
    const parsed = parseRoute(route);
    if (parsed === undefined) continue;
    const metric = route.Metric || (isLowMetric ? lowMetric : 0);
    steps.push({ kind: "route", ...parsed, table, metric });
  }
  const texts = steps.map(({ destination, gateway, metric }) =>
    `${destination ? prefixText(destination) : "default"} via ` +
    `${gateway?.text ?? "the link"} metric ${metric}`
  );
  requireUnique("route", texts);
  return steps;
}

/**
 * What an adapter's settings ask for, in order.
 *
 * @param adapter The settings.
 * @param isLowMetric The adapter gets a routing table of its own, and rules that
 * lead there.
 * @throws {ShimError} InvalidArgument naming what is wrong.
 */
export function networkSteps(
  adapter: NetworkAdapter,
  isLowMetric: boolean,
): NetworkStep[] {
  const { EncapOverhead: overhead = 0, IPConfigs = [], Routes = [] } = adapter;
  requireCount("IPConfigs", IPConfigs.length, limits.addresses);
  requireCount("Routes", Routes.length, limits.routes);
  const addresses = IPConfigs.map(parseAddress);
  requireUnique("IP address", addresses.map(({ address }) => address.text));
  const routes = routeSteps(Routes, isLowMetric);
  const steps: NetworkStep[] = [];
  if (overhead !== 0) steps.push({ kind: "mtu", overhead });
  if (addresses.length === 0) return [...steps, { kind: "dhcp" }];
  steps.push({ kind: "up" });
  for (const prefix of addresses) {
    steps.push({ kind: "address", prefix });
    if (!isLowMetric) continue;
    const { address } = prefix;
    const source = { address, length: bitsOf(address) };
    steps.push({ kind: "rule", source });
  }
  return [...steps, ...routes];
}
