/**
 * A VM for tests: the agent's host object around a fake runtime, in a folder of
 * its own, without a kernel call that needs rights.
 *
 * @module
 */

import { FakeClock } from "../base/clock.ts";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { nullGuid } from "../base/guid.ts";
import type { JsonObject } from "../base/json.ts";
import { silentLogger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import type { GuestCallContext, GuestHandlers } from "../bridge/handlers.ts";
import {
  ContainerDocument,
  type ContainerNotification,
  ProcessParameters,
} from "../bridge/messages.gen.ts";
import type { LinuxResources } from "../oci/spec.gen.ts";
import type { CgroupTree, MemoryWatch } from "./cgroup/tree.ts";
import { GuestHost } from "./host.ts";
import type { GuestPorts } from "./ports.ts";
import { FakeNetwork } from "./network/fake.ts";
import { NetworkNamespaces } from "./network/namespaces.ts";
import { openDoor } from "./policy/enforcers.ts";
import { type PolicyOptions, VmPolicy } from "./policy/policy.ts";
import { Reaper } from "../ffi/linux/reaper.ts";
import { FakeRuntime } from "./runtime/fake.ts";
import { Confidential } from "./storage/confidential.ts";
import { openStorage } from "./storage/open.ts";
import type { GuestStorage } from "./storage/storage.ts";

/** Control groups in memory. */
export class FakeCgroups implements CgroupTree {
  /** Groups and their limits. */
  readonly groups = new Map<string, LinuxResources>();
  /** Processes of groups. */
  readonly members = new Map<string, number[]>();
  /** The next `create` fails. */
  failure: Error | undefined;

  /** Makes a group. */
  create(path: string, resources: LinuxResources): Promise<void> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) return Promise.reject(failure);
    this.groups.set(path, resources);
    return Promise.resolve();
  }

  /** Removes a group. */
  remove(path: string): Promise<void> {
    this.groups.delete(path);
    return Promise.resolve();
  }

  /** Moves a process. */
  join(path: string, pid: number): Promise<void> {
    this.members.set(path, [...(this.members.get(path) ?? []), pid]);
    return Promise.resolve();
  }

  /** The processes of a group. */
  processes(path: string): Promise<number[]> {
    return Promise.resolve(this.members.get(path) ?? []);
  }

  /** Does nothing. */
  limitMemory(): Promise<void> {
    return Promise.resolve();
  }

  /** Tells nothing, and has ended. */
  watchThreshold(): Promise<MemoryWatch> {
    return Promise.resolve(ReadableStream.from([]));
  }

  /** Tells nothing, and has ended. */
  watchOom(): Promise<MemoryWatch> {
    return Promise.resolve(ReadableStream.from([]));
  }

  /** One process. */
  stats(): ReturnType<CgroupTree["stats"]> {
    return Promise.resolve({ pids: { current: 1n } });
  }
}

/** What a test says about a container. */
export interface FakeContainer {
  /** Its id. */
  readonly id: string;
  /** Annotations of its specification. */
  readonly annotations?: Record<string, string>;
  /** Members of the specification that replace the usual ones. */
  readonly spec?: JsonObject;
  /** Folder of its bundle below the VM's; the id when absent. */
  readonly bundle?: string;
  /** Folder of its writable layer, below the VM's; none when absent. */
  readonly scratch?: string;
}

/** Who decides what the host may ask for; everything is allowed when absent. */
export type FakePolicy = Partial<
  Omit<PolicyOptions, "confidential" | "setLogging">
>;

/** How a VM differs from the usual one. */
export interface FakeVmOptions extends FakePolicy {
  /** Time. */
  readonly clock?: FakeClock;
  /** Its storage. Default: one with neither disks nor programs. */
  readonly storage?: GuestStorage;
  /** Stands in for what the agent uses; the members are those of its ports. */
  readonly around?: (ports: GuestPorts) => GuestPorts;
}

/** A VM in a folder. */
export class FakeVm {
  /** Folder of the bundles. */
  readonly folder: string;
  /** The runtime. */
  readonly runtime = new FakeRuntime();
  /** Control groups. */
  readonly cgroups = new FakeCgroups();
  /** Interfaces. */
  readonly network = new FakeNetwork();
  /** Time. */
  readonly clock: FakeClock;
  /** What the host was told unasked. */
  readonly notifications: ContainerNotification[] = [];
  /** Roots of sandboxes whose shared folders exist. */
  readonly sandboxes = new Set<string>();
  /** The host's ends of the streams that the agent dialled, by port. */
  readonly ports = new Map<number, Duplex>();
  /** Guards the mounts; containers lie in the folder of the VM. */
  readonly confidential: Confidential;
  /** What the host may ask for. */
  readonly policy: VmPolicy;
  /** What the policy said of log lines, the latest last. */
  readonly logging: boolean[] = [];
  /** What the host mounts. */
  readonly storage: GuestStorage;
  /** The agent. */
  readonly host: GuestHost;
  /** Its answers. */
  readonly handlers: GuestHandlers;
  readonly #quit = new AbortController();

