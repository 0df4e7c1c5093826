/**
 * A guest in memory behind a real bridge: it keeps what it is told, and objects to
 * what a real one would not do.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Clock } from "../../base/clock.ts";
import { type Duplex, readFull } from "../../base/duplex.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { silentLogger } from "../../base/log.ts";
import type { GuestHandlers } from "../../bridge/handlers.ts";
import {
  CombinedLayers,
  type ModifyRequest,
  ProcessParameters,
  type StdioRelaySettings,
} from "../../bridge/messages.gen.ts";
import { bridgePort } from "../../bridge/places.ts";
import { GuestBridge } from "../../bridge/server.ts";
import type { NetworkWorld } from "../../controllers/network/testing.ts";
import type { DeviceWorld } from "../../controllers/testing/device_world.ts";
import {
  entropyPort,
  logPort,
} from "../../controllers/vm/kernel_command_line.ts";
import type { FaultEffects, Faults } from "./fault.ts";

/** Bytes that init asks for. */
const entropyBytes = 512;

/** Exit code of what SIGKILL ended. */
const killed = 137;

/** What is around a guest. */
export interface GuestAround {
  /** Source of time. */
  readonly clock: Clock;
  /** Which call fails. */
  readonly faults: Faults;
  /** What a fault does. */
  readonly effects: FaultEffects;
  /** Its devices. */
  readonly devices: DeviceWorld;
  /** Its adapters. */
  readonly network: NetworkWorld;
  /** Reaches a port of the host. */
  readonly dial: (port: number) => Duplex;
}

interface Process {
  readonly containerId: string;
  readonly streams: readonly Duplex[];
  readonly exited: PromiseWithResolvers<number>;
  readonly isInit: boolean;
  hasExited: boolean;
}

function notFound(what: string): HResultError {
  return new HResultError(HResult.SystemNotFound, `${what} not found`);
}

/** The agent of one VM, and what runs in it. */
export class MemoryGuest {
  /** Containers that exist, by id, with the activity of their creation. */
  readonly containers = new Map<string, string>();
  /** Root file systems that are joined. */
  readonly rootfs = new Set<string>();
  readonly #around: GuestAround;
  readonly #processes = new Map<number, Process>();
  readonly #bridge: GuestBridge;
  #nextPid = 100;
  #stream: Duplex | undefined;
  #log: Duplex | undefined;
  #served: Promise<unknown> = Promise.resolve();

