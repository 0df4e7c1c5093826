/**
 * The wiring of the agent in a real (or simulated) VM.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import type { Tracer } from "../base/trace.ts";
import { GuestBridge } from "../bridge/server.ts";
import { becomeSubreaper, kill } from "../ffi/linux/process.ts";
import { bootCgroups, type PodMemoryLimit } from "./boot.ts";
import { readLayout } from "./cgroup/layout.ts";
import { cgroupTree } from "./cgroup/open.ts";
import type { descriptorDialer } from "./dial.ts";
import type { Flags } from "./flags.ts";
import { GuestHost } from "./host.ts";
import { beginDuties } from "./init/duties.ts";
import { logMemoryEvents } from "./memory_events.ts";
import { KernelNetwork } from "./network/kernel.ts";
import { NetworkInterfaces } from "./network/interface_name.ts";
import { NetworkNamespaces } from "./network/namespaces.ts";
import { initialEnforcers } from "./policy/enforcers.ts";
import { hostDataReader } from "./policy/host_data.ts";
import { VmPolicy } from "./policy/policy.ts";
import { programRunner } from "./program.ts";
import { Reaper } from "../ffi/linux/reaper.ts";
import { detectRuntime } from "./runtime/detect.ts";
import type { OciRuntime } from "./runtime/runtime.ts";
import { kernelSandboxMounts } from "./spec/sandbox_mounts.ts";
import { Confidential } from "./storage/confidential.ts";
import { openStorage } from "./storage/open.ts";

/** What the agent starts with. */
export interface AgentOptions {
  /** The command line. */
  readonly flags: Flags;
  /** The log. */
  readonly log: Logger;
  /** Joins the work of a call to the host's trace. */
  readonly tracer: Tracer;
  /** Lets log lines out, or drops them. */
  readonly setLogging: (isAllowed: boolean) => void;
  /** Reaches a port of the host. */
  readonly dial: (port: number) => Promise<Duplex>;
  /** The same, with a descriptor for the kernel. */
  readonly dialDescriptor: ReturnType<typeof descriptorDialer>;
  /** Reaches the bridge. */
  readonly dialBridge: () => Promise<Duplex>;
  /** The kernel is another machine's. */
  readonly isSimulated: boolean;
}

/** Milliseconds between two looks at the memory of the VM, which may grow. */
const memoryInterval = 60_000;

/** Follows the memory of the VM until `signal` aborts. */
async function followMemory(
  limit: PodMemoryLimit,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await systemClock.sleep(memoryInterval, signal);
    } catch {
      return; // the agent quits
    }
    try {
      await limit.refresh();
    } catch (error) {
      log.warn("Cannot limit the memory of all pods", {
        error: messageOf(error),
      });
    }
  }
}

/**
 * Runs the agent until the host ends the VM.
 *
 * @throws When the VM lacks what every agent needs.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { flags, log, setLogging, dial, dialDescriptor, dialBridge } = options;
  const clock = systemClock;
  const timeouts = defaultTimeouts;
  const env = Deno.env.toObject();
  becomeSubreaper();
  // Nothing here starts children by other means than `spawn`.
  const reaper = new Reaper({ log, orphans: true });
  reaper.start();
  if (flags.coreDumpLocation !== "") {
    await Deno.writeTextFile(
      "/proc/sys/kernel/core_pattern",
      flags.coreDumpLocation,
    );
  }
  const layout = await readLayout();
  const cgroups = cgroupTree(layout, clock);
  let runtime: Promise<OciRuntime> | undefined;
  const findRuntime = (): Promise<OciRuntime> =>
    runtime ??= detectRuntime({ env, layout, reaper, log });
  // In parallel with the rest of the boot; a failure is told to who needs it.
  findRuntime().catch(() => {});
  const limit = await bootCgroups({
    layout,
    cgroups,
    log,
    reserve: flags.rootMemoryReserve,
  });
  const timeout = timeouts.guestProgram;
  const run = programRunner({ reaper, kill, clock, timeout, env });
  const network = new KernelNetwork({
    run,
    dhcpLimit: timeouts.dhcp,
    interfaces: new NetworkInterfaces(clock, timeouts.deviceWait),
  });
  const confidential = new Confidential();
  const hostData = await hostDataReader();
  const policy = new VmPolicy({
    initial: initialEnforcers[flags.policyStance],
    ...{ confidential, setLogging },
    ...(hostData && { hostData }),
  });
  const host = new GuestHost({
    log,
    clock,
    timeouts,
    reaper,
    kill,
    cgroups,
    dial,
    env,
    policy,
    storage: openStorage({
      ...{ clock, timeouts, log, run, confidential, policy },
      dial: dialDescriptor,
    }),
    networks: new NetworkNamespaces({ kernel: network, log }),
    sandboxMounts: kernelSandboxMounts(log),
    runtime: findRuntime,
    hostname: () => Deno.hostname(),
    refreshMemoryLimit: () => limit.refresh(),
  });
  const bridge = new GuestBridge(host.handlers, {
    log,
    clock,
    timeouts,
    tracer: options.tracer,
    ...(!flags.v4 && { versions: [] }),
  });
  host.attach(bridge);
  const endDuties = options.isSimulated
    ? (): void => {}
    : beginDuties({ flags, log, run });
  const stop = new AbortController();
  const following = [
    followMemory(limit, log, stop.signal),
    logMemoryEvents({
      cgroups,
      log,
      clock,
      threshold: flags.agentMemoryThreshold,
      signal: stop.signal,
    }),
  ];
  try {
    await bridge.run(dialBridge);
  } finally {
    stop.abort();
    endDuties();
    await Promise.all(following);
    network.vm.release();
    reaper.stop();
  }
}
