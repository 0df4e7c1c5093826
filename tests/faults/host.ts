/**
 * A host in memory whose calls fail when the fault says so.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { Json } from "../../base/json.ts";
import { bridgePort } from "../../bridge/places.ts";
import {
  fakeEndpoint,
  NetworkWorld,
} from "../../controllers/network/testing.ts";
import { DeviceWorld } from "../../controllers/testing/device_world.ts";
import { fakeRuntimeId } from "../../controllers/testing/fake_compute.ts";
import { FakeFiles } from "../../controllers/testing/fake_files.ts";
import { FakeSockets } from "../../controllers/testing/fake_sockets.ts";
import type {
  ComputeHost,
  ComputeSystem,
  ExitInfo,
  GuestSockets,
  HostFiles,
  HostNetwork,
  Platform,
  WindowsHost,
} from "../../hcs/ports.ts";
import { FakePlatform } from "../../shim/fake_platform.ts";
import type { Callee, Faults, Played } from "./fault.ts";
import { MemoryGuest } from "./guest.ts";

/** GUID of the network namespace of the pod. */
export const namespaceId = "a0000000-0000-1000-8000-0000000000a1";

/** What a change of a VM is about. */
interface Change {
  readonly RequestType?: string;
  readonly ResourcePath?: string;
}

/** A VM, with everything in it. */
class MemorySystem implements ComputeSystem {
  readonly id: string;
  readonly runtimeId = fakeRuntimeId;
  readonly exited: Promise<ExitInfo>;
  readonly guest: MemoryGuest;
  readonly devices = new DeviceWorld();
  readonly adapters = new NetworkWorld();
  isClosed = false;
  hasExited = false;
  readonly #host: MemoryHost;
  readonly #exited = Promise.withResolvers<ExitInfo>();

  constructor(host: MemoryHost, id: string) {
    this.#host = host;
    this.id = id;
    this.exited = this.#exited.promise;
    this.guest = new MemoryGuest({
      clock: host.clock,
      faults: host.faults,
      effects: host,
      devices: this.devices,
      network: this.adapters,
      dial: (port) => host.sockets.dial(port),
    });
  }

  #play<T>(
    name: string,
    run: () => T | Promise<T>,
    options: Partial<Played<T>> = {},
  ): Promise<T> {
    return this.#host.play("host", name, run, options);
  }

  start(signal?: AbortSignal): Promise<void> {
    // The guest dials while the service still reports the start.
    const boot = (): void => {
      this.guest.boot().catch(() => {}); // the host has given up
    };
    return this.#play("start", boot, { signal });
  }

  modify(request: Json): Promise<void> {
    const { RequestType = "", ResourcePath = "" } = request as Change;
    const isRelease = RequestType === "Remove";
    const isAdapter = ResourcePath.includes("/NetworkAdapters/");
    const isDevice = ResourcePath.includes("/Devices/");
    return this.#play(`${RequestType} ${ResourcePath}`, () => {
      if (this.hasExited) {
        throw new HResultError(HResult.SystemAlreadyStopped, "modify");
      }
      if (!this.#host.hasBridge) this.devices.loseGuest();
      if (isAdapter) return this.adapters.vm.modify(request);
      return isDevice ? this.devices.vm.modify(request) : undefined;
    }, { isRelease });
  }

  properties(): Promise<Json> {
    return this.#play("properties", () => ({}));
  }

  terminate(): Promise<void> {
    return this.#play("terminate", () => this.exit("ForcedExit"), {
      isRelease: true,
    });
  }

  close(): Promise<void> {
    return this.#play("close", () => {
      this.isClosed = true;
      this.exit("ForcedExit");
    }, { isRelease: true });
  }

  exit(exitType: ExitInfo["exitType"]): void {
    if (this.hasExited) return;
    this.hasExited = true;
    void this.guest.die();
    const status = exitType === "UnexpectedExit" ? HResult.UnexpectedExit : 0;
    this.#exited.resolve({ status, exitType });
  }

  /** What it holds; nothing when it has ended. */
  get held(): string[] {
    if (this.hasExited) return [];
    return [
      ...this.guest.held,
      ...this.devices.attached.keys(),
      ...this.devices.places.keys(),
      ...this.adapters.vmAdapters.keys(),
      ...this.adapters.guestAdapters.keys(),
    ];
  }
}

/** See the module. */
export class MemoryHost {
  /** Source of time. */
  readonly clock: Clock;
  /** Which call fails. */
  readonly faults: Faults;
  /** Where guests dial. */
  readonly sockets = new FakeSockets();
  /** Streams that are open on this side, by name. */
  readonly open = new Set<string>();
  /** VMs in the order of their creation. */
  readonly systems: MemorySystem[] = [];
  readonly #files = new FakeFiles();
  readonly #network = new NetworkWorld();
  #streams = 0;

