/**
 * The network of the kernel that the agent runs on.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import type { IpPrefix } from "../../base/ip_address.ts";
import { close } from "../../ffi/linux/files.ts";
import { NetlinkSocket } from "../../ffi/linux/netlink_socket.ts";
import {
  inNetworkNamespace,
  openNetworkNamespace,
} from "../../ffi/linux/network_namespace.ts";
import {
  addressOnLink,
  decodeLink,
  type Link,
  linkMtu,
  linkNamespace,
  linkQuery,
  linkState,
  type Route,
  routeOnLink,
  type Rule,
  ruleForSource,
} from "../../ffi/linux/rtnetlink.ts";
import type { RunProgram } from "../program.ts";
import type { AdapterId, NetworkInterfaces } from "./interface_name.ts";
import type { NetworkKernel, NetworkPlace, NetworkStack } from "./stack.ts";

/** What the network of the kernel is used with. */
export interface KernelNetworkOptions {
  /** Runs the DHCP client. */
  readonly run: RunProgram;
  /** Milliseconds that a DHCP client may take. */
  readonly dhcpLimit: number;
  /** Finds interfaces. */
  readonly interfaces: NetworkInterfaces;
}

/** The script that busybox' client calls, a part of the VM's root file system. */
const dhcpScript = "/sbin/udhcpc_config.script";

class KernelStack implements NetworkStack {
  readonly #socket: NetlinkSocket;

  /** @param socket Opened in the namespace; closed with the stack. */
  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  link(name: string): Link {
    return decodeLink(this.#socket.request(linkQuery(name)));
  }

  setUp(link: number, isUp: boolean): void {
    this.#socket.request(linkState(link, isUp));
  }

  setMtu(link: number, mtu: number): void {
    this.#socket.request(linkMtu(link, mtu));
  }

  move(link: number, to: NetworkPlace): void {
    if (!(to instanceof KernelPlace)) throw new TypeError("Not of this kernel");
    this.#socket.request(linkNamespace(link, to.namespace));
  }

  addAddress(link: number, prefix: IpPrefix): void {
    this.#socket.request(addressOnLink(link, prefix));
  }

  addRoute(route: Route): void {
    this.#socket.request(routeOnLink(route));
  }

  addRule(rule: Rule): void {
    this.#socket.request(ruleForSource(rule));
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

class KernelPlace implements NetworkPlace {
  readonly #options: KernelNetworkOptions;
  #namespace: number | undefined;

  /** @param pid Whose namespace is held; this thread's when absent. */
  constructor(options: KernelNetworkOptions, pid?: number) {
    this.#options = options;
    this.#namespace = openNetworkNamespace(pid);
  }

  /** Descriptor of the namespace. @throws {ShimError} After the release. */
  get namespace(): number {
    if (this.#namespace !== undefined) return this.#namespace;
    throw new ShimError(
      "FailedPrecondition",
      "Cannot use a network namespace that has been released",
    );
  }

  /** Equal for two descriptors of one namespace. */
  get identity(): string {
    return Deno.readLinkSync(`/proc/self/fd/${this.namespace}`);
  }

  open(): NetworkStack {
    const socket = inNetworkNamespace(
      this.namespace,
      () => new NetlinkSocket(),
    );
    return new KernelStack(socket);
  }

  /** QUIRK: the peer's client may run for ever; here it is killed in the end. */
  async dhcp(name: string, signal: AbortSignal): Promise<void> {
    const { run, dhcpLimit } = this.#options;
    try {
      await run("udhcpc", ["-q", "-i", name, "-s", dhcpScript], {
        signal,
        timeout: dhcpLimit,
        within: (start) => inNetworkNamespace(this.namespace, start),
      });
    } catch (error) {
      if (signal.aborted || error instanceof ShimError) throw error;
      throw new ShimError(
        "DeadlineExceeded",
        `Cannot configure network interface "${name}": no answer to DHCP ` +
          `within ${dhcpLimit} ms; give the adapter IPConfigs or a DHCP server`,
        { cause: error },
      );
    }
  }

  release(): void {
    if (this.#namespace !== undefined) close(this.#namespace);
    this.#namespace = undefined;
  }
}

/**
 * The network of the kernel. Every operation names its namespace by a descriptor
 * and goes through a socket that was opened in it
 * ({@linkcode inNetworkNamespace}).
 */
export class KernelNetwork implements NetworkKernel {
  readonly #vm: KernelPlace;
  readonly #options: KernelNetworkOptions;

  /** @throws {ErrnoError} When the kernel refuses. */
  constructor(options: KernelNetworkOptions) {
    this.#options = options;
    this.#vm = new KernelPlace(options);
  }

  /** The VM's own namespace; whoever made this object releases it. */
  get vm(): NetworkPlace {
    return this.#vm;
  }

  /**
   * Holds the namespace of a process; for a process without one of its own that
   * is the place of the VM, from which nothing is moved.
   *
   * @throws {ErrnoError} ENOENT.
   */
  hold(pid: number): NetworkPlace {
    const place = new KernelPlace(this.#options, pid);
    if (place.identity !== this.#vm.identity) return place;
    place.release();
    return this.#vm;
  }

  /** @throws {ShimError} InvalidArgument. */
  requireId(id: string): string {
    return this.#options.interfaces.requireId(id);
  }

  /** See {@linkcode NetworkInterfaces.find}. */
  find(adapter: AdapterId, signal: AbortSignal): Promise<string> {
    return this.#options.interfaces.find(adapter, signal);
  }
}
