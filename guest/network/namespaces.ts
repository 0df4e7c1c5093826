/**
 * The network namespaces of this VM (`spec/guest-runtime.md` 13.1).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { isGuid } from "../../base/guid.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { Logger } from "../../base/log.ts";
import { limits } from "../../base/timeouts.ts";
import type { NetworkAdapter } from "../../bridge/messages.gen.ts";
import { type Dns, mergeDns, requireDns } from "./dns.ts";
import { NetworkNamespace } from "./namespace.ts";
import type { NetworkKernel } from "./stack.ts";
import { networkSteps } from "./steps.ts";

/** An adapter's membership, from its `Add` to its `Remove`. */
interface Claim {
  readonly namespace: NetworkNamespace;
}

/** Namespaces by id, in either case. */
export class NetworkNamespaces {
  readonly #kernel: NetworkKernel;
  readonly #log: Logger;
  readonly #namespaces = new Map<string, NetworkNamespace>();
  /** Who has which adapter: the host gives each to one namespace only. */
  readonly #claims = new Map<string, Claim>();

  /** @param options The network of the VM, and the log. */
  constructor(
    options: { readonly kernel: NetworkKernel; readonly log: Logger },
  ) {
    this.#kernel = options.kernel;
    this.#log = options.log;
  }

  /** The network of the VM. */
  get kernel(): NetworkKernel {
    return this.#kernel;
  }

  /** All of them, for a dump. */
  get all(): readonly NetworkNamespace[] {
    return [...this.#namespaces.values()];
  }

  /** Name servers and search domains of the adapters in the VM's own network. */
  get dnsOfVm(): Dns {
    const { vm } = this.#kernel;
    return mergeDns(this.all.flatMap((namespace) => namespace.settingsIn(vm)));
  }

  /** A namespace, or undefined. */
  find(id: string): NetworkNamespace | undefined {
    return this.#namespaces.get(id.toLowerCase());
  }

  /**
   * A namespace.
   *
   * @throws {HResultError} ElementNotFound.
   */
  get(id: string): NetworkNamespace {
    const namespace = this.find(id);
    if (namespace !== undefined) return namespace;
    throw new HResultError(
      HResult.ElementNotFound,
      `Network namespace '${id.toLowerCase()}' not found: the host adds its ` +
        "adapters before the container",
    );
  }

  /**
   * A namespace, which is made when there is none.
   *
   * @throws {ShimError} ResourceExhausted.
   */
  getOrAdd(id: string): NetworkNamespace {
    const found = this.find(id);
    if (found !== undefined) return found;
    if (this.#namespaces.size >= limits.networkNamespaces) {
      throw new ShimError(
        "ResourceExhausted",
        `Cannot add network namespace '${id}': the VM has ` +
          `${limits.networkNamespaces} already`,
      );
    }
    const key = id.toLowerCase();
    const made = new NetworkNamespace({
      id: key,
      kernel: this.#kernel,
      log: this.#log,
    });
    this.#namespaces.set(key, made);
    return made;
  }

  /**
   * Forgets a namespace. A missing one is a success.
   *
   * @throws {ShimError} FailedPrecondition while it has adapters.
   */
  remove(id: string): void {
    const namespace = this.find(id);
    if (namespace === undefined) return;
    if (namespace.size > 0) {
      throw new ShimError(
        "FailedPrecondition",
        `Cannot remove network namespace '${namespace.id}': it contains ` +
          `adapters (${namespace.size}); remove them first`,
      );
    }
    this.#namespaces.delete(namespace.id);
  }

  /**
   * Adds an adapter to its namespace. The namespace is made first and stays
   * when no interface appears: a sandbox is then created without one.
   *
   * @param signal Ends the wait for the interface.
   * @throws {ShimError} InvalidArgument for settings that cannot be right,
   * AlreadyExists, ResourceExhausted (nothing is changed then); see
   * {@linkcode NetworkNamespace.add}.
   */
  async addAdapter(
    settings: NetworkAdapter,
    signal: AbortSignal,
  ): Promise<void> {
    const { ID = "", NamespaceID = "" } = settings;
    const id = this.#kernel.requireId(ID);
    if (NamespaceID !== "" && !isGuid(NamespaceID)) {
      throw new ShimError(
        "InvalidArgument",
        `Cannot add network adapter ${id}: its NamespaceID ` +
          `${JSON.stringify(NamespaceID.slice(0, 100))} must be a GUID`,
      );
    }
    requireDns(settings);
    networkSteps(settings, settings.EnableLowMetric ?? false);
    const other = this.#claims.get(id);
    if (other !== undefined) {
      throw new ShimError(
        "AlreadyExists",
        `Cannot add network adapter ${id}: network namespace ` +
          `'${other.namespace.id}' has it; remove it there first`,
      );
    }
    if (this.#claims.size >= limits.adapters) {
      throw new ShimError(
        "ResourceExhausted",
        `Cannot add network adapter ${id}: the VM has ${limits.adapters} ` +
          "already",
      );
    }
    const namespace = this.getOrAdd(NamespaceID);
    namespace.isAbandoned = false;
    const claim = { namespace };
    this.#claims.set(id, claim);
    try {
      await namespace.add(id, settings, signal);
    } catch (error) {
      // A later call may have removed it and added it again.
      if (this.#claims.get(id) === claim) this.#claims.delete(id);
      throw error;
    }
  }

  /**
   * Removes an adapter. A missing one, or a missing namespace, is a success.
   *
   * @param settings Only `NamespaceID` and `ID` are looked at.
   */
  removeAdapter(settings: NetworkAdapter): void {
    const { ID = "", NamespaceID = "" } = settings;
    const id = ID.toLowerCase();
    const namespace = this.find(NamespaceID);
    if (namespace === undefined) {
      this.#log.warn("Network adapter of an unknown namespace removed", {
        adapter: id.slice(0, 100),
        networkNamespace: NamespaceID.slice(0, 100),
      });
      return;
    }
    if (!namespace.remove(id)) return;
    this.#claims.delete(id);
    if (namespace.isAbandoned) this.#removeIfEmpty(namespace);
  }

  /**
   * Ends the use of a namespace by a container. Without adapters it is
   * forgotten, else it goes with the last of them.
   *
   * QUIRK: the peer removes the namespace that has the id of the container, which
   * is none, so that namespaces and their process ids stay as long as the VM.
   */
  async leave(id: string, owner: string): Promise<void> {
    const namespace = this.find(id);
    if (namespace === undefined) return;
    await namespace.release(owner);
    if (namespace.owner !== undefined) return; // another container has it
    namespace.isAbandoned = true;
    this.#removeIfEmpty(namespace);
  }

  #removeIfEmpty(namespace: NetworkNamespace): void {
    if (namespace.size === 0) this.#namespaces.delete(namespace.id);
  }
}
