import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { libc } from "../ffi/linux/libc.ts";
import type { LoggingProgram } from "../hcs/stdio.ts";
import { startLogger } from "./logging_program.ts";

Deno.test.beforeAll(() => void libc());

const never = new AbortController().signal;

/** A folder with a program that runs a shell script in it. */
class Folder implements AsyncDisposable {
  readonly path: string;
  /** A listener for signals does not keep the event loop running. */
  readonly #alive = setInterval(() => {}, 60_000);

  private constructor(path: string) {
    this.path = path;
  }

  static async with(script: string): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir());
    const text = `#!/bin/sh\ncd ${folder.path}\n${script}\n`;
    await Deno.writeTextFile(`${folder.path}/logger`, text, { mode: 0o755 });
    return folder;
  }

  start(query = ""): LoggingProgram {
    const url = `binary://${this.path}/logger${query}`;
    const process = { namespace: "k8s.io", containerId: "web", execId: "" };
    return startLogger(url, process);
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(`${this.path}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#alive);
    await Deno.remove(this.path, { recursive: true });
  }
}

async function closeStreams({ stdout, stderr }: LoggingProgram): Promise<void> {
  await Promise.all([stdout.close(), stderr.close()]);
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("host:O17 a logging program gets arguments, both outputs, and two variables", async () => {
  await using folder = await Folder.with(`
printf '%s\\n' "$@" >args
tr '\\0' '\\n' </proc/$$/environ >env
printf x >&5
exec 5>&-
cat <&3 >out
cat <&4 >err`);
  const program = folder.start("?--to=a%20b&flag");
  await program.ready(never);
  await program.stdout.write(new Uint8Array(300_000));
  await program.stderr.write(encode("error\n"));
  await closeStreams(program);
  assertEquals(await program.exited, 0);
  assertEquals(await folder.read("args"), "--to\na b\nflag\n");
  assertEquals(
    await folder.read("env"),
    "CONTAINER_ID=web\nCONTAINER_NAMESPACE=k8s.io\n",
  );
  assertEquals((await folder.read("out")).length, 300_000);
  assertEquals(await folder.read("err"), "error\n");
  program.kill(); // it has ended: nothing happens
});

Deno.test("a logging program is ready, too, when it closes the descriptor", async () => {
  await using folder = await Folder.with("exec 5>&-\ncat <&3 >out");
  const program = folder.start();
  await program.ready(never);
  await program.stdout.write(encode("text"));
  await closeStreams(program);
  assertEquals(await program.exited, 0);
  assertEquals(await folder.read("out"), "text");
});

Deno.test("a logging program that ends without a word was not ready", async () => {
  await using folder = await Folder.with("exit 7");
  const program = folder.start();
  const error = await assertRejects(
    () => program.ready(never),
    ShimError,
    `Logging program "${folder.path}/logger" ended with code 7 before it was ready`,
  );
  assertEquals(error.code, "Unavailable");
  await closeStreams(program);
});

Deno.test("the wait for a logging program ends with the signal", async () => {
  await using folder = await Folder.with("exec sleep 1000");
  const program = folder.start();
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "enough");
  const waiting = program.ready(controller.signal);
  controller.abort(reason);
  assertEquals(await waiting.catch((error) => error), reason);
  program.kill();
  assertEquals(await program.exited, 128 + 9);
  await closeStreams(program);
});

Deno.test("writes to a logging program that is gone reject", async () => {
  await using folder = await Folder.with("printf x >&5\nread -r line <&3");
  const program = folder.start();
  await program.ready(never);
  await program.stdout.write(encode("line\n"));
  assertEquals(await program.exited, 0);
  for (const stream of [program.stdout, program.stderr]) {
    const error = await assertRejects(
      () => stream.write(encode("x")),
      ShimError,
    );
    assertEquals(error.code, "Unavailable");
  }
  await closeStreams(program);
});

Deno.test("a logging program that cannot be run leaves nothing", async () => {
  await using folder = await Folder.with("");
  await Deno.chmod(`${folder.path}/logger`, 0o644);
  const url = `binary://${folder.path}/none`;
  const process = { namespace: "", containerId: "web", execId: "" };
  const open = await openDescriptors();
  const times = 200;
  for (let time = 0; time < times; time++) {
    const missing = assertThrows(() => startLogger(url, process), ShimError);
    assertEquals(missing.code, "NotFound");
    const forbidden = assertThrows(() => folder.start(), ShimError);
    assertEquals(forbidden.code, "PermissionDenied");
  }
  // Other tests of this process open and close some meanwhile.
  assert(await openDescriptors() < open + times);
});

async function openDescriptors(): Promise<number> {
  let count = 0;
  for await (const _ of Deno.readDir("/proc/self/fd")) count++;
  return count;
}