  /**
   * @param folder An empty folder, which the caller removes.
   * @param options What is not as usual.
   */
  constructor(folder: string, options: FakeVmOptions = {}) {
    const { clock = new FakeClock(), storage, around, ...decider } = options;
    this.folder = folder;
    this.clock = clock;
    const { runtime, cgroups, sandboxes } = this;
    const log = silentLogger;
    const confidential = this.confidential = new Confidential(folder);
    const policy = this.policy = new VmPolicy({
      initial: openDoor,
      ...decider,
      confidential,
      setLogging: (isAllowed) => void this.logging.push(isAllowed),
    });
    this.storage = storage ?? openStorage({
      ...{ clock, timeouts: defaultTimeouts, log, confidential, policy },
      run: () => Promise.reject(new Error("no programs")),
      dial: () => Promise.reject(new Error("refused")),
    });
    const reaper = new Reaper({ log, orphans: false, reap: runtime.reap });
    runtime.reaper = reaper;
    const ports: GuestPorts = {
      log,
      clock,
      timeouts: defaultTimeouts,
      reaper,
      kill: runtime.kill,
      cgroups,
      env: {},
      policy,
      storage: this.storage,
      networks: new NetworkNamespaces({ kernel: this.network, log }),
      sandboxMounts: {
        make: (root) => Promise.resolve(void sandboxes.add(root)),
        remove: (root) => Promise.resolve(void sandboxes.delete(root)),
      },
      dial: (port) => {
        if (port === 0) return Promise.reject(new Error("refused"));
        const [mine, theirs] = memoryPair();
        this.ports.set(port, theirs);
        return Promise.resolve(mine);
      },
      runtime: () => Promise.resolve(runtime),
      hostname: () => "uvm",
      refreshMemoryLimit: () => Promise.resolve(),
    };
    this.host = new GuestHost(around?.(ports) ?? ports);
    this.host.attach({
      notify: (notification) => this.notifications.push(notification),
      quit: () => this.#quit.abort(),
    });
    this.handlers = this.host.handlers;
  }

  /** True after the host ended the VM. */
  get hasQuit(): boolean {
    return this.#quit.signal.aborted;
  }

  /** What a handler knows of a call. */
  context(containerId: string): GuestCallContext {
    return { containerId, activityId: "", signal: this.#quit.signal };
  }

  /** The base of a request. */
  base(ContainerId: string): { ContainerId: string; ActivityId: string } {
    return { ContainerId, ActivityId: `activity-${ContainerId}` };
  }

  /** Path of a container's bundle. */
  bundle(container: FakeContainer): string {
    return `${this.folder}/${container.bundle ?? container.id}`;
  }

  /** Creates a container. */
  async create(container: FakeContainer): Promise<void> {
    const { id, annotations, spec, scratch } = container;
    const bundle = this.bundle(container);
    const ContainerConfig = ContainerDocument.format({
      SchemaVersion: { Major: 2, Minor: 1 },
      OciBundlePath: bundle,
      ScratchDirPath: scratch === undefined ? "" : `${this.folder}/${scratch}`,
      OciSpecification: {
        ociVersion: "1.1.0",
        process: { user: { uid: 0, gid: 0 }, args: ["init"], cwd: "/" },
        root: { path: `${bundle}/rootfs` },
        linux: { namespaces: [{ type: "pid" }] },
        ...(annotations && { annotations }),
        ...spec,
      },
    });
    const request = { ...this.base(id), ContainerConfig };
    await this.handlers.Create(request, this.context(id));
  }

  /** Starts a process. @returns Its id. */
  async execute(
    id: string,
    parameters: ProcessParameters,
    ports: { StdIn?: number; StdOut?: number; StdErr?: number } = {},
  ): Promise<number> {
    const { ProcessId } = await this.handlers.ExecuteProcess({
      ...this.base(id),
      Settings: {
        ProcessParameters: ProcessParameters.format(parameters),
        VsockStdioRelaySettings: ports,
      },
    }, this.context(id));
    return ProcessId;
  }

  /** Waits for a process. @returns Its exit code. */
  async wait(id: string, pid: number, timeout = 0xffff_ffff): Promise<number> {
    const { ExitCode } = await this.handlers.WaitForProcess({
      ...this.base(id),
      ProcessId: pid,
      TimeoutInMs: timeout,
    }, this.context(id));
    return ExitCode;
  }

  /** Changes the VM. */
  async modify(
    ResourceType: string,
    RequestType: string,
    Settings: JsonObject,
  ): Promise<void> {
    await this.handlers.ModifySettings({
      ...this.base(nullGuid),
      Request: { ResourceType, RequestType, Settings },
    }, this.context(nullGuid));
  }

  /** Makes the VM confidential; everything that no table denies is allowed. */
  async setPolicy(): Promise<void> {
    const settings = {
      EnforcerType: "rego",
      EncodedSecurityPolicy: "cG9saWN5",
    };
    await this.modify("SecurityPolicy", "Add", settings);
  }

  /**
   * Makes the root of a container, as the host does.
   *
   * @param id 64 hexadecimal digits.
   * @returns The container, with the places that a confidential VM demands.
   */
  async confidentialContainer(id: string): Promise<FakeContainer> {
    await Deno.mkdir(`${this.folder}/${id}/rootfs`, { recursive: true });
    return { id, scratch: `${id}/scratch/${id}` };
  }

  /** Forgets a container. */
  async delete(id: string): Promise<void> {
    await this.handlers.DeleteContainerState(this.base(id), this.context(id));
  }

  /** Closes the streams of processes that a test left running. */
  async close(): Promise<void> {
    for (const process of this.runtime.processes.values()) {
      await process.close();
    }
  }
}

/** Runs a test in a VM of its own. */
export async function withFakeVm(
  test: (vm: FakeVm) => Promise<void>,
  options: FakePolicy = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const vm = new FakeVm(folder, options);
  try {
    await test(vm);
  } finally {
    await vm.close();
    await Deno.remove(folder, { recursive: true });
  }
}
