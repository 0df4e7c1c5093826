/**
 * Lives of containers and pods, from their beginning to their end.
 *
 * @module
 */

import { pump } from "../../base/pump.ts";
import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import { type Bundle, makeBundle } from "../driver.ts";
import { clearAway, endings } from "./endings.ts";
import { groupFaults, initScript, pauseGuest } from "./faults.ts";
import { expect, type Judged, type Outcome, VmLost } from "./judge.ts";
import {
  ctrOperations,
  directOperations,
  type Operation,
  sandboxOperations,
} from "./operations.ts";
import type { Random } from "./random.ts";
import { Exec, Target } from "./target.ts";
import { Group, type World } from "./world.ts";

/** The length of a round. */
export interface RoundTime {
  /** True when nothing new begins any more. */
  readonly isOver: boolean;
}

/** When the round is over, and whether a life is the first one of its place. */
export interface Span {
  /** The round. */
  readonly round: RoundTime;
  /** It lives at least until all containers of the round run at once. */
  readonly first: boolean;
}

/** Leaves quietly when the machine is lost. */
async function whileThere(task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    if (!(error instanceof VmLost)) throw error;
  }
}

/** Waits until the init process has set its traps. */
async function ready(target: Target): Promise<void> {
  await using exec = new Exec(target, { silent: true });
  const script = "until [ -e /tmp/ready ]; do usleep 2000; done";
  await exec.create(["sh", "-c", script]);
  await exec.start();
  target.expect("the exit code of the first exec", await exec.wait(), 0);
  await exec.delete();
}

/** Operations one after another; enough of them, or until the round is over. */
async function use(
  target: Target,
  span: Span,
  list: readonly Operation[],
): Promise<void> {
  await ready(target);
  const { random, world } = target;
  for (
    let left = random.between(3, 12);
    left > 0 && !span.round.isOver;
    left--
  ) {
    await random.weighted(list).run(target);
  }
  if (span.first) await world.crowded();
}

/** Uses a running container and ends it, unless it ends otherwise. */
async function liveAndEnd(
  target: Target,
  span: Span,
  list: readonly Operation[],
  alongside: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { world, random, name: id } = target;
  const end = target.call("Wait", { id }, ["ok"], "Wait for init");
  end.catch(() => {}); // It is awaited below.
  world.begin();
  try {
    await Promise.all([whileThere(() => use(target, span, list)), alongside()]);
    const { end: stop, code } = random.weighted(endings);
    await whileThere(() => stop(target));
    target.expect("the exit code of init", (await end)?.exitStatus, code);
    target.expect(
      "the exit code in the state",
      (await target.call("State", { id }))?.exitStatus,
      code,
    );
  } finally {
    world.end();
  }
}

const detached = (world: World, id: string, random: Random): string[] => [
  "--detach",
  ...random.pick([
    [],
    ["--null-io"],
    ["--log-uri", `file://${world.containerd.dir}/logs/${id}.log`],
  ]),
];

const annotated = (pod: string, type: string): string[] => [
  "--annotation",
  `io.kubernetes.cri.container-type=${type}`,
  "--annotation",
  `io.kubernetes.cri.sandbox-id=${pod}`,
];

/** One container in a virtual machine of its own. */
export async function standalone(
  world: World,
  random: Random,
  span: Span,
): Promise<void> {
  const id = world.name("s");
  const group = new Group(world, id);
  await world.run(
    { name: id, isLost: false },
    detached(world, id, random),
    ["sh", "-c", initScript(id)],
  );
  const client = await group.connect();
  const target = new Target(group, client, id, random);
  try {
    await whileThere(() =>
      liveAndEnd(
        target,
        span,
        ctrOperations,
        () => maybeFault(group, random.fork()),
      )
    );
    await clearAway(target);
  } finally {
    await client.close();
  }
}

/** Something goes wrong with a group, or not. */
async function maybeFault(group: Group, random: Random): Promise<void> {
  await group.world.crowded();
  if (random.chance(0.4)) {
    await random.weighted(groupFaults).make(group, random);
  }
}

/** A workload that `ctr` makes in a pod. */
async function ctrMember(
  group: Group,
  random: Random,
  span: Span,
): Promise<void> {
  const { world } = group;
  const id = world.name("w");
  const client = await group.connect();
  const target = new Target(group, client, id, random);
  try {
    await whileThere(async () => {
      await world.run(
        target,
        [...detached(world, id, random), ...annotated(group.key, "container")],
        ["sh", "-c", initScript(id)],
      );
      await liveAndEnd(target, span, ctrOperations);
    });
    await clearAway(target);
  } finally {
    await client.close();
  }
}

/** A workload that is made in a pod without containerd. */
async function directMember(
  group: Group,
  random: Random,
  span: Span,
): Promise<void> {
  const { world } = group;
  const id = world.name("d");
  const bundle = await makeBundle(`${world.containerd.dir}/bundles`, {
    id,
    args: ["/bin/sh", "-c", initScript(id)],
    rootfs: world.rootfs,
    annotations: {
      "io.kubernetes.cri.container-type": "container",
      "io.kubernetes.cri.sandbox-id": group.key,
    },
  });
  const drained = pump(bundle.output, { write: () => Promise.resolve() });
  const client = await group.connect();
  const target = new Target(group, client, id, random);
  try {
    await whileThere(async () => {
      if (!span.first && random.chance(0.6)) {
        return await interruptedCreate(target, bundle);
      }
      await target.call("Create", createRequest(bundle));
      await target.call("Start", { id });
      await liveAndEnd(target, span, directOperations);
      await target.call("Delete", { id });
      await target.call("State", { id }, ["NotFound"]);
    });
    // Its shim stays as long as it has a task.
    await whileThere(async () => {
      await target.call("Delete", { id }, ["NotFound", ...lostOnly(target)]);
    });
  } finally {
    await client.close();
    await bundle.close();
    await drained;
    await Deno.remove(bundle.path, { recursive: true });
  }
}