  /** @param around What is around it. */
  constructor(around: GuestAround) {
    this.#around = around;
    this.#bridge = new GuestBridge(this.#handlers(), {
      log: silentLogger,
      clock: around.clock,
    });
  }

  /** What it holds. */
  get held(): string[] {
    return [
      ...[...this.containers.keys()].map((id) => `container ${id}`),
      ...[...this.#processes.keys()].map((pid) => `process ${pid}`),
      ...[...this.rootfs].map((path) => `rootfs ${path}`),
    ];
  }

  /** True while the host reaches it. */
  get hasBridge(): boolean {
    return this.#stream !== undefined;
  }

  /** Dials the host, as init and the agent do. */
  async boot(): Promise<void> {
    const { dial } = this.#around;
    const entropy = dial(entropyPort);
    await readFull(entropy, new Uint8Array(entropyBytes));
    await entropy.close();
    this.#log = dial(logPort);
    this.#stream = dial(bridgePort);
    this.#served = this.#bridge.serve(this.#stream).then(() => {
      this.#stream = undefined;
    });
  }

  /** Closes the bridge; what runs goes on. */
  async closeBridge(): Promise<void> {
    await this.#stream?.close();
    await this.#served;
  }

  /** Everything in it ends at once. */
  async die(): Promise<void> {
    for (const process of this.#processes.values()) this.#exit(process, killed);
    this.#processes.clear();
    this.containers.clear();
    this.rootfs.clear();
    await this.closeBridge();
    await this.#log?.close();
  }

  #handlers(): GuestHandlers {
    const { faults, effects } = this.#around;
    const play = <T>(
      name: string,
      run: () => T | Promise<T>,
      isRelease = false,
    ): Promise<T> =>
      faults.play(effects, { callee: "guest", name, run, isRelease });
    const unused = (name: string) => (): Promise<never> =>
      Promise.reject(new HResultError(HResult.NotImplemented, name));
    return {
      Create: (_request, { containerId, activityId }) =>
        play("Create", () => {
          this.containers.set(containerId, activityId);
        }),
      Start: (_request, { containerId }) =>
        play("Start", () => this.#requireContainer(containerId)),
      ExecuteProcess: ({ Settings }, { containerId }) =>
        play("ExecuteProcess", () => {
          const { ProcessParameters: text, VsockStdioRelaySettings: ports } =
            Settings;
          return { ProcessId: this.#execute(containerId, text, ports ?? {}) };
        }),
      WaitForProcess: ({ ProcessId }) =>
        play("WaitForProcess", async () => {
          const ExitCode = await this.#process(ProcessId).exited.promise;
          this.#processes.delete(ProcessId);
          return { ExitCode };
        }),
      SignalProcess: ({ ProcessId }) =>
        play(
          "SignalProcess",
          () => this.#exit(this.#process(ProcessId), killed),
        ),
      GetProperties: () =>
        play("GetProperties", () => ({
          Properties: `{"ProcessList":[],"LCOWMetrics":{}}`,
        })),
      ModifySettings: ({ Request }) => {
        const { RequestType = "", ResourceType = "" } = Request!;
        return play(
          `${RequestType} ${ResourceType}`,
          () => this.#modify(Request!),
          RequestType === "Remove",
        );
      },
      DeleteContainerState: (_request, { containerId }) =>
        play("DeleteContainerState", async () => {
          // No runtime is so fast that the container's end is not told by now.
          await new Promise<void>((resolve) => setImmediate(resolve));
          for (const [pid, process] of this.#processes) {
            if (process.containerId !== containerId) continue;
            this.#exit(process, killed);
            this.#processes.delete(pid);
          }
          this.containers.delete(containerId);
        }, true),
      ResizeConsole: unused("ResizeConsole"),
      DumpStacks: unused("DumpStacks"),
      ShutdownGraceful: unused("ShutdownGraceful"),
      ShutdownForced: unused("ShutdownForced"),
    };
  }

  #requireContainer(id: string): void {
    if (!this.containers.has(id)) throw notFound(`Container "${id}"`);
  }

  #process(pid: number): Process {
    const process = this.#processes.get(pid);
    if (process === undefined) throw notFound(`Process ${pid}`);
    return process;
  }

  /** Init runs until it is killed; an exec says a word and ends. */
  #execute(
    containerId: string,
    text: string,
    ports: StdioRelaySettings,
  ): number {
    this.#requireContainer(containerId);
    const { dial } = this.#around;
    const isInit = ProcessParameters.parse(text).OciProcess === undefined;
    const { StdIn, StdOut, StdErr } = ports;
    const streams = [StdIn, StdOut, StdErr].map((port) => port && dial(port))
      .filter((stream) => typeof stream === "object");
    const exited = Promise.withResolvers<number>();
    const pid = this.#nextPid++;
    const process = { containerId, streams, exited, isInit, hasExited: false };
    this.#processes.set(pid, process);
    if (!isInit) queueMicrotask(() => this.#exit(process, 0));
    return pid;
  }

  /** It ends; who waits for it hears its code, now or later. */
  #exit(process: Process, code: number): void {
    if (process.hasExited) return;
    process.hasExited = true;
    const { containerId, streams, exited, isInit } = process;
    for (const stream of streams) void stream.close();
    exited.resolve(code);
    if (!isInit) return;
    const ActivityId = this.containers.get(containerId) ?? "";
    this.#bridge.notify({
      ContainerId: containerId,
      ActivityId,
      Type: "UnexpectedExit",
      Operation: "None",
      Result: 0,
    });
  }

  async #modify(request: ModifyRequest): Promise<void> {
    const { ResourceType, RequestType, Settings } = request;
    if (ResourceType === "Network") {
      return await this.#around.network.guest.modify(request);
    }
    if (RequestType === "Update") return; // limits are no resources
    if (ResourceType !== "CombinedLayers") {
      return await this.#around.devices.guest.modify(
        { ...request, ResourceType: ResourceType!, RequestType: RequestType! },
      );
    }
    const { ContainerRootPath: path = "" } = CombinedLayers.decode(Settings!);
    if (RequestType === "Add") this.rootfs.add(path);
    else if (!this.rootfs.delete(path)) throw notFound(path);
  }
}
