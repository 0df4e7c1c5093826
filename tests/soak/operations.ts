/**
 * What a client does with a running container, and what has to come of it.
 *
 * @module
 */

import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../../ttrpc/api/task_types.gen.ts";
import { VmLost } from "./judge.ts";
import { Exec, type Target } from "./target.ts";

/** One kind of operation. */
export interface Operation {
  /** How often it is chosen. */
  readonly weight: number;
  /** Does it. Fails when something comes of it that the model does not allow. */
  run(target: Target): Promise<void>;
}

const sigKill = 9;

/** Signals that end a process which does nothing about them. */
const deadly = [1, 2, sigKill, 10, 12, 15];

/** Words in which a shell takes nothing for its own. */
function text(target: Target, length: number): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length }, () => target.random.pick([...letters])).join(
    "",
  );
}

/** Runs a process to its end and deletes it, waited for by several. */
async function toItsEnd(
  target: Target,
  exec: Exec,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<number | undefined> {
  const early = exec.wait();
  early.catch(() => {}); // It is awaited below, unless the start fails.
  await exec.start();
  const doing = meanwhile();
  doing.catch(() => {}); // It fails below, or its process is lost.
  await Promise.race([doing, early]);
  // Nobody reads the input of what was lost.
  if (!target.isLost) await doing;
  const codes = await Promise.all([early, exec.wait()]);
  target.expect("the second wait", codes[1], codes[0]);
  target.expect("the exit code of the delete", await exec.delete(), codes[0]);
  return codes[0];
}

async function echo(target: Target): Promise<void> {
  const [out, err] = [text(target, 30), text(target, 30)];
  const code = target.random.between(0, 120);
  await using exec = new Exec(target);
  await exec.create(["sh", "-c", `echo ${out}; echo ${err} >&2; exit ${code}`]);
  target.expect("the exit code", await toItsEnd(target, exec), code);
  target.expect("stdout", await exec.text("stdout"), `${out}\n`);
  target.expect("stderr", await exec.text("stderr"), `${err}\n`);
}

async function burst(target: Target): Promise<void> {
  const length = target.random.between(1, 4 * 1024 * 1024);
  await using exec = new Exec(target);
  await exec.create(["head", "-c", `${length}`, "/dev/zero"]);
  target.expect("the exit code", await toItsEnd(target, exec), 0);
  const bytes = await exec.bytes("stdout");
  target.expect("the length of the output", bytes.length, length);
  target.expect("a byte of it", bytes.find((byte) => byte !== 0), undefined);
}

async function cat(target: Target): Promise<void> {
  const sent = text(target, target.random.between(0, 200_000));
  await using exec = new Exec(target, { stdin: true });
  await exec.create(["cat"]);
  const code = await toItsEnd(target, exec, async () => {
    await exec.input?.write(new TextEncoder().encode(sent));
    await exec.input?.close();
    await target.call("CloseIO", { ...exec.ids, stdin: true });
  });
  target.expect("the exit code", code, 0);
  const came = await exec.text("stdout");
  target.expect("the length of what came back", came.length, sent.length);
  target.expect("what came back", came === sent, true);
}

async function terminal(target: Target): Promise<void> {
  const [width, height] = [
    target.random.between(20, 300),
    target.random.between(10, 100),
  ];
  const script =
    `until [ "$(stty size 2>/dev/null)" = "${height} ${width}" ]; do usleep 2000; done; echo fits`;
  await using exec = new Exec(target, { terminal: true });
  await exec.create(["sh", "-c", script]);
  const code = await toItsEnd(target, exec, async () => {
    await target.call("ResizePty", { ...exec.ids, width, height });
  });
  target.expect("the exit code", code, 0);
  target.expect("the output", await exec.text("stdout"), "fits\r\n");
}

async function killed(target: Target): Promise<void> {
  const signal = target.random.pick(deadly);
  await using exec = new Exec(target, { silent: target.random.chance(0.5) });
  await exec.create(["sleep", "1000"]);
  const code = await toItsEnd(target, exec, () => exec.kill(signal));
  target.expect("the exit code", code, 128 + signal);
}

/** Kills, waits, deletes and questions at once. */
async function race(target: Target): Promise<void> {
  await using exec = new Exec(target, { silent: true });
  await exec.create(["sleep", "1000"]);
  await exec.start();
  const started = [
    () => exec.kill(sigKill, ["ok", "NotFound"]),
    () => exec.kill(15, ["ok", "NotFound"]),
    () => exec.wait(["ok", "NotFound"]),
    () => exec.delete(["ok", "NotFound", "FailedPrecondition"]),
    () => exec.delete(["ok", "NotFound", "FailedPrecondition"]),
    () => target.call("State", exec.ids, ["ok", "NotFound"]),
    () => target.call("Pids", { id: target.name }),
  ].sort(() => target.random.next() - 0.5);
  const ends = await Promise.allSettled(started.map((start) => start()));
  const failures = ends.filter(({ status }) => status === "rejected")
    .map((end) => (end as PromiseRejectedResult).reason);
  if (failures.length > 0) {
    // A wrong outcome says more than the loss of the machine.
    throw failures.find((each) => !(each instanceof VmLost)) ?? failures[0];
  }
  await exec.wait(["ok", "NotFound"]);
  await exec.delete(["ok", "NotFound"]);
  await target.call("State", exec.ids, ["NotFound"]);
}

/** A client that reads a little and goes away does not keep a process. */
async function readerGone(target: Target): Promise<void> {
  await using exec = new Exec(target);
  await exec.create(["head", "-c", "20000000", "/dev/zero"]);
  await exec.start();
  await exec.stopReading();
  await exec.kill(sigKill);
  const code = await exec.wait();
  target.expect("the exit code", code === 137 || code === 0, true);
  await exec.delete();
}

/** Output that nobody wants does not keep a process either. */
async function discarded(target: Target): Promise<void> {
  await using exec = new Exec(target, { silent: true });
  await exec.create(["head", "-c", "1000000", "/dev/zero"]);
  target.expect("the exit code", await toItsEnd(target, exec), 0);
}

async function questions(target: Target): Promise<void> {
  const { name: id } = target;
  const state = await target.call("State", { id });
  target.expect("the state", state?.status, TaskStatus.RUNNING);
  await target.call("Stats", { id });
  const pids = await target.call("Pids", { id });
  target.expect(
    "init among the processes",
    pids?.processes.some(({ pid }) => pid === state?.pid),
    true,
  );
}

async function update(target: Target): Promise<void> {
  const limit = target.random.between(64, 512) * 1024 * 1024;
  await target.call("Update", {
    id: target.name,
    resources: {
      typeUrl:
        "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
      value: new TextEncoder().encode(
        JSON.stringify({ memory: { limit }, cpu: { shares: 512 } }),
      ),
    },
  });
}

/** What must be refused, and change nothing. */
async function refusals(target: Target): Promise<void> {
  const { name: id } = target;
  const spec = (value: string) => ({
    typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
    value: new TextEncoder().encode(value),
  });
  await target.call("Start", { id }, ["FailedPrecondition"], "Start again");
  await target.call("Delete", { id, execId: "none" }, ["NotFound"]);
  await target.call("Kill", { id: "none", signal: 9 }, ["NotFound"]);
  await target.call("Wait", { id, execId: "none" }, ["NotFound"]);
  await target.call("Kill", { id, signal: 4711 }, ["InvalidArgument"]);
  await target.call("Pause", { id }, ["NotImplemented"]);
  await target.call("Exec", { id, execId: "", spec: spec("{}") }, [
    "InvalidArgument",
  ]);
  await target.call("Exec", { id, execId: "bad", spec: spec("{") }, [
    "InvalidArgument",
  ]);
  await target.call(
    "Exec",
    { id, execId: "bad", spec: spec("{}"), stdout: "/no/such/fifo" },
    ["InvalidArgument", "NotFound"],
  );
  await target.call("Delete", { id, execId: "bad" }, ["NotFound"]);
  await target.call("Create", { id, bundle: "/no/such/bundle" }, [
    "AlreadyExists",
  ]);
}

/** A program that is not there, and an id that is taken. */
async function badExecs(target: Target): Promise<void> {
  await using exec = new Exec(target);
  await exec.create(["/no/such/program"]);
  await target.call("Exec", {
    ...exec.ids,
    spec: {
      typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
      value: new TextEncoder().encode("{}"),
    },
  }, ["AlreadyExists"]);
  await exec.start(["Unknown"]);
  await exec.wait();
  await exec.delete();
}

/** A client that goes away in the middle of its calls. */
async function disconnect(target: Target): Promise<void> {
  const { world, group } = target;
  const client = await group.connect();
  await using exec = new Exec(target, { silent: true });
  await exec.create(["sleep", "1000"]);
  world.journal.fault("client disconnected in a call", target.name);
  const calls = [
    client.call(TaskV2, "Wait", { id: target.name }),
    client.call(TaskV2, "Wait", exec.ids),
    client.call(TaskV2, "Start", exec.ids),
    client.call(TaskV2, "Stats", { id: target.name }),
  ];
  const answered = Promise.allSettled(calls);
  if (target.random.chance(0.5)) await Promise.allSettled(calls.slice(3));
  await client.close();
  await answered;
  await target.call("State", { id: target.name });
  await exec.kill(sigKill, ["ok", "NotFound"]);
  await exec.wait();
  await exec.delete();
}

async function ctrExec(target: Target): Promise<void> {
  const { world, name: id } = target;
  const sent = text(target, target.random.between(1, 2000));
  const answer = await world.ctr(target, "ctr task exec", ["ok"], [
    "task",
    "exec",
    "--fifo-dir",
    `${world.containerd.dir}/fifo`,
    "--exec-id",
    world.name("c"),
    id,
    "cat",
  ], new TextEncoder().encode(sent));
  if ("stdout" in answer) {
    target.expect("what came back through ctr", answer.stdout, sent);
  }
}

async function ctrQuestions(target: Target): Promise<void> {
  const { world, name: id } = target;
  await world.ctr(target, "ctr task metrics", ["ok"], ["task", "metrics", id]);
  await world.ctr(target, "ctr task ps", ["ok"], ["task", "ps", id]);
  // The init process ignores it.
  await world.ctr(target, "ctr task kill", ["ok"], [
    "task",
    "kill",
    "--signal",
    "SIGHUP",
    id,
  ]);
}

/** Through the shim, for every container. */
const common: readonly Operation[] = [
  { weight: 8, run: echo },
  { weight: 3, run: burst },
  { weight: 4, run: cat },
  { weight: 5, run: killed },
  { weight: 6, run: race },
  { weight: 2, run: readerGone },
  { weight: 3, run: discarded },
  { weight: 4, run: questions },
  { weight: 3, run: refusals },
  { weight: 3, run: badExecs },
  { weight: 4, run: disconnect },
];

/** For a pod's sandbox container that `ctr` made; its limits are its VM's. */
export const sandboxOperations: readonly Operation[] = [
  ...common,
  { weight: 3, run: terminal },
  { weight: 4, run: ctrExec },
  { weight: 3, run: ctrQuestions },
];

/** For a workload that `ctr` made. */
export const ctrOperations: readonly Operation[] = [
  ...sandboxOperations,
  { weight: 3, run: update },
];

/** For a workload that containerd does not know; it has no `/dev/pts`. */
export const directOperations: readonly Operation[] = [
  ...common,
  { weight: 3, run: update },
];
