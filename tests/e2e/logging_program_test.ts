import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  assertNothingLeft,
  daemon,
  limit,
  newId,
  remove,
  runContainer,
  shimPid,
  useContainerd,
} from "./fixture.ts";

useContainerd();

/** Writes a logging program into a folder: descriptors 3 and 4 are the outputs, 5 is the readiness. */
async function loggerIn(dir: string, script: string): Promise<string> {
  const path = `${dir}/logger`;
  const text = `#!/bin/sh\ncd ${dir}\n${script}\n`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  return path;
}

/** A program that keeps what it gets, and says when it has ended. */
const keepingLogger = `
echo "$$" >pid
printf '%s\\n' "$@" "$CONTAINER_ID" "$CONTAINER_NAMESPACE" >facts
cat <&3 >out & cat <&4 >err &
printf x >&5
exec 3<&- 4<&- 5>&-
wait
echo over >ended`;

async function withFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
    await assertNothingLeft();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test({
  name:
    "host:O17 output goes to the logging program that a client names, whole, before the exit is told",
  timeout: limit,
  fn: () =>
    withFolder(async (dir) => {
      const logger = await loggerIn(dir, keepingLogger);
      const script =
        "echo out; echo err >&2; head -c 1048576 /dev/zero; exit 3";
      const url = `binary://${logger}?--to=web%201&-v`;
      const ctr = daemon();
      const id = newId();
      const flags = ["--rm", "--log-uri", url];
      const { code, stdout } = await ctr.run(
        ctr.runArgs(id, ["sh", "-c", script], flags),
      );
      assertEquals([code, stdout], [3, ""]);
      const read = (name: string) => Deno.readTextFile(`${dir}/${name}`);
      assertEquals((await read("out")).length, "out\n".length + 1_048_576);
      assertEquals(await read("err"), "err\n");
      assertEquals(await read("ended"), "over\n");
      assertEquals(await read("facts"), `--to\nweb 1\n-v\n${id}\ndefault\n`);
    }),
});

Deno.test({
  name: "a container that is deleted by force ends its logging program",
  timeout: limit,
  fn: () =>
    withFolder(async (dir) => {
      const logger = await loggerIn(dir, keepingLogger);
      const ctr = daemon();
      const id = newId();
      const flags = ["--detach", "--log-uri", `binary://${logger}`];
      await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], flags));
      const pid = (await Deno.readTextFile(`${dir}/pid`)).trim();
      await Deno.stat(`/proc/${pid}`);
      await remove(id);
      await assertRejects(
        () => Deno.stat(`/proc/${pid}`),
        Deno.errors.NotFound,
      );
      assertEquals(await Deno.readTextFile(`${dir}/ended`), "over\n");
    }),
});

Deno.test({
  name: "a container runs on when its logging program is gone",
  timeout: limit,
  fn: () =>
    withFolder(async (dir) => {
      const logger = await loggerIn(
        dir,
        'printf x >&5\nread -r line <&3\necho "$line" >line',
      );
      const script =
        "echo first; head -c 4194304 /dev/zero; echo x >&2; exit 6";
      const { code } = await runContainer(["sh", "-c", script], [
        "--log-uri",
        `binary://${logger}`,
      ]);
      assertEquals(code, 6);
      assertEquals(await Deno.readTextFile(`${dir}/line`), "first\n");
    }),
});

Deno.test({
  name:
    "a logging program that is not ready fails the create, and leaves nothing",
  timeout: limit,
  fn: () =>
    withFolder(async (dir) => {
      const logger = await loggerIn(dir, "exit 7");
      for (
        const [url, why] of [
          [`binary://${logger}`, "ended with code 7 before it was ready"],
          [`binary://${dir}/none`, "no such file or directory"],
        ] as const
      ) {
        const { code, stderr } = await runContainer(["true"], [
          "--log-uri",
          url,
        ]);
        assertEquals(code, 1);
        assertStringIncludes(stderr, why);
      }
    }),
});

Deno.test({
  name: "an exec has a logging program of its own beside that of its container",
  timeout: limit,
  fn: () =>
    withFolder(async (dir) => {
      await Deno.mkdir(`${dir}/exec`);
      const ctr = daemon();
      const id = newId();
      const flags = ["--detach", "--log-uri"];
      const ofInit = `binary://${await loggerIn(dir, keepingLogger)}`;
      const ofExec = `binary://${await loggerIn(`${dir}/exec`, keepingLogger)}`;
      const until = (file: string) =>
        `until test -e ${file}; do usleep 10000; done`;
      const script = `${
        until("/tmp/go")
      }; echo init; touch /tmp/done; sleep 1000`;
      const args = ctr.runArgs(id, ["sh", "-c", script], [...flags, ofInit]);
      await ctr.ctr(...args);
      const exec = [
        "sh",
        "-c",
        `echo exec; touch /tmp/go; ${until("/tmp/done")}; exit 4`,
      ];
      const { code } = await ctr.run([
        "task",
        "exec",
        ...["--exec-id", "e", "--log-uri", ofExec],
        id,
        ...exec,
      ]);
      assertEquals(code, 4);
      const read = (name: string) => Deno.readTextFile(`${dir}/${name}`);
      assertEquals(await read("exec/out"), "exec\n");
      assertEquals(await read("exec/ended"), "over\n");
      assertEquals(await read("exec/facts"), `${id}\ndefault\n`);
      await remove(id);
      assertEquals(await read("out"), "init\n");
    }),
});

Deno.test({
  name:
    "the output of a shim that is killed ends, so that its logging program does",
  timeout: limit,
  fn: () =>
    withFolder(async (dir) => {
      const fifo = `${dir}/over`;
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      const logger = await loggerIn(dir, `${keepingLogger}\necho over >over`);
      const ctr = daemon();
      const id = newId();
      const flags = ["--detach", "--log-uri", `binary://${logger}`];
      await ctr.ctr(...ctr.runArgs(id, ["sleep", "1000"], flags));
      Deno.kill(await shimPid(id), "SIGKILL");
      assertEquals(await Deno.readTextFile(fifo), "over\n");
      await remove(id);
    }),
});
