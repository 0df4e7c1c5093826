/** `lcow exec`: commands in the VM of a shim, run from a shell. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { deadline, systemClock } from "../../base/clock.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import { stateFolders } from "../../sim/state.ts";
import {
  commandLine,
  descendants,
  processesOf,
  readProc,
} from "../processes.ts";
import { type Rig, rig } from "./sandbox_fixture.ts";

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

const shim =
  new URL("../../bin/containerd-shim-lcow-v2", import.meta.url).pathname;

const timeout = 120_000;

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Text as it comes from a stream. */
class Text {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #decoder = new TextDecoder();
  /** What has come. */
  seen = "";

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
  }

  /** Reads until this has come. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.seen)) {
      const { value, done } = await this.#reader.read();
      assert(!done, `Only ${JSON.stringify(this.seen)} came`);
      this.seen += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Nobody reads any more. */
  async close(): Promise<void> {
    await this.#reader.cancel();
  }
}

/** A sandbox whose VM runs, and what asks it. */
class Scene {
  readonly id: string;
  readonly rig: Rig;

  constructor(id: string, rig: Rig) {
    this.id = id;
    this.rig = rig;
  }

  /** Where the command line makes its temporary files. */
  get temporary(): string {
    return `${this.rig.dir}/tmp`;
  }

  /** What finds the shim, and where its temporary files are. */
  get env(): Record<string, string> {
    return { LCOW_STATE: `${this.rig.dir}/lcow`, TMPDIR: this.temporary };
  }

  /** The processes in the VM whose command line has a word. */
  async processesWith(word: string): Promise<number[]> {
    const state = stateFolders(`${this.rig.dir}/lcow`);
    const { agent } = await processesOf(state, this.id);
    const found: number[] = [];
    for (const pid of await descendants(agent)) {
      const words = (await commandLine(pid)).split(" ");
      if (words.includes(word)) found.push(pid);
    }
    return found;
  }

