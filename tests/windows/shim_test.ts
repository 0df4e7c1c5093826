/**
 * The whole shim, run by the Windows build of Deno under Wine, drives real Linux
 * containers: named pipes, fake DLLs, simulated host, guest agent, OCI runtime.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { stopWine } from "./setup.ts";
import { execSpec, ShimWorld, type Started } from "./shim_world.ts";

/** Bound of one test, milliseconds. */
const timeout = 60_000;

Deno.test.afterAll(stopWine);

const sleeper = ["/bin/sh", "-c", "echo up; exec sleep 600"];

/** Starts a shim and the task of its bundle. @returns Address and pipes. */
async function run(
  host: ShimWorld,
  id: string,
  args: readonly string[],
  terminal = false,
): Promise<{ address: string; stdin: string; stdout: string; stderr: string }> {
  await host.bundle(id, { args, terminal });
  const address = await host.start(id);
  const pipes = await host.pipes(id, terminal);
  const request = host.createRequest(id, pipes, terminal);
  await host.call(address, "Create", request);
  await host.call(address, "Start", { id, execId: "" });
  return { address, ...pipes };
}

/** Deletes the task, ends the shim, and looks that nothing is left. */
async function end(
  host: ShimWorld,
  address: string,
  id: string,
): Promise<void> {
  await host.call(address, "Delete", { id, execId: "" });
  await shutDown(host, address, id);
}

async function shutDown(
  host: ShimWorld,
  address: string,
  id: string,
): Promise<void> {
  // The connection may break before the answer comes.
  await host.call(address, "Shutdown", { id, now: false }).catch(() => {});
  await host.do("closed", { address });
  assertEquals(await host.leftovers(), []);
}

/** Process ids of what the simulated machines consist of. */
async function machines(
  host: ShimWorld,
): Promise<{ vm: number; agent: number }[]> {
  const found: { vm: number; agent: number }[] = [];
  const folder = `${host.dir}/lcow/vm`;
  for await (const { name } of Deno.readDir(folder)) {
    const record = await Deno.readTextFile(`${folder}/${name}/system.json`);
    const vm: number = JSON.parse(record).vm.pid;
    const [init = 0] = await children(vm);
    const [agent = 0] = await children(init);
    found.push({ vm, agent });
  }
  return found;
}

async function children(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  const text = await Deno.readTextFile(path);
  return text.trim().split(/\s+/).map(Number);
}

Deno.test({
  name:
    "start under Wine prints one answer, and a container lives from create to delete",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const script = "echo hello; echo oops >&2; read x; echo got $x; exit 3";
    const id = "life";
    const { address, ...pipes } = await run(host, id, [
      "/bin/sh",
      "-c",
      script,
    ]);
    assertEquals(
      address,
      "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\containerd-shim-test-life-pipe",
    );
    assertMatch(await host.output(pipes.stdout, "hello"), /^hello\n/);
    await host.do("input", { pipe: pipes.stdin, text: "dear\n" });
    const { exitStatus } = await host.call(address, "Wait", {
      id,
      execId: "",
    });
    assertEquals(exitStatus, 3);
    assertEquals(await host.output(pipes.stdout), "hello\ngot dear\n");
    assertEquals(await host.output(pipes.stderr), "oops\n");
    await end(host, address, id);
    const topics = await host.topics();
    assertEquals(topics.slice(-4), [
      "/tasks/create",
      "/tasks/start",
      "/tasks/exit",
      "/tasks/delete",
    ]);
  },
});

