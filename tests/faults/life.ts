/**
 * The life of a pod with one container, in flows, as containerd leads it.
 *
 * @module
 */

import { newShimMetrics } from "../../shim/metrics.ts";
import { noTracer } from "../../base/trace.ts";
import { setImmediate } from "node:timers";
import { abortable, FakeClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { allStdio } from "../../controllers/testing/fake_stdio.ts";
import {
  twoLayers,
  virtualDisk,
} from "../../controllers/testing/container_world.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { loadRuntime } from "../../shim/load_runtime.ts";
import { noOptions } from "../../shim/options.ts";
import type {
  Container,
  Pod,
  Process,
  Runtime,
  Vm,
} from "../../shim/runtime.ts";
import { type FaultKind, Faults } from "./fault.ts";
import { MemoryHost, namespaceId } from "./host.ts";

/** A container that needs one of everything. */
export const fullSpec: Spec = {
  ociVersion: "1.1.0",
  process: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["sh"] },
  root: { path: "rootfs" },
  linux: {},
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/disk", type: "virtual-disk", source: "/d.vhdx" },
    { destination: "/data", type: "bind", source: "/data/", options: ["ro"] },
    { destination: "/etc/conf", type: "bind", source: "/etc/conf" },
  ],
  windows: { devices: [{ id: "PCIP\\VEN_10DE", idType: "vpci" }] },
};

/** Milliseconds for which a client waits for an answer. */
const patience = 10 * 60_000;

/** By how much the clock is turned when nothing happens. */
const step = 60_000;

/** Turns of the event loop in which something goes on if it ever does. */
const turns = 100;

function require(held: readonly string[]): void {
  if (held.length > 0) throw new TypeError(`Left in the VM: ${held}`);
}

/** One pod in its VM on one host. */
export class Life {
  /** Source of time. */
  readonly clock = new FakeClock();
  /** Which call fails. */
  readonly faults: Faults;
  /** The host. */
  readonly host: MemoryHost;
  readonly #runtime: Promise<Runtime>;
  vm!: Vm;
  pod!: Pod;
  container: Container | undefined;

  /**
   * @param at Which call fails, from 0; -1 is none.
   * @param kind How.
   */
  constructor(at?: number, kind?: FaultKind) {
    this.faults = new Faults(this.clock, at, kind);
    this.host = new MemoryHost(this.clock, this.faults);
    const { platform } = this.host.ports;
    this.#runtime = loadRuntime(
      { platform, host: () => Promise.resolve(this.host.ports) },
      {
        namespace: "default",
        log: silentLogger,
        clock: this.clock,
        timeouts: defaultTimeouts,
        tracer: noTracer,
        metrics: newShimMetrics(),
      },
    );
  }

  /**
   * Does something for a client that goes away after a while. When nothing
   * happens any more, time goes on.
   *
   * @throws {TypeError} when it never ends.
   */
  async wait<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const client = new AbortController();
    let isSettled = false;
    const result = task(client.signal).finally(() => isSettled = true);
    result.catch(() => {}); // told below
    for (let waited = 0; waited < 2 * patience; waited += step) {
      for (let turn = 0; turn < turns; turn++) {
        if (isSettled) return await result;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      if (waited >= patience) {
        client.abort(new DOMException("The client is gone", "TimeoutError"));
      }
      await this.clock.advance(step);
    }
    throw new TypeError(`"${this.faults.flow}" never ends`);
  }

  /** A VM that is not created. */
  async newVm(): Promise<void> {
    this.vm = (await this.#runtime).newVm("pod1@vm", "pod1");
  }

  /** A pod without a network. */
  async newPod(): Promise<void> {
    const options = noOptions();
    this.pod = (await this.#runtime).newPod(this.vm, {
      id: "pod1",
      options,
      namespaceId,
    });
  }

  /** A container that is not created. */
  newContainer(): Container {
    return this.container = this.pod.newContainer("web");
  }

  /** Deletes the container; none is a success. */
  async deleteContainer(): Promise<void> {
    await this.container?.deleteProcess("");
    if (this.container !== undefined) this.pod.remove("web");
    this.container = undefined;
  }

  /** Ends the pod; none is a success. */
  async endPod(): Promise<void> {
    await this.pod?.teardownNetwork();
  }

  /** @throws {TypeError} naming what a VM without containers still holds. */
  requireNoContainer(): void {
    if (!this.host.hasBridge) return; // it goes as a whole
    const { guest, devices } = this.host.system!;
    const disks = this.vm.scsi().disks.map(({ config }) => config.hostPath);
    require([...guest.held, ...devices.attached.keys(), ...disks]);
  }

  /** @throws {TypeError} naming what a VM without pods still holds. */
  requireNoPod(): void {
    if (!this.host.hasBridge) return;
    this.requireNoContainer();
    require([...this.host.system!.held, ...this.pod.containers.keys()]);
  }
}

