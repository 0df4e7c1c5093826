/**
 * A network for tests: interfaces in memory, and a list of what was done with
 * them. Names, indices and places are in the texts of the list.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { type IpPrefix, prefixText } from "../../base/ip_address.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import {
  type Link,
  mainTable,
  type Route,
  type Rule,
} from "../../ffi/linux/rtnetlink.ts";
import type { AdapterId } from "./interface_name.ts";
import type { NetworkKernel, NetworkPlace, NetworkStack } from "./stack.ts";

/** MTU of all interfaces, in bytes. */
const mtu = 1500;

function routeText({ destination, gateway, ...route }: Route): string {
  const table = route.table === mainTable ? "main" : `${route.table}`;
  return [
    `route ${destination ? prefixText(destination) : "default"}`,
    ...(gateway ? [`via ${gateway.text}`] : []),
    `link ${route.link} table ${table} metric ${route.metric}`,
  ].join(" ");
}

/** A network namespace. */
export class FakePlace implements NetworkPlace {
  /** `vm`, or the process id of its container. */
  readonly name: string;
  /** Index of its interfaces, by name. */
  readonly links = new Map<string, number>();
  /** False after its release. */
  isHeld = true;
  /** How many of its stacks are open. */
  stacks = 0;
  readonly #network: FakeNetwork;

  /** @param network Records its changes. */
  constructor(network: FakeNetwork, name: string) {
    this.#network = network;
    this.name = name;
  }

  /** Opens its stack. */
  open(): NetworkStack {
    this.stacks++;
    const change = (text: string): void => this.#network.change(this, text);
    const nameOf = (index: number): string => {
      for (const [name, at] of this.links) if (at === index) return name;
      throw new ErrnoError(19, `Cannot find network interface ${index}`);
    };
    return {
      link: (name): Link => {
        const index = this.links.get(name);
        if (index !== undefined) return { index, mtu };
        throw new ErrnoError(19, `Cannot find network interface "${name}"`);
      },
      setUp: (link, isUp) => change(`${isUp ? "up" : "down"} ${nameOf(link)}`),
      setMtu: (link, size) => change(`mtu ${size} ${nameOf(link)}`),
      move: (link, to) => {
        const name = nameOf(link);
        const target = to as FakePlace;
        change(`move ${name} to ${target.name}`);
        this.links.delete(name);
        target.links.set(name, this.#network.nextIndex());
      },
      addAddress: (link, prefix: IpPrefix) =>
        change(`address ${prefixText(prefix)} link ${link}`),
      addRoute: (route) => change(routeText(route)),
      addRule: ({ source, table, priority }: Rule) =>
        change(
          `rule from ${prefixText(source)} table ${table} priority ${priority}`,
        ),
      [Symbol.dispose]: () => void this.stacks--,
    };
  }

  /** Records that a client runs, and waits for what the test says. */
  async dhcp(name: string, signal: AbortSignal): Promise<void> {
    this.#network.change(this, `dhcp ${name}`);
    await this.#network.dhcp(signal);
  }

  /** Lets go; its interfaces return to the VM, as those of devices do. */
  release(): void {
    this.isHeld = false;
    for (const name of this.links.keys()) {
      this.#network.vm.links.set(name, this.#network.nextIndex());
    }
    this.links.clear();
  }
}

/** The network of a VM. */
export class FakeNetwork implements NetworkKernel {
  /** The VM's own namespace. */
  readonly vm: FakePlace = new FakePlace(this, "vm");
  /** What was done, in order: `<place>: <change>`. */
  readonly changes: string[] = [];
  /** Namespaces of containers, by process id. */
  readonly places = new Map<number, FakePlace>();
  /** Error numbers of changes that fail, once each, by their texts. */
  readonly failures: [text: string, errno: number][] = [];
  /** What a DHCP client does. */
  dhcp: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  readonly #names = new Map<string, string>();
  readonly #waiting = new Set<{ readonly id: string; wake: () => void }>();
  #index = 1;

  /** How many adapters are waited for. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** An index that no interface has. */
  nextIndex(): number {
    return ++this.#index;
  }

  /** Records a change. @throws {ErrnoError} When it is to fail. */
  change(place: FakePlace, change: string): void {
    const text = `${place.name}: ${change}`;
    this.changes.push(text);
    const at = this.failures.findIndex(([what]) => what === text);
    if (at === -1) return;
    const [[, errno]] = this.failures.splice(at, 1) as [[string, number]];
    throw new ErrnoError(errno, `Cannot do "${change}"`);
  }

  /** The host adds an adapter to the VM. */
  plug(id: string, name: string): void {
    this.#names.set(id, name);
    this.vm.links.set(name, this.nextIndex());
    for (const wait of this.#waiting) if (wait.id === id) wait.wake();
  }

  /** Takes and clears the list of changes. */
  take(): string[] {
    return this.changes.splice(0);
  }

  /** Holds the namespace of a process. */
  hold(pid: number): NetworkPlace {
    const place = new FakePlace(this, `${pid}`);
    this.places.set(pid, place);
    return place;
  }

  /** Takes every id of 36 characters. */
  requireId(id: string): string {
    if (id.length === 36) return id.toLowerCase();
    throw new ShimError("InvalidArgument", `"${id}" must be a GUID`);
  }

  /** Waits until the interface is in the VM. */
  async find({ id }: AdapterId, signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted();
      const name = this.#names.get(id);
      if (name !== undefined && this.vm.links.has(name)) return name;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = (): void => reject(signal.reason);
      const wait = { id, wake: resolve };
      this.#waiting.add(wait);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(wait);
      }
    }
  }
}
