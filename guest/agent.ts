/**
 * The wiring of the agent in a real (or simulated) VM.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { Duplex } from "../base/duplex.ts";
import { messageOf, ShimError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { GuestBridge } from "../bridge/server.ts";
import { close, open, OpenFlag } from "../ffi/linux/files.ts";
import { becomeSubreaper, kill } from "../ffi/linux/process.ts";
import { spawn } from "../ffi/linux/spawn.ts";
import { bootCgroups, type PodMemoryLimit } from "./boot.ts";
import { readLayout } from "./cgroup/layout.ts";
import { cgroupTree } from "./cgroup/open.ts";
import type { Flags } from "./flags.ts";
import { GuestHost } from "./host.ts";
import { beginDuties } from "./init/duties.ts";
import { Reaper } from "./reaper.ts";
import { detectRuntime, findProgram } from "./runtime/detect.ts";
import type { OciRuntime } from "./runtime/runtime.ts";
import { kernelSandboxMounts } from "./spec/sandbox_mounts.ts";
import { ScsiMounts, scsiPorts } from "./storage/scsi.ts";
import { ScsiDevices } from "./storage/scsi_device.ts";

/** What the agent starts with. */
export interface AgentOptions {
  /** The command line. */
  readonly flags: Flags;
  /** The log. */
  readonly log: Logger;
  /** Reaches a port of the host. */
  readonly dial: (port: number) => Promise<Duplex>;
  /** Reaches the bridge. */
  readonly dialBridge: () => Promise<Duplex>;
  /** The kernel is another machine's. */
  readonly isSimulated: boolean;
}

/** Milliseconds between two looks at the memory of the VM, which may grow. */
const memoryInterval = 60_000;

/** Runs a program of the VM to its end. @returns Its exit code. */
async function exitOf(
  reaper: Reaper,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const path = await findProgram(program, env.PATH ?? "/sbin:/bin");
  if (path === undefined) {
    throw new ShimError(
      "FailedPrecondition",
      `Cannot run ${program}: the VM does not have it`,
    );
  }
  const nothing = open("/dev/null", OpenFlag.ReadWrite);
  try {
    const pid = spawn({
      path,
      argv: [program, ...args],
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      stdio: [nothing, nothing, nothing],
    });
    return await reaper.exit(pid);
  } finally {
    close(nothing);
  }
}

/** Runs a program of the VM, which must succeed. */
async function runProgram(
  reaper: Reaper,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const code = await exitOf(reaper, program, args, env);
  if (code === 0) return;
  throw new ShimError(
    "Internal",
    `${program} ${args.join(" ")} ended with code ${code}`,
  );
}

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
  const { flags, log, dial, dialBridge } = options;
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
  const scsiDevices = new ScsiDevices(clock, timeouts.deviceWait);
  const host = new GuestHost({
    log,
    clock,
    timeouts,
    reaper,
    kill,
    cgroups,
    dial,
    env,
    scsiDevices,
    scsiMounts: new ScsiMounts({
      clock,
      log,
      ports: scsiPorts(
        (address) => scsiDevices.find(address),
        (program, args) => runProgram(reaper, program, args, env),
      ),
    }),
    sandboxMounts: kernelSandboxMounts(log),
    runtime: findRuntime,
    hostname: () => Deno.hostname(),
    refreshMemoryLimit: () => limit.refresh(),
  });
  const bridge = new GuestBridge(host.handlers, {
    log,
    clock,
    timeouts,
    ...(!flags.v4 && { versions: [] }),
  });
  host.attach(bridge);
  const run = (program: string, args: readonly string[]): Promise<number> =>
    exitOf(reaper, program, args, env);
  const endDuties = options.isSimulated
    ? (): void => {}
    : beginDuties({ flags, log, run });
  const stop = new AbortController();
  const following = followMemory(limit, log, stop.signal);
  try {
    await bridge.run(dialBridge);
  } finally {
    stop.abort();
    endDuties();
    await following;
    reaper.stop();
  }
}