/** A part of a life. */
export interface Flow {
  /** What containerd wants. */
  readonly name: string;
  /** Does it. */
  readonly run: (life: Life, signal: AbortSignal) => Promise<unknown>;
  /** Judges what its failure has left in a VM that still runs. */
  readonly failed?: (life: Life) => void;
  /** Takes back what is left when it has failed in a VM that still runs. */
  readonly undo?: (life: Life) => Promise<void>;
  /** With which flow life goes on after that; by default with itself. */
  readonly again?: string;
}

/** With the last container everything goes that was for it. */
async function deleteContainer(life: Life): Promise<void> {
  await life.deleteContainer();
  life.requireNoPod();
}

/** Runs a process in the container to its end, and deletes it. */
export async function exec(
  life: Life,
  signal: AbortSignal,
  id = "sh",
): Promise<void> {
  const process: Process = life.container!.newProcess(id);
  await process.create({
    bundle: "/b",
    spec: { cwd: "/", user: { uid: 0, gid: 0 }, args: ["true"] },
    stdio: { ...allStdio, stdin: "" },
  }, signal);
  await process.start(signal);
  await abortable(process.exited, signal);
  await life.container!.deleteProcess(id);
}

async function undoExec({ container }: Life): Promise<void> {
  container!.forgetProcess("sh");
  try {
    await container!.deleteProcess("sh");
  } catch {
    // It was never created.
  }
}

/** Everything that happens to a pod, in its order. */
export const flows: readonly Flow[] = [
  {
    name: "create VM",
    run: async (life, signal) => {
      await life.newVm();
      await life.vm.create({
        id: "pod1@vm",
        owner: "",
        bundle: "/bundle",
        annotations: {},
        devices: [],
      }, signal);
    },
  },
  {
    name: "start VM",
    run: (life, signal) => life.vm.start(signal),
    undo: (life) => life.vm.terminate(),
    again: "create VM",
  },
  {
    name: "create pod",
    run: async (life, signal) => {
      await life.newPod();
      await life.pod.setupNetwork(signal);
    },
    undo: async (life) => {
      await life.endPod();
      life.requireNoPod();
    },
  },
  {
    name: "create container",
    run: async (life, signal) => {
      await life.newContainer().create({
        bundle: "/b",
        spec: fullSpec,
        layers: { ...twoLayers, scratch: virtualDisk("/s.vhdx") },
        stdio: allStdio,
      }, signal);
    },
    failed: (life) => life.requireNoContainer(),
    undo: deleteContainer,
    again: "create pod",
  },
  {
    name: "start container",
    run: (life, signal) => life.container!.start(signal),
    undo: deleteContainer,
    again: "create pod",
  },
  { name: "exec", run: (life, signal) => exec(life, signal), undo: undoExec },
  {
    name: "update container",
    run: (life) => life.container!.update({ pids: { limit: 100n } }),
  },
  { name: "pids", run: (life) => life.container!.pids() },
  {
    name: "statistics of the container",
    run: (life) => life.container!.stats(),
  },
  { name: "statistics of the VM", run: (life) => life.vm.stats() },
  {
    name: "update VM",
    run: (life) => life.vm.resources().updateMemory(2048n * 1024n * 1024n),
  },
  {
    name: "stop container",
    run: async ({ container }, signal) => {
      await container!.kill("", 9, true);
      await abortable(container!.terminated, signal);
    },
  },
  { name: "delete container", run: deleteContainer },
  {
    name: "stop VM",
    run: async ({ vm }) => {
      await vm.terminate();
      await vm.exited;
    },
  },
];

/** Leads the named part of a life, in which nothing may fail. */
export async function go(
  life: Life,
  signal: AbortSignal,
  ...names: readonly string[]
): Promise<void> {
  for (const name of names) {
    const flow = flows.find((flow) => flow.name === name);
    if (flow === undefined) throw new TypeError(`No flow is called "${name}"`);
    await flow.run(life, signal);
  }
}

/**
 * Leads a life.
 *
 * @param from The first flow; earlier ones are done.
 * @returns The flow that failed, with its error; nothing when none did.
 */
export async function live(
  life: Life,
  from = flows[0]!.name,
): Promise<{ flow: Flow; error: unknown } | undefined> {
  const first = flows.findIndex(({ name }) => name === from);
  for (const flow of flows.slice(first)) {
    life.faults.flow = flow.name;
    try {
      await life.wait((signal) => flow.run(life, signal));
    } catch (error) {
      return { flow, error };
    }
  }
  return undefined;
}
