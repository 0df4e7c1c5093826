/**
 * What goes wrong, and is done from outside.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { VmLost } from "./judge.ts";
import { commandLine, descendants } from "../processes.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";
import type { Group } from "./world.ts";

/** A fault of a whole group. */
export interface Fault {
  /** How often it is chosen. */
  readonly weight: number;
  /** Makes it. */
  make(group: Group, random: Random): Promise<void>;
}

/** Stops a guest for a while: everything takes longer, nothing comes to harm. */
export async function pauseGuest(group: Group, random: Random): Promise<void> {
  const { agent } = await group.processes();
  group.world.journal.fault("guest agent stopped for a while", group.key);
  Deno.kill(agent, "SIGSTOP");
  try {
    // This long: there is nothing to wait for.
    await systemClock.sleep(random.between(100, 1_500));
  } finally {
    Deno.kill(agent, "SIGCONT");
  }
}

async function killAgent(group: Group): Promise<void> {
  const { agent } = await group.processes();
  group.loss = "machine";
  group.world.journal.fault("guest agent killed", group.key);
  Deno.kill(agent, "SIGKILL");
}

async function killMachine(group: Group): Promise<void> {
  const { vm } = await group.processes();
  group.loss = "machine";
  group.world.journal.fault("machine killed", group.key);
  Deno.kill(vm, "SIGKILL");
}

async function killShim(group: Group): Promise<void> {
  const { shim } = await group.processes();
  group.loss = "shim";
  group.world.journal.fault("shim killed", group.key);
  Deno.kill(shim, "SIGKILL");
}

/** Faults of a group that may end with it. */
export const groupFaults: readonly Fault[] = [
  { weight: 3, make: pauseGuest },
  { weight: 2, make: killAgent },
  { weight: 2, make: killMachine },
  { weight: 3, make: killShim },
];

/** What an init process is started with, so that it is found among all others. */
export function initScript(id: string): string {
  return `: soak ${id}; trap 'exit 5' TERM; trap '' HUP; echo up > /tmp/ready; ` +
    "sleep 1000000 & while :; do wait $!; done";
}

async function findInit({ group, name }: Target): Promise<number> {
  const { vm } = await group.processes();
  for (const pid of await descendants(vm)) {
    if ((await commandLine(pid)).includes(`: soak ${name};`)) return pid;
  }
  throw new ShimError("NotFound", `No init process of "${name}" runs`);
}

/**
 * Kills the init process of a container from outside of the machine.
 *
 * @throws {VmLost} When it ended with its machine.
 */
export async function killInit(target: Target): Promise<void> {
  try {
    const pid = await findInit(target);
    target.world.journal.fault("init killed", target.name);
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    throw target.isLost ? new VmLost(target.name) : error;
  }
}
