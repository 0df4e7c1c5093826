/**
 * Random lives of containers, with random faults, for a time: on a real
 * containerd, the real shim and the simulated host.
 *
 * Usage: `tests/soak/main.ts [--seed N] [--seconds N]`; default is a seed of the
 * time, and 20 minutes. The last line is `N passed, N failed`, where one round is
 * one test; memory and what is left at the end are two more.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { PrivateContainerd } from "../containerd.ts";
import { toolEnv } from "../debian.ts";
import { buildRootfs } from "../image.ts";
import { clearAway } from "./endings.ts";
import { WrongOutcome } from "./judge.ts";
import { beginPod } from "./lives.ts";
import { Random } from "./random.ts";
import { type Memory, Rounds } from "./rounds.ts";
import { World } from "./world.ts";

/**
 * Bytes by which the median memory of the last rounds may exceed that of the
 * first ones: V8 gives memory back when it likes.
 */
const memoryBound = 32 * 1024 * 1024;

/** Rounds in which code is compiled and buffers get their size. */
const warmUp = 2;

/** Lines of containerd's log, with those of the shims, that a failure prints. */
const logLines = 120;

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  if (at < 0) return fallback;
  const value = Number(Deno.args[at + 1]);
  if (Number.isFinite(value)) return value;
  console.error(`--${name} needs a number`);
  Deno.exit(2);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const mib = (bytes: number): string =>
  `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** Compares the first third of the rounds with the last one. */
function judgeMemory(memory: readonly Memory[]): void {
  const rounds = memory.length > 2 * warmUp ? memory.slice(warmUp) : memory;
  const third = Math.max(1, Math.floor(rounds.length / 3));
  for (const who of ["shim", "agent"] as const) {
    const first = median(rounds.slice(0, third).map((one) => one[who]));
    const last = median(rounds.slice(-third).map((one) => one[who]));
    console.log(
      `RSS of the long-lived ${who}: ${mib(memory[0]?.[who] ?? 0)} after the ` +
        `first round, ${mib(memory.at(-1)?.[who] ?? 0)} after the last; ` +
        `median of ${third}: ${mib(first)} first, ${mib(last)} last`,
    );
    if (last - first <= memoryBound) continue;
    throw new WrongOutcome(
      `The ${who} has grown by ${mib(last - first)}, more than ${
        mib(memoryBound)
      }`,
    );
  }
}

function report(world: World): void {
  const sum = (counts: ReadonlyMap<string, number>): number =>
    counts.values().reduce((total, count) => total + count, 0);
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts].sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`).join(", ");
  const { operations, faults } = world.journal;
  console.log(`${sum(operations)} operations: ${list(operations)}`);
  console.log(`${sum(faults)} faults: ${list(faults)}`);
}

/** Kills what a failed run leaves of its own; containerd clears away the rest. */
async function abandon(world: World): Promise<void> {
  for (const line of await world.containerd.leftovers()) {
    const pid = Number(/^processes: (\d+) .* serve$/.exec(line)?.[1]);
    if (!(pid > 0)) continue;
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // It has ended.
    }
  }
  const left = await world.containerd.leftovers();
  if (left.length > 0) console.log(`Left behind:\n${left.join("\n")}`);
  await world.containerd.stop();
}

async function soak(
  world: World,
  random: Random,
  seconds: number,
): Promise<number> {
  const keeper = await beginPod(world, random.fork());
  const rounds = await Rounds.begin(world, keeper, random.fork());
  const end = performance.now() + seconds * 1000;
  do {
    await rounds.round();
    const { shim, agent } = rounds.memory.at(-1)!;
    console.log(
      `round ${rounds.memory.length}: ${world.peak} containers at once, ` +
        `shim ${mib(shim)}, agent ${mib(agent)}`,
    );
  } while (performance.now() < end);
  judgeMemory(rounds.memory);
  await clearAway(keeper);
  await keeper.client.close();
  const left = await world.containerd.leftovers();
  if (left.length > 0) {
    throw new WrongOutcome(`At the end there is left:\n${left.join("\n")}`);
  }
  return rounds.memory.length + 2;
}

async function main(): Promise<number> {
  const seed = option("seed", systemClock.now() >>> 0);
  const seconds = option("seconds", 20 * 60);
  console.log(`soak: --seed ${seed} --seconds ${seconds}`);
  const containerd = await PrivateContainerd.start();
  for (const name of ["exec", "logs", "bundles"]) {
    await Deno.mkdir(`${containerd.dir}/${name}`);
  }
  const world = new World(containerd, await buildRootfs(await toolEnv()));
  try {
    const passed = await soak(world, new Random(seed), seconds);
    report(world);
    await containerd.stop();
    console.log(`${passed} passed, 0 failed`);
    return 0;
  } catch (error) {
    console.log(world.journal.last.join("\n"));
    const log = (await containerd.log()).trimEnd().split("\n");
    console.log(log.slice(-logLines).join("\n"));
    report(world);
    console.log(`soak failed with --seed ${seed}: ${messageOf(error)}`);
    await abandon(world);
    console.log("0 passed, 1 failed");
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