/** A container whose machine was killed may be there still. */
const lostOnly = ({ isLost }: Target): readonly Outcome[] =>
  isLost ? ["ok"] : [];

const createRequest = ({ id, path, mounts, stdout, stderr }: Bundle) => ({
  id,
  bundle: path,
  rootfs: [...mounts],
  stdout,
  stderr,
});

/** The client goes away while its container is being made. */
async function interruptedCreate(
  target: Target,
  bundle: Bundle,
): Promise<void> {
  const { group, world, random, name: id } = target;
  const client = await group.connect();
  world.journal.fault("client disconnected in a create", id);
  const create = client.call(TaskV2, "Create", createRequest(bundle));
  const ended = create.then(() => {}, () => {});
  // Its answer says that the shim has the request before it.
  await client.call(TaskV2, "State", { id }).catch(() => {});
  await Promise.race([
    ended,
    new Promise<void>((resolve) => setTimeout(resolve, random.between(0, 60))),
  ]);
  await client.close();
  await ended;
  // It was made, or nothing of it is left; a create that goes on cannot be killed.
  const gone = target.call("Wait", { id }, ["ok", "NotFound"]);
  gone.catch(() => {}); // It is awaited below.
  for (let made = false; !made;) {
    const kill = await target.call("Kill", { id, signal: 9 }, [
      "ok",
      "NotFound",
      "FailedPrecondition",
    ]);
    const state = await target.call("State", { id }, ["ok", "NotFound"]);
    made = kill !== undefined || state === undefined;
  }
  await gone;
  await target.call("Delete", { id }, ["ok", "NotFound"]);
  await target.call("State", { id }, ["NotFound"]);
}

/** One place of a pod: workloads one after another. */
async function members(
  group: Group,
  random: Random,
  span: Span,
): Promise<void> {
  let { first } = span;
  do {
    const life = random.chance(0.5) ? ctrMember : directMember;
    await whileThere(() => life(group, random, { ...span, first }));
    first = false;
  } while (!span.round.isOver && group.loss === undefined);
}

/** Several places of a pod. */
export async function workloads(
  group: Group,
  random: Random,
  span: Span,
  places: number,
): Promise<void> {
  await Promise.all(
    Array.from({ length: places }, () => members(group, random.fork(), span)),
  );
}

/** Makes a pod's sandbox container. */
export async function beginPod(world: World, random: Random): Promise<Target> {
  const id = world.name("p");
  const group = new Group(world, id);
  await world.run(
    { name: id, isLost: false },
    ["--detach", "--null-io", ...annotated(id, "sandbox")],
    ["sh", "-c", initScript(id)],
    "ctr run of a pod",
  );
  return new Target(group, await group.connect(), id, random);
}

/** A pod with workloads, from its beginning to its end. */
export async function pod(
  world: World,
  random: Random,
  span: Span,
  places: number,
): Promise<void> {
  const target = await beginPod(world, random);
  const { group, client } = target;
  try {
    await whileThere(() =>
      liveAndEnd(target, span, sandboxOperations, async () => {
        await Promise.all([
          workloads(group, random.fork(), span, places),
          maybeFault(group, random.fork()),
        ]);
      })
    );
    await clearAway(target);
  } finally {
    await client.close();
  }
}

/** The pod that outlives the rounds is used, and stopped for a while at times. */
export async function keep(
  keeper: Target,
  random: Random,
  span: Span,
  places: number,
): Promise<void> {
  const paused = async (): Promise<void> => {
    await keeper.world.crowded();
    if (random.chance(0.7)) await pauseGuest(keeper.group, random);
  };
  await Promise.all([
    use(keeper, span, sandboxOperations),
    workloads(keeper.group, random.fork(), span, places),
    paused(),
  ]);
}

/** A container that `ctr` stays with until its end. */
export async function foreground(world: World, random: Random): Promise<void> {
  const on: Judged = { name: world.name("f"), isLost: false };
  const length = random.between(1, 1_000_000);
  const script = `head -c ${length} /dev/zero; echo end >&2; exit 3`;
  const { code, stdout, stderr } = await world.gate.among(() =>
    world.containerd.run(
      world.containerd.runArgs(on.name, ["sh", "-c", script], ["--rm"]),
    )
  );
  world.journal.operation("ctr run in the foreground", on.name, `${code}`);
  expect(on, "code, length and errors", [code, stdout.length, stderr], [
    3,
    length,
    "end\n",
  ]);
}

/**
 * What must be refused: flags, for a pod that is nobody else's, and command, and a
 * word of the answer.
 */
const refused: readonly [(pod: string) => readonly string[], string, string][] =
  [
    [(pod) => annotated(`nobody-${pod}`, "container"), "true", "nobody"],
    [(pod) => annotated(pod, "spaceship"), "true", "spaceship"],
    [() => [], "/no/such/program", "/no/such/program"],
    [
      () => ["--log-uri", "file:///proc/none/web.log"],
      "true",
      "No such file",
    ],
  ];

/** A container that cannot be made. */
export async function refusal(world: World, random: Random): Promise<void> {
  const [flags, command, word] = random.pick(refused);
  const name = world.name("r");
  const args = world.containerd.runArgs(name, [command], [
    "--rm",
    ...flags(name),
  ]);
  const { code, stderr } = await world.gate.among(() =>
    world.containerd.run(args)
  );
  world.journal.fault(`refused create (${word})`, name);
  const on: Judged = { name, isLost: false };
  expect(on, "the exit code", code, 1);
  expect(on, `"${word}" in ${stderr}`, stderr.includes(word), true);
}