  /** Starts `lcow exec` with its input open. */
  spawn(...args: string[]): Deno.ChildProcess {
    return new Deno.Command(shim, {
      args: ["lcow", "exec", ...args],
      env: this.env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs `lcow exec`; its input stays open when none is given. */
  async run(
    args: readonly string[],
    input?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Ending> {
    const child = this.spawn(...args);
    const writer = child.stdin.getWriter();
    if (input !== undefined) {
      const bytes = typeof input === "string"
        ? new TextEncoder().encode(input)
        : input;
      // It may end before it has read everything.
      writer.write(bytes).then(() => writer.close()).catch(() => {});
    }
    const { code, stdout, stderr } = await child.output();
    await writer.close().catch(() => {});
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }
}

async function withVm(
  id: string,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using it = await rig(id);
  const { client, dir } = it;
  await client.call(Sandbox, "CreateSandbox", {
    sandboxId: id,
    bundlePath: it.bundle.path,
  });
  await client.call(Sandbox, "StartSandbox", { sandboxId: id });
  await Deno.mkdir(`${dir}/tmp`);
  const scene = new Scene(id, it);
  await test(scene);
  assertEquals(await Array.fromAsync(Deno.readDir(scene.temporary)), []);
}

/** Waits until a process has ended. */
async function ended(pid: number): Promise<void> {
  while (await readProc(`/proc/${pid}/cmdline`) !== "") {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test({
  name:
    "lcow exec has output and errors apart, the input to its end, the folder and the exit code",
  timeout,
  fn: () =>
    withVm("exec1", async (scene) => {
      const { id } = scene;
      const script = "pwd; echo oops >&2; cat; exit 7";
      assertEquals(
        await scene.run(["-w", "/tmp", id, "--", "sh", "-c", script], "typed"),
        { code: 7, stdout: "/tmp\ntyped", stderr: "oops\n" },
      );
      assertEquals(await scene.run([id, "cat"], ""), {
        code: 0,
        stdout: "",
        stderr: "",
      });
      const missing = await scene.run([id, "/no/such", "--json"]);
      assertEquals([missing.code, missing.stdout], [1, ""]);
      assertMatch(
        missing.stderr,
        /^containerd-shim-lcow-v2: failed to exec into host: .*\/no\/such.*\n$/,
      );
      const terminal = await scene.run(["-t", id, "sh"], "");
      assertEquals(terminal.code, 1);
      assertStringIncludes(terminal.stderr, "needs a terminal");
    }),
});

Deno.test({
  name: "1 MiB goes through lcow exec whole, and 8 MiB of output arrive",
  timeout,
  fn: () =>
    withVm("exec2", async (scene) => {
      const bytes = new Uint8Array(1024 * 1024);
      for (let at = 0; at < bytes.length; at++) bytes[at] = 97 + at % 23;
      const { code, stdout, stderr } = await scene.run(
        [scene.id, "cat"],
        bytes,
      );
      assertEquals([code, stderr], [0, ""]);
      assert(stdout === new TextDecoder().decode(bytes));
      const burst = "dd if=/dev/zero bs=65536 count=128 2>&- | tr '\\0' a";
      const output = await scene.run([scene.id, "sh", "-c", burst]);
      assertEquals([output.code, output.stdout.length], [0, 8 * 1024 * 1024]);
    }),
});

Deno.test({
  name:
    "20 commands that do not read their open input end, and nothing is left",
  timeout,
  fn: () =>
    withVm("exec3", async (scene) => {
      const { pid } = await scene.rig.client.call(ShimDiag, "DiagPid", {});
      const open = async (): Promise<number> =>
        (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
      await scene.run([scene.id, "true"]);
      const before = await open();
      for (let times = 0; times < 20; times++) {
        const script = `echo ${times}; exit ${times}`;
        assertEquals(
          await scene.run(
            [scene.id, "sh", "-c", script],
            times % 2 === 0 ? undefined : "x".repeat(300_000),
          ),
          { code: times, stdout: `${times}\n`, stderr: "" },
        );
        const left = await Array.fromAsync(Deno.readDir(scene.temporary));
        assertEquals(left, []);
      }
      // It closes the last ones a moment after the command has ended.
      await deadline(
        systemClock,
        30_000,
        `The end of descriptors of the shim, which had ${before},`,
        async (signal) => {
          while (await open() > before) await systemClock.sleep(20, signal);
        },
      );
    }),
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `${signal} ends lcow exec with 130 and its command in the VM`,
    timeout,
    fn: () =>
      withVm(`exec-${signal.toLowerCase()}`, async (scene) => {
        const script = "echo up; read x";
        const child = scene.spawn(scene.id, "sh", "-c", script, "marked");
        const output = new Text(child.stdout);
        await output.until(/up\n/);
        const [pid] = await scene.processesWith("marked");
        assert(pid !== undefined);
        child.kill(signal);
        assertEquals((await child.status).code, 130);
        await ended(pid);
        await output.close();
        await child.stderr.cancel();
        await child.stdin.close();
      }),
  });
}

Deno.test({
  name:
    "lcow exec whose output nobody reads any more ends with 141, and so does its command",
  timeout,
  fn: () =>
    withVm("exec5", async (scene) => {
      const script = "while echo y; do :; done";
      const child = scene.spawn(scene.id, "sh", "-c", script, "marked");
      const output = new Text(child.stdout);
      await output.until(/y\n/);
      const [pid] = await scene.processesWith("marked");
      assert(pid !== undefined);
      await output.close();
      assertEquals((await child.status).code, 141);
      await ended(pid);
      await child.stderr.cancel();
      await child.stdin.close();
    }),
});

Deno.test({
  name:
    "lcow exec -t passes every key on, Ctrl-C too, and gives the terminal back as it was",
  timeout,
  fn: () =>
    withVm("exec6", async (scene) => {
      const line = `${shim} lcow exec -t ${scene.id} sh; echo "code $?"; ` +
        "stty -a | grep -ow -e '-\\?isig' -e '-\\?icanon'";
      // script(1) gives it the terminal.
      const child = new Deno.Command("script", {
        args: ["-qefc", line, "/dev/null"],
        env: scene.env,
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const writer = child.stdin.getWriter();
      const type = (text: string): Promise<void> =>
        writer.write(new TextEncoder().encode(text));
      const output = new Text(child.stdout);
      await output.until(/# $/);
      await type("test -t 0 && test -t 1 && echo i''s one; sleep 1000\r");
      await output.until(/is one/);
      while ((await scene.processesWith("sleep")).length === 0);
      await type("\u0003");
      await output.until(/\^C[^]*# $/);
      assertEquals(await scene.processesWith("sleep"), []);
      await type("exit 5\r");
      await output.until(/code 5\r\nisig\r\nicanon\r\n$/);
      await writer.close();
      assertEquals((await child.status).success, true);
      await output.close();
    }),
});