Deno.test({
  name:
    "lcow under Wine runs a command in the VM over pipes that it serves, and tells the metrics",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const id = "exec";
    const { address } = await run(host, id, sleeper);
    const script = "pwd; echo oops >&2; cat; exit 6";
    const typed = "typed".repeat(50_000);
    const lcow = (...args: string[]) =>
      host.do("lcow", { address, args, input: typed }) as Promise<Started>;
    assertEquals(
      await lcow("exec", "-w", "/tmp", id, "--", "/bin/sh", "-c", script),
      { code: 6, stdout: `/tmp\n${typed}`, stderr: "oops\n" },
    );
    const nothing = { code: 0, stdout: "", stderr: "" };
    assertEquals(await lcow("exec", id, "/bin/true"), nothing);
    const missing = await lcow("exec", id, "/no/such");
    assertMatch(missing.stderr, /failed to exec into host: /);
    const { code, stdout } = await lcow("metrics", id);
    assertEquals(code, 0);
    assertMatch(stdout, /^lcow_tasks\{namespace="test",sandbox="exec",/m);
    await host.call(address, "Kill", { id, execId: "", signal: 9 });
    await host.call(address, "Wait", { id, execId: "" });
    await end(host, address, id);
  },
});

Deno.test({
  name: "8 MiB of output under Wine arrive whole before the exit",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const id = "burst";
    const script = "head -c 8388608 /dev/zero | tr '\\0' a; echo end";
    const { address, stdout } = await run(host, id, ["/bin/sh", "-c", script]);
    await host.call(address, "Wait", { id, execId: "" });
    const output = await host.output(stdout);
    assertEquals(output.length, 8 * 1024 * 1024 + "end\n".length);
    assert(output.endsWith("aend\n"));
    await end(host, address, id);
  },
});

Deno.test({
  name:
    "output under Wine waits for a reader that comes back, and the log pipe tells of it",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const id = "reader";
    const script = "echo one; read x; echo two; read x; echo three";
    const task = await run(host, id, ["/bin/sh", "-c", script]);
    const log = "\\\\.\\pipe\\containerd-shim-test-reader-log";
    await host.do("dial", { pipe: log });
    await host.output(task.stdout, "one");
    await host.do("close", { pipe: task.stdout });
    await host.do("input", { pipe: task.stdin, text: "\n" });
    const text = await host.output(log, "dialled again");
    const lines = text.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(new Set(lines.map(({ shim }) => shim)), new Set([id]));
    await host.do("serve", { pipe: task.stdout });
    await host.output(task.stdout, "two");
    await host.do("input", { pipe: task.stdin, text: "\n" });
    await host.call(task.address, "Wait", { id, execId: "" });
    assertEquals(await host.output(task.stdout), "two\nthree\n");
    await end(host, task.address, id);
  },
});

Deno.test({
  name:
    "execs under Wine run in the container, with a terminal whose size follows, and end by signals",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const id = "exec";
    const { address, stdout } = await run(host, id, sleeper);
    await host.output(stdout, "up");
    const probe = { id, execId: "probe" };
    const plain = await host.pipes("probe");
    const args = ["/bin/sh", "-c", "cat; echo done; exit 7"];
    await host.call(address, "Exec", {
      ...probe,
      ...plain,
      spec: execSpec({ args }),
    });
    await host.call(address, "Start", probe);
    await host.do("input", { pipe: plain.stdin, text: "in and out\n" });
    await host.output(plain.stdout, "in and out");
    await host.call(address, "CloseIO", { ...probe, stdin: true });
    const waited = await host.call(address, "Wait", probe);
    assertEquals(waited["exitStatus"], 7);
    assertEquals(await host.output(plain.stdout), "in and out\ndone\n");
    await host.call(address, "Delete", probe);

    const shell = { id, execId: "shell" };
    const tty = await host.pipes("shell", true);
    const spec = execSpec({ args: ["/bin/sh"], terminal: true });
    await host.call(address, "Exec", {
      ...shell,
      ...tty,
      terminal: true,
      spec,
    });
    await host.call(address, "Start", shell);
    await host.call(address, "ResizePty", {
      ...shell,
      width: 101,
      height: 37,
    });
    await host.do("input", { pipe: tty.stdin, text: "stty size\n" });
    assertMatch(await host.output(tty.stdout, "37 101"), /37 101/);
    await host.call(address, "Kill", { ...shell, signal: 9 });
    const killed = await host.call(address, "Wait", shell);
    assertEquals(killed["exitStatus"], 137);
    await host.call(address, "Delete", shell);

    await host.call(address, "Kill", { id, signal: 15, all: true });
    await host.call(address, "Kill", { id, signal: 9, all: true });
    await host.call(address, "Wait", { id, execId: "" });
    await end(host, address, id);
  },
});

