/**
 * Ending the processes that an init leaves behind when its container shares a
 * pid namespace; in a namespace of its own the kernel does this.
 *
 * @module
 */

import type { Container } from "./container.ts";
import type { GuestPorts } from "./ports.ts";

/** Rounds until everything that forks while it is killed has been caught. */
const maxRounds = 100;

const sigKill = 9;

/** Milliseconds between two rounds. */
const pause = 5;

/** Kills every process of a container's control group. */
export async function killRemaining(
  ports: Pick<GuestPorts, "cgroups" | "kill" | "clock" | "log">,
  container: Container,
): Promise<void> {
  const path = container.options.spec.linux?.cgroupsPath;
  if (path === undefined) return;
  for (let round = 0; round < maxRounds; round++) {
    const pids = await ports.cgroups.processes(path);
    // Zombies of our own stay in the group until they are reaped.
    const alive = pids.filter((pid) => ports.kill(pid, sigKill));
    if (alive.length === 0) return;
    await ports.clock.sleep(pause);
  }
  ports.log.warn("Processes of a container survive", {
    cid: container.id,
  });
}
