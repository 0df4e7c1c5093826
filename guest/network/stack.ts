/**
 * The network stacks of the kernel as the agent uses them, and an adapter's
 * steps done in one of them.
 *
 * @module
 */

import { messageOf, ShimError } from "../../base/errors.ts";
import { bitsOf, type IpPrefix } from "../../base/ip_address.ts";
import { isErrno } from "../../ffi/linux/errno.ts";
import type { Link, Route, Rule } from "../../ffi/linux/rtnetlink.ts";
import type { AdapterId } from "./interface_name.ts";
import { lowMetricTable, type NetworkStep, rulePriority } from "./steps.ts";

/** An open network stack. Its calls end at once; they throw what the kernel says. */
export interface NetworkStack extends Disposable {
  /** The interface of a name. */
  link(name: string): Link;
  /** Switches an interface on or off. */
  setUp(link: number, isUp: boolean): void;
  /** Sets the largest packet of an interface, in bytes. */
  setMtu(link: number, mtu: number): void;
  /** Moves an interface to another place, where it is off and has no address. */
  move(link: number, to: NetworkPlace): void;
  /** Gives an interface an address. */
  addAddress(link: number, prefix: IpPrefix): void;
  /** Adds a route. */
  addRoute(route: Route): void;
  /** Adds a rule. */
  addRule(rule: Rule): void;
}

/** A network namespace that is held: it lives until it is released. */
export interface NetworkPlace {
  /** Opens its stack; the caller disposes of it. */
  open(): NetworkStack;
  /** Runs a DHCP client for an interface; bounded. */
  dhcp(name: string, signal: AbortSignal): Promise<void>;
  /** Lets go of it. Idempotent. */
  release(): void;
}

/** What the kernel and the host of the VM give. */
export interface NetworkKernel {
  /** The network namespace of the VM, held as long as the agent runs. */
  readonly vm: NetworkPlace;
  /** Holds the network namespace of a process; the caller releases it. */
  hold(pid: number): NetworkPlace;
  /** Checks the id of an adapter. @returns It in lower case. */
  requireId(id: string): string;
  /** Waits, bounded, for the interface of an adapter. @returns Its name. */
  find(adapter: AdapterId, signal: AbortSignal): Promise<string>;
}

/** IPv4 packets of this size pass every link; the kernel takes none below. */
const minMtu = 68;

function reducedMtu({ mtu }: Link, name: string, overhead: number): number {
  const reduced = mtu - overhead;
  if (reduced >= minMtu) return reduced;
  throw new ShimError(
    "InvalidArgument",
    `Invalid EncapOverhead ${overhead}: the MTU of network interface ` +
      `"${name}" is ${mtu}, and ${minMtu} must be left`,
  );
}

/** A rule that an earlier adapter of this address left serves this one too. */
function addRule(stack: NetworkStack, source: IpPrefix): void {
  try {
    stack.addRule({ source, table: lowMetricTable, priority: rulePriority });
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
}

/**
 * Adds a route; when its gateway lies outside of all subnets, the way to the
 * gateway is added first and the route tried once more.
 *
 * For IPv4 Linux answers "network is unreachable" and takes the gateway as an
 * address of the interface. For IPv6 it answers "no route to host", and a
 * gateway must not be an own address: there the way is a route to the gateway on
 * the link. The peer knows the first answer only, so that such IPv6 gateways
 * fail with it.
 */
function addRoute(stack: NetworkStack, route: Route): void {
  try {
    stack.addRoute(route);
  } catch (error) {
    if (isErrno(error, "EEXIST")) {
      throw new ShimError(
        "AlreadyExists",
        `${messageOf(error)}: another adapter has such a route; give one of ` +
          "them a metric, or use policy based routing",
        { cause: error },
      );
    }
    const { link, gateway, table, metric } = route;
    if (gateway === undefined) throw error;
    const prefix = { address: gateway, length: bitsOf(gateway) };
    if (isErrno(error, "ENETUNREACH")) stack.addAddress(link, prefix);
    else if (isErrno(error, "EHOSTUNREACH")) {
      stack.addRoute({ link, destination: prefix, table, metric });
    } else throw error;
    stack.addRoute(route);
  }
}

/**
 * Does the steps of an adapter with its interface. The first failure ends it;
 * what was done before stays.
 *
 * @param place Where the interface is.
 * @param name Name of the interface there.
 * @param steps What is done, in order.
 * @param signal Ends a wait for DHCP.
 * @throws {ShimError} What the kernel refused.
 */
export async function takeSteps(
  place: NetworkPlace,
  name: string,
  steps: readonly NetworkStep[],
  signal: AbortSignal,
): Promise<void> {
  using stack = place.open();
  const link = stack.link(name);
  const { index } = link;
  for (const step of steps) {
    switch (step.kind) {
      case "mtu":
        stack.setMtu(index, reducedMtu(link, name, step.overhead));
        break;
      case "dhcp":
        await place.dhcp(name, signal);
        break;
      case "up":
        stack.setUp(index, true);
        break;
      case "address":
        stack.addAddress(index, step.prefix);
        break;
      case "rule":
        addRule(stack, step.source);
        break;
      case "route": {
        const { kind: _, ...route } = step;
        addRoute(stack, { link: index, ...route });
        break;
      }
    }
  }
}
