/**
 * Rounds: twenty containers live at once, then all but the long-lived pod go,
 * and nothing of them may be left.
 *
 * @module
 */

import { deadline, systemClock } from "../../base/clock.ts";
import { leftoverLines, leftovers } from "../leftovers.ts";
import { WrongOutcome } from "./judge.ts";
import {
  foreground,
  keep,
  pod,
  refusal,
  type RoundTime,
  standalone,
} from "./lives.ts";
import {
  type Holdings,
  holdings,
  networkNames,
  residentBytes,
} from "../machine.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";
import type { World } from "./world.ts";

/** Containers that run at once. */
export const concurrency = 20;

/** Workloads of the long-lived pod, of each other pod, and pods. */
const places = { keeper: 5, pod: 3, pods: 2 };

/** Containers with a machine of their own. */
const alone = concurrency - (1 + places.keeper) -
  places.pods * (1 + places.pod);

/** How long a round is once all containers run at once, in milliseconds, without its end. */
const roundLength = 5_000;

/** How long shims may take to end after the last call, in milliseconds. */
const settleLimit = 20_000;

/** How containerd says that it did not let a `delete` end. */
const killedDelete =
  /failed to clean up after shim disconnected.*signal: killed/;

/** What comes after the first life of a place. */
const laterLives = [
  { weight: 3, live: standalone },
  { weight: 1, live: foreground },
  { weight: 1, live: refusal },
];

/** What there is when only the long-lived pod is. */
export interface Quiet {
  /** Processes, mounts, groups, files, loop devices. */
  readonly things: readonly string[];
  /** Namespaces and interfaces of the network. */
  readonly network: readonly string[];
  /** What containerd keeps and lists. */
  readonly containerd: readonly string[];
  /** What the long-lived pod holds. */
  readonly held: Holdings;
}

/** Memory after one round, in bytes. */
export interface Memory {
  /** Of the long-lived shim. */
  readonly shim: number;
  /** Of its guest agent. */
  readonly agent: number;
}

async function containerdsThings({ containerd }: World): Promise<string[]> {
  const state = `${containerd.dir}/state/io.containerd.runtime.v2.task/default`;
  const bundles = await Array.fromAsync(Deno.readDir(state));
  const tasks = await containerd.ctr("task", "ls", "--quiet");
  const containers = await containerd.ctr("container", "ls", "--quiet");
  const lines = (text: string): string[] => text.split("\n").filter(Boolean);
  return [
    ...bundles.map(({ name }) => `bundle ${name}`),
    ...lines(tasks).map((id) => `task ${id}`),
    ...lines(containers).map((id) => `container ${id}`),
  ].sort();
}

/** What there is now. */
async function look(
  world: World,
  keeper: Target,
): Promise<Quiet> {
  return {
    things: leftoverLines(await leftovers(world.containerd.dir)),
    network: await networkNames(),
    containerd: await containerdsThings(world),
    held: await holdings(await keeper.group.processes()),
  };
}

/** What is seen when it does not change any more. */
async function calm(see: () => Promise<Quiet>): Promise<Quiet> {
  return await deadline(
    systemClock,
    settleLimit,
    "The calm before the first round",
    async (signal) => {
      for (let last = await see();;) {
        // What a client has closed is let go of a moment later.
        await systemClock.sleep(1_000, signal);
        const now = await see();
        if (JSON.stringify(now) === JSON.stringify(last)) return now;
        last = now;
      }
    },
  );
}

/** Says what is otherwise than it should be, one line each. */
function differences(now: Quiet, before: Quiet): string[] {
  const list = (
    what: string,
    is: readonly string[],
    was: readonly string[],
  ): string[] => [
    ...is.filter((line) => !was.includes(line)).map((line) =>
      `left: ${what}: ${line}`
    ),
    ...was.filter((line) => !is.includes(line)).map((line) =>
      `missing: ${what}: ${line}`
    ),
  ];
  // A connection to containerd is made when the next event needs it.
  const grown = Object.entries(now.held).filter(([kind, count]) =>
    count > (before.held[kind] ?? 0)
  ).map(([kind, count]) =>
    `more: ${kind}: ${count} instead of ${before.held[kind] ?? 0}`
  );
  return [
    ...list("thing", now.things, before.things),
    // Others may take theirs away.
    ...list("network", now.network, before.network).filter((line) =>
      line.startsWith("left")
    ),
    ...list("containerd", now.containerd, before.containerd),
    ...grown,
  ];
}

