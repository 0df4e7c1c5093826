/** Containers that run while containerd does not, and clients that come back. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { stateFolders } from "../../sim/state.ts";
import { commandLine, descendants, processesOf } from "../processes.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  withContainerd,
} from "./fixture.ts";

async function restart(): Promise<void> {
  await daemon().halt();
  await daemon().launch();
}

/** The process of a container's machine that has a word in its command line. */
async function processWith(id: string, word: string): Promise<number> {
  const { vm } = await processesOf(stateFolders(`${daemon().dir}/lcow`), id);
  for (const pid of (await descendants(vm)).toReversed()) {
    if ((await commandLine(pid)).includes(word)) return pid;
  }
  throw new Error(`No process of "${id}" has "${word}" in its command line`);
}

/** Deletes a task that has ended. @returns What ctr says of its exit code. */
async function deleteEnded(id: string): Promise<string> {
  const { stderr } = await daemon().run(["task", "delete", id]);
  await daemon().ctr("container", "delete", id);
  return stderr;
}

/** Says what it hears, until it is told to end. */
const hears = "trap 'echo hup' HUP; trap 'echo term; exit 5' TERM; " +
  "echo ready; while :; do sleep 1000 & wait $!; done";

Deno.test({
  name:
    "after a restart of containerd a container can be executed in, signalled, measured and deleted, and its log goes on",
  timeout: limit,
  fn: () =>
    withContainerd(async (ctr) => {
      const id = newId();
      const path = `${ctr.dir}/${id}.log`;
      await ctr.ctr(
        ...ctr.runArgs(id, ["sh", "-c", hears], [
          "--detach",
          "--log-uri",
          `file://${path}`,
        ]),
      );
      await restart();
      assertMatch(
        await ctr.ctr("task", "ls"),
        new RegExp(`${id}\\s+\\d+\\s+RUNNING`),
      );
      const fifos = ["--fifo-dir", `${ctr.dir}/fifo`];
      // The trap is set when the log says so.
      const ready = await ctr.run(
        ["task", "exec", ...fifos, "--exec-id", "e", id, "cat"],
        new TextEncoder().encode("through\n"),
      );
      assertEquals([ready.code, ready.stdout], [0, "through\n"]);
      assertStringIncludes(await ctr.ctr("task", "metrics", id), "memory");
      assertMatch(await ctr.ctr("task", "ps", id), /\d+/);
      await lineOf(path, "ready");
      await ctr.ctr("task", "kill", "--signal", "SIGHUP", id);
      await lineOf(path, "hup");
      await ctr.ctr("task", "kill", "--signal", "SIGTERM", id);
      await lineOf(path, "term");
      await stopped(id);
      assertMatch(await deleteEnded(id), /\b5\b/);
      await assertNothingLeft();
    }),
});

/** Waits until a file has a line. */
async function lineOf(path: string, line: string): Promise<void> {
  using changes = Deno.watchFs(path);
  const has = async () =>
    (await Deno.readTextFile(path)).split("\n").includes(line);
  if (await has()) return;
  for await (const _change of changes) if (await has()) return;
}

/** Waits until containerd lists a task as stopped; it must not lose it. */
async function stopped(id: string): Promise<void> {
  const pattern = new RegExp(`${id}\\s+\\d+\\s+STOPPED`);
  for (;;) {
    const tasks = await daemon().ctr("task", "ls");
    if (pattern.test(tasks)) return;
    assertStringIncludes(tasks, id);
  }
}

Deno.test({
  name:
    "what ended while containerd was down is reported with its exit code when it is back",
  timeout: limit,
  fn: () =>
    withContainerd(async (ctr) => {
      const [killed, said] = [newId(), newId()];
      const script = (code: number): string =>
        `trap 'exit ${code}' TERM; echo up > /tmp/up; ` +
        "while :; do sleep 1000 & wait $!; done";
      for (const id of [killed, said]) {
        await ctr.ctr(
          ...ctr.runArgs(id, ["sh", "-c", script(5)], [
            "--detach",
            "--null-io",
          ]),
        );
        await ctr.ctr(
          ...[
            "task",
            "exec",
            "--fifo-dir",
            `${ctr.dir}/fifo`,
            "--exec-id",
            "e",
          ],
          ...[id, "sh", "-c", "until [ -e /tmp/up ]; do usleep 2000; done"],
        );
      }
      const pids = {
        killed: await processWith(killed, "trap 'exit"),
        said: await processWith(said, "trap 'exit"),
      };
      await ctr.halt();
      Deno.kill(pids.killed, "SIGKILL");
      Deno.kill(pids.said, "SIGTERM");
      await ctr.launch();
      await stopped(killed);
      await stopped(said);
      assertMatch(await deleteEnded(killed), /\b137\b/);
      assertMatch(await deleteEnded(said), /\b5\b/);
      await assertNothingLeft();
    }),
});

/** A client with the streams of a task. */
class Client {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(args: readonly string[]) {
    this.#process = daemon().spawn(args, { stdin: "piped" });
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.getReader();
  }

  async say(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Reads until it has heard something; then forgets it. */
  async hear(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      const { done, value } = await this.#reader.read();
      assert(!done, `ctr ended after "${this.#text}"`);
      this.#text += new TextDecoder().decode(value);
    }
    this.#text = "";
  }

  /** Goes away without a word; or waits for its end. */
  async end(signal?: Deno.Signal): Promise<number> {
    if (signal !== undefined) this.#process.kill(signal);
    while (!(await this.#reader.read()).done);
    await this.#process.stderr.cancel();
    const { code } = await this.#process.status;
    await this.#writer.close().catch(() => {}); // Nobody reads any more.
    return code;
  }
}

Deno.test({
  name:
    "a client that went away without a word can attach again, also after a restart of containerd",
  timeout: limit,
  fn: () =>
    withContainerd(async (ctr) => {
      const id = newId();
      const echo = "while read -r line; do echo heard $line; done; exit 6";
      const first = new Client(ctr.runArgs(id, ["sh", "-c", echo]));
      await first.say("one\n");
      await first.hear("heard one");
      await first.end("SIGKILL");

      const second = new Client(["task", "attach", id]);
      await second.say("two\n");
      await second.hear("heard two");
      await second.end("SIGKILL");

      await restart();
      const third = new Client(["task", "attach", id]);
      await third.say("three\n");
      await third.hear("heard three");
      await ctr.ctr("task", "kill", "--signal", "SIGKILL", id);
      assertEquals(await third.end(), 137);
      await ctr.run(["task", "delete", id]);
      await ctr.ctr("container", "delete", id);
      await assertNothingLeft();
    }),
});

Deno.test({
  name:
    "a shim killed while containerd is down is cleared away when it is back",
  timeout: limit,
  fn: () =>
    withContainerd(async (ctr) => {
      const id = newId();
      await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
      const { shim } = await processesOf(stateFolders(`${ctr.dir}/lcow`), id);
      await ctr.halt();
      Deno.kill(shim, "SIGKILL");
      await ctr.launch();
      await assertNothingLeft();
      assertEquals(await ctr.ctr("task", "ls", "--quiet"), "");
      await remove(id);
      assertEquals((await runContainer(["echo", "next"])).stdout, "next\n");
      await assertNothingLeft();
    }),
});