  /**
   * @param clock Source of time.
   * @param faults Which call fails.
   */
  constructor(clock: Clock, faults: Faults) {
    this.clock = clock;
    this.faults = faults;
    this.#network.host.add(
      namespaceId,
      fakeEndpoint("e1"),
      fakeEndpoint("e2", { name: "eth0" }),
    );
    const { stat } = this.#files;
    this.#files.stat = async (path) =>
      path.endsWith("/") ? "directory" : await stat.call(this.#files, path);
  }

  /** The VM of now. */
  get system(): MemorySystem | undefined {
    return this.systems.at(-1);
  }

  /** True while neither side has closed the bridge. */
  get hasBridge(): boolean {
    const isOpen = [...this.open].some((name) =>
      name.startsWith(`port ${bridgePort} `)
    );
    return isOpen && this.system!.guest.hasBridge;
  }

  /** True while a VM runs or is being started. */
  get hasVm(): boolean {
    return this.system !== undefined && !this.system.hasExited;
  }

  /** The guest closes its bridge. */
  async closeBridge(): Promise<void> {
    await this.system?.guest.closeBridge();
  }

  /** The VM ends by itself. */
  exit(): void {
    this.system?.exit("UnexpectedExit");
  }

  /** What VMs, guests and this side hold, and what no real VM would have done. */
  get held(): string[] {
    return [
      ...this.open,
      ...this.sockets.ports.map((port) => `listener ${port}`),
      ...this.systems.flatMap((system) => system.held),
      ...this.systems.flatMap(({ devices }) => devices.objections),
      ...this.systems.filter(({ isClosed }) => !isClosed)
        .map(({ id }) => `handle of ${id}`),
    ];
  }

  /** Drops what the fakes have recorded. */
  forget(): void {
    this.faults.calls.length = 0;
    this.sockets.accepted.length = 0;
    const { script } = this.sockets;
    const scripts = [script, this.#files.script, this.#network.script];
    for (const { devices, adapters } of this.systems) {
      scripts.push(devices.script, adapters.script);
    }
    for (const { calls } of scripts) calls.length = 0;
  }

  /** Makes a call. */
  play<T>(
    callee: Callee,
    name: string,
    run: () => T | Promise<T>,
    options: Partial<Played<T>> = {},
  ): Promise<T> {
    return this.faults.play(this, { callee, name, run, ...options });
  }

  /** The stream is open until it is closed. */
  #watch(what: string, stream: Duplex): Duplex {
    const name = `${what} #${++this.#streams}`;
    this.open.add(name);
    return {
      ...stream,
      close: async () => {
        this.open.delete(name);
        await stream.close();
      },
    };
  }

  /** The ports. */
  get ports(): WindowsHost {
    const compute: Partial<ComputeHost> = {
      create: (id, _document, signal) =>
        this.play("host", "create", () => {
          const system = new MemorySystem(this, id);
          this.systems.push(system);
          return system;
        }, { signal }),
      enumerate: () => this.play("host", "enumerate", () => []),
      serviceProperties: () =>
        this.play("host", "serviceProperties", () => ({
          Properties: [{ LogicalProcessorCount: 8 }],
        })),
      grantAccess: () => this.play("host", "grantAccess", () => {}),
    };
    const files: HostFiles = {
      join: (...parts) => this.#files.join(...parts),
      resolve: (path) =>
        this.play("local", "resolve", () => this.#files.resolve(path)),
      stat: (path) => this.play("local", "stat", () => this.#files.stat(path)),
      read: (path) => this.play("local", "read", () => this.#files.read(path)),
      copy: (from, to) =>
        this.play("local", "copy", () => this.#files.copy(from, to)),
      grantVmGroup: (path) =>
        this.play(
          "local",
          "grantVmGroup",
          () => this.#files.grantVmGroup(path),
        ),
      defaultBootDirectory: () =>
        this.play(
          "local",
          "defaultBootDirectory",
          () => this.#files.defaultBootDirectory(),
        ),
      bootFiles: (path) =>
        this.play("local", "bootFiles", () => this.#files.bootFiles(path)),
    };
    const network: Partial<HostNetwork> = {
      namespace: (id) =>
        this.play(
          "host",
          "namespace",
          () => this.#network.host.namespace(id),
        ),
      endpoint: (id) =>
        this.play("host", "endpoint", () => this.#network.host.endpoint(id)),
    };
    const sockets: GuestSockets = {
      listen: (runtimeId, port) =>
        this.play("local", `listen`, async () => {
          const listener = await this.sockets.listen(runtimeId, port);
          return {
            ...listener,
            accept: async (signal) =>
              this.#watch(`port ${port}`, await listener.accept(signal)),
          };
        }),
    };
    const platform = new FakePlatform();
    const open = platform.stdio.bind(platform);
    const stdio: Platform["stdio"] = (url, name, { signal } = {}) =>
      this.play(
        "client",
        name,
        async () => this.#watch(name, await open(url, name)),
        { signal },
      );
    return {
      compute: compute as ComputeHost,
      files,
      network: network as HostNetwork,
      sockets,
      platform: Object.assign(platform, { stdio }),
    };
  }
}