/** The rounds, on one containerd and one long-lived pod. */
export class Rounds {
  readonly #world: World;
  readonly #keeper: Target;
  readonly #random: Random;
  readonly #before: Quiet;
  /** Memory after each round. */
  readonly memory: Memory[] = [];
  /** Characters of containerd's log in which no killed `delete` is news. */
  #logRead = 0;

  private constructor(
    world: World,
    keeper: Target,
    random: Random,
    before: Quiet,
  ) {
    this.#world = world;
    this.#keeper = keeper;
    this.#random = random;
    this.#before = before;
  }

  /** Looks at what there is before the first round. */
  static async begin(
    world: World,
    keeper: Target,
    random: Random,
  ): Promise<Rounds> {
    world.begin();
    // Everything of the long-lived pod is loaded and open from here on.
    await keep(keeper, random, { round: { isOver: true }, first: false }, 1);
    const before = await calm(() => look(world, keeper));
    return new Rounds(world, keeper, random, before);
  }

  /** One round: everybody lives, then nothing is left. */
  async round(): Promise<void> {
    const world = this.#world;
    world.gather(concurrency);
    const round = { isOver: false };
    const first = { round, first: true };
    await Promise.all([
      keep(this.#keeper, this.#random.fork(), first, places.keeper),
      ...Array.from(
        { length: places.pods },
        () => pod(world, this.#random.fork(), first, places.pod),
      ),
      ...Array.from(
        { length: alone },
        () => this.#alone(this.#random.fork(), round),
      ),
      this.#restart(this.#random.fork()),
      this.#end(round),
    ]);
    await this.#settle();
    const { shim, agent } = await this.#keeper.group.processes();
    this.memory.push({
      shim: await residentBytes(shim),
      agent: await residentBytes(agent),
    });
  }

  /** One place: the first life has a machine of its own and stays for all. */
  async #alone(random: Random, round: RoundTime): Promise<void> {
    await standalone(this.#world, random, { round, first: true });
    while (!round.isOver) {
      const { live } = random.weighted(laterLives);
      await live(this.#world, random, { round, first: false });
    }
  }

  /** Ends the round some time after all its containers have run at once. */
  async #end(round: { isOver: boolean }): Promise<void> {
    await this.#world.crowded();
    await systemClock.sleep(roundLength);
    round.isOver = true;
  }

  async #restart(random: Random): Promise<void> {
    await this.#world.crowded();
    if (random.chance(0.5)) await this.#world.restart();
  }

  /** Shims end a moment after they have answered, and are nobody's children. */
  async #settle(): Promise<void> {
    const begin = performance.now();
    for (;;) {
      const now = await look(this.#world, this.#keeper);
      const lines = differences(now, this.#before);
      if (lines.length === 0) return;
      const waited = performance.now() - begin;
      if (waited > settleLimit) {
        throw new WrongOutcome(
          `After a round it is not as before:\n${lines.join("\n")}`,
        );
      }
      if (waited > settleLimit / 3) await this.#recoverKilledDeletes();
      await systemClock.sleep(50);
    }
  }

  /**
   * On a computer that is too busy, containerd kills a `delete` after 5 s, and
   * tries again when it is restarted.
   */
  async #recoverKilledDeletes(): Promise<void> {
    const { containerd, journal } = this.#world;
    const text = (await containerd.log()).slice(this.#logRead);
    if (!killedDelete.test(text)) return;
    this.#logRead += text.length;
    journal.fault("delete killed after containerd's bound", "containerd");
    await this.#world.restart();
  }
}