Deno.test({
  name: "members of a pod share one shim under Wine; a second pod has its own",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const annotations = (type: string): Record<string, string> => ({
      "io.kubernetes.cri.container-type": type,
      "io.kubernetes.cri.sandbox-id": "pod1",
    });
    await host.bundle("pod1", { args: sleeper }, annotations("sandbox"));
    await host.bundle("web", { args: sleeper }, annotations("container"));
    const address = await host.start("pod1");
    for (const id of ["pod1", "web"]) {
      assertEquals(await host.start(id), address);
      const pipes = await host.pipes(id);
      const request = host.createRequest(id, pipes);
      await host.call(address, "Create", request);
      await host.call(address, "Start", { id, execId: "" });
      await host.output(pipes.stdout, "up");
    }
    const other = await run(host, "pod2", sleeper);
    assert(other.address !== address);
    assertEquals((await machines(host)).length, 2);
    for (
      const [where, id] of [
        [address, "web"],
        [address, "pod1"],
        [other.address, "pod2"],
      ] as const
    ) {
      await host.call(where, "Kill", { id, signal: 9 });
      await host.call(where, "Wait", { id, execId: "" });
      await host.call(where, "Delete", { id, execId: "" });
    }
    await host.call(address, "Shutdown", { id: "pod1" }).catch(() => {});
    await host.do("closed", { address });
    await shutDown(host, other.address, "pod2");
  },
});

Deno.test({
  name:
    "a VM that crashes ends the waits of its tasks under Wine, and nothing is left",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const id = "crash";
    const { address, stdout } = await run(host, id, sleeper);
    await host.output(stdout, "up");
    const waited = host.call(address, "Wait", { id, execId: "" });
    const [machine] = await machines(host);
    Deno.kill(machine!.vm, "SIGKILL");
    const { exitStatus } = await waited;
    assert(Number(exitStatus) > 0, `exit status ${exitStatus}`);
    await end(host, address, id);
  },
});

Deno.test({
  name:
    "a guest agent that dies ends the waits of its tasks under Wine, and nothing is left",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const id = "lost";
    const { address, stdout } = await run(host, id, sleeper);
    await host.output(stdout, "up");
    const waited = host.call(address, "Wait", { id, execId: "" });
    const [machine] = await machines(host);
    Deno.kill(machine!.agent, "SIGKILL");
    const { exitStatus } = await waited;
    assert(Number(exitStatus) > 0, `exit status ${exitStatus}`);
    await end(host, address, id);
  },
});

Deno.test({
  name: "`delete` under Wine answers for a task whose shim is gone",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    await host.bundle("gone", { args: sleeper });
    const { code, stderr } = await host.shim("gone", "delete");
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  },
});

Deno.test({
  name: "`start` under Wine says in one line why it cannot, and exits with 1",
  timeout,
  fn: async () => {
    await using host = await ShimWorld.create();
    const path = await host.bundle("bad", { args: sleeper });
    await Deno.writeTextFile(`${path}/config.json`, "{");
    const { code, stdout, stderr } = await host.shim("bad", "start");
    assertEquals(code, 1);
    assertEquals(stdout, "");
    assertMatch(
      stderr,
      /^containerd-shim-lcow-v2: [^\n]*config\.json[^\n]*\n$/,
    );
    assertEquals(await host.leftovers(), []);
  },
});
