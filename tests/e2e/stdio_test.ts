import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../base/clock.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { readBytes } from "../driver.ts";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  useContainerd,
} from "./fixture.ts";
import { create, rig } from "./sandbox_fixture.ts";

useContainerd();

// Opened outside of the tests, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

/** Words as a shell takes them. */
function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

Deno.test({
  name: "20 MiB pass from stdin to stdout intact",
  timeout: limit,
  fn: async () => {
    const input = new Uint8Array(20 * 1024 * 1024);
    for (let at = 0; at < input.length; at += 65536) {
      crypto.getRandomValues(input.subarray(at, at + 65536));
    }
    const ctr = daemon();
    const id = newId();
    // A file: ctr loses the end of what it has to write to a pipe at times.
    const path = `${ctr.dir}/${id}`;
    const process = new Deno.Command("sh", {
      args: [
        ...["-c", 'o=$1; shift; exec "$@" >"$o"', "sh", path],
        ...["ctr", "--address", `${ctr.dir}/containerd.sock`],
        ...ctr.runArgs(id, ["cat"], ["--rm"]),
      ],
      env: ctr.env,
      stdin: "piped",
    }).spawn();
    await new Blob([input]).stream().pipeTo(process.stdin);
    assertEquals((await process.status).code, 0);
    const stdout = await Deno.readFile(path);
    await Deno.remove(path);
    assertEquals(stdout.length, input.length);
    assert(stdout.every((byte, at) => byte === input[at]));
    await assertNothingLeft();
  },
});

Deno.test({
  name:
    "8 MiB of output that a process writes just before it exits arrive whole",
  timeout: limit,
  fn: async () => {
    const script =
      "dd if=/dev/zero bs=65536 count=128 2>/dev/null; echo end >&2";
    const { code, stdout, stderr } = await runContainer(["sh", "-c", script]);
    assertEquals([code, stdout.length, stderr], [0, 8 * 1024 * 1024, "end\n"]);
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const exec = ["task", "exec", "--fifo-dir", `${ctr.dir}/fifo`];
    const burst = await ctr.run([
      ...exec,
      ...["--exec-id", "burst", id, "sh", "-c", `${script}; exit 3`],
    ]);
    assertEquals(
      [burst.code, burst.stdout.length, burst.stderr],
      [3, 8 * 1024 * 1024, "end\n"],
    );
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a client that is busy while the process exits gets all of its output",
  timeout: limit,
  fn: async () => {
    await using it = await rig("busy");
    const { client, bundle } = it;
    await create(client, bundle);
    const length = 300_000;
    const output = await it.member("talker", "", {
      args: ["sh", "-c", `head -c ${length} /dev/zero; exit 3`],
    });
    await create(client, output);
    await client.call(TaskV3, "Start", { id: "talker" });
    const exit = client.call(TaskV3, "Wait", { id: "talker" });
    // More than the graces of guest and shim together.
    await systemClock.sleep(4_000);
    await readBytes(output.output, length);
    assertEquals((await exit).exitStatus, 3);
    for (const id of ["talker", "busy"]) {
      await client.call(TaskV3, "Delete", { id });
    }
  },
});

Deno.test({
  name: "output of a process that exits at once is complete, 20 times",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    for (let i = 0; i < 20; i++) {
      const { code, stdout } = await ctr.run([
        "task",
        "exec",
        "--fifo-dir",
        `${ctr.dir}/fifo`,
        "--exec-id",
        `e${i}`,
        id,
        "echo",
        `line ${i}`,
      ]);
      assertEquals([code, stdout], [0, `line ${i}\n`]);
    }
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a container with a terminal has one, and sees its size",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const args = ctr.runArgs(newId(), [
      "sh",
      "-c",
      // ctr sets the size a moment after the start.
      "until stty size 2>/dev/null | grep -q ' 101'; do usleep 10000; done; " +
      "test -t 0 && test -t 1 && stty size && tty && exit 4",
    ], ["--rm", "--tty"]);
    const address = ["--address", `${ctr.dir}/containerd.sock`];
    const line = quoted(["ctr", ...address, ...args]);
    // script(1) gives ctr the terminal that `--tty` needs.
    const { code, stdout } = await new Deno.Command("script", {
      args: ["-qefc", `stty rows 33 cols 101; ${line}`, "/dev/null"],
      env: ctr.env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertStringIncludes(text, "/dev/pts/0");
    assertStringIncludes(text, "33 101");
    assertEquals(code, 4);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a terminal that gets another size tells the process so",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const script = "until stty size 2>/dev/null | grep '44 120'; do " +
      "echo waiting; sleep 0.1; done";
    const args = ctr.runArgs(newId(), ["sh", "-c", script], ["--rm", "--tty"]);
    const address = ["--address", `${ctr.dir}/containerd.sock`];
    const line = quoted(["ctr", ...address, ...args]);
    const process = new Deno.Command("script", {
      args: ["-qefc", `tty; stty rows 33 cols 101; ${line}`, "/dev/null"],
      env: ctr.env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const resize = async (tty: string, rows: number): Promise<void> => {
      const { success } = await new Deno.Command("stty", {
        args: ["-F", tty, "rows", `${rows}`, "cols", "120"],
      }).output();
      assert(success);
    };
    let text = "";
    for await (
      const part of process.stdout.pipeThrough(new TextDecoderStream())
    ) {
      text += part;
      const [tty] = /\/dev\/pts\/\d+/.exec(text) ?? [];
      if (tty === undefined || !part.includes("waiting")) continue;
      // ctr hears of sizes only from a moment after the start on.
      await resize(tty, 43);
      await resize(tty, 44);
    }
    assertEquals((await process.status).code, 0);
    assertStringIncludes(text, "44 120");
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a process may open /dev/stdout anew",
  timeout: limit,
  fn: async () => {
    const { code, stdout } = await runContainer([
      "sh",
      "-c",
      "echo logged > /dev/stdout",
    ]);
    assertEquals([code, stdout], [0, "logged\n"]);
  },
});

Deno.test({
  name:
    "input that ends before the container runs arrives and ends, also in an exec",
  timeout: limit,
  fn: async () => {
    const input = new TextEncoder().encode("short\n");
    const { code, stdout } = await runContainer(["cat"], [], input);
    assertEquals([code, stdout], [0, "short\n"]);
    const ctr = daemon();
    const id = newId();
    await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], ["--detach"]));
    const exec = ["task", "exec", "--fifo-dir", `${ctr.dir}/fifo`];
    assertEquals(
      await ctr.run([...exec, "--exec-id", "e", id, "cat"], input),
      { code: 0, stdout: "short\n", stderr: "" },
    );
    await remove(id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a process whose output nobody wants can write all the same",
  timeout: limit,
  fn: async () => {
    const script = "seq 100000 && echo done >&2";
    const { code } = await runContainer(["sh", "-c", script], ["--null-io"]);
    assertEquals(code, 0);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "a process that is killed ends although nobody reads its output",
  timeout: limit,
  fn: async () => {
    const ctr = daemon();
    const id = newId();
    const script = "echo up; exec head -c 100000000 /dev/zero";
    const process = ctr.spawn(ctr.runArgs(id, ["sh", "-c", script]));
    const reader = process.stdout.getReader();
    await reader.read(); // and no more, so that ctr takes no more
    await ctr.ctr("task", "delete", "--force", id);
    await reader.cancel();
    await process.stderr.cancel();
    await process.status;
    await ctr.ctr("container", "delete", id);
    await assertNothingLeft();
  },
});

Deno.test({
  name: "output goes to the log file that a client names",
  timeout: limit,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    try {
      const path = `${dir}/logs/web 1.log`;
      const script = "echo out; echo err >&2; head -c 1048576 /dev/zero";
      const flags = ["--log-uri", `file://${path.replace(" ", "%20")}`];
      const { code, stdout } = await runContainer(["sh", "-c", script], flags);
      assertEquals([code, stdout], [0, ""]);
      const text = await Deno.readTextFile(path);
      assertEquals(text.length, "out\nerr\n".length + 1_048_576);
      for (const line of ["out\n", "err\n"]) assertStringIncludes(text, line);
      await assertNothingLeft();
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "a log file that cannot be written is refused before the container is made",
  timeout: limit,
  fn: async () => {
    for (
      const [url, why] of [
        ["file:///proc/none/web.log", "No such file or directory"],
        ["file://server/share/web.log", "expected an absolute path"],
      ] as const
    ) {
      const { code, stderr } = await runContainer(["true"], ["--log-uri", url]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, why);
    }
    await assertNothingLeft();
  },
});
