import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import type { LoggingCommand } from "../../../base/logging_program.ts";
import type { LoggingProgram } from "../../../hcs/stdio.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import type { FakePeer } from "../../mock/windows/peer.ts";
import {
  hasExitCode,
  type StartedProgram,
  startLogger,
} from "./logging_program.ts";

const url = "binary:///C:/bin/logger.exe?--to=web";
const init = { namespace: "k8s.io", containerId: "web", execId: "" };
const never = new AbortController().signal;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A machine on which one program runs. */
class Scene {
  readonly bench = new FakeIo();
  command: LoggingCommand | undefined;
  env: Readonly<Record<string, string>> = {};
  isEnding = false;
  kills = 0;
  readonly #exit = Promise.withResolvers<number>();

  start(process = init, address = url): Promise<LoggingProgram> {
    const { io, log } = this.bench;
    const start = (
      command: LoggingCommand,
      env: Readonly<Record<string, string>>,
    ): StartedProgram => {
      this.command = command;
      this.env = env;
      return {
        pid: 7,
        exited: this.#exit.promise,
        isEnding: () => this.isEnding,
        kill: () => void this.kills++,
      };
    };
    return startLogger({ io, log, start }, address, process);
  }

  /** The program opens a pipe that its environment names. */
  dial(variable: "STDOUT" | "STDERR" | "WAIT"): FakePeer {
    return this.bench.windows.pipes.connect(this.env[`CONTAINER_${variable}`]!);
  }

  exit(code: number): void {
    this.isEnding = true;
    this.#exit.resolve(code);
  }
}

async function close({ stdout, stderr }: LoggingProgram): Promise<void> {
  await Promise.all([stdout.close(), stderr.close()]);
}

Deno.test("host:O17 a logging program gets its arguments, and the names of its pipes", async () => {
  const scene = new Scene();
  const program = await scene.start();
  assertEquals(scene.command, {
    path: "C:\\bin\\logger.exe",
    args: ["--to", "web"],
  });
  assertEquals(scene.env, {
    CONTAINER_ID: "web",
    CONTAINER_NAMESPACE: "k8s.io",
    CONTAINER_STDOUT: "\\\\.\\pipe\\binary-web-stdout",
    CONTAINER_STDERR: "\\\\.\\pipe\\binary-web-stderr",
    CONTAINER_WAIT: "\\\\.\\pipe\\binary-web-wait",
  });
  const ends = [scene.dial("STDOUT"), scene.dial("STDERR")];
  const wait = scene.dial("WAIT");
  wait.write("x");
  await program.ready(never);
  wait.close();
  await program.stdout.write(encode("out"));
  await program.stderr.write(encode("err"));
  await close(program);
  assertEquals(ends.map((end) => end.text()), ["out", "err"]);
  assertEquals(ends.map((end) => end.ended), [true, true]);
  for (const end of ends) end.close();
  scene.exit(3);
  assertEquals([program.pid, await program.exited], [7, 3]);
  program.kill();
  assertEquals(scene.kills, 1);
  assertEquals(await scene.bench.end(), []);
});

Deno.test("a program is ready, too, when it closes the pipe; output waits until it opens its pipe", async () => {
  const scene = new Scene();
  const program = await scene.start();
  const wait = scene.dial("WAIT");
  await scene.bench.idle();
  wait.close();
  await program.ready(never);
  const writing = program.stdout.write(encode("early"));
  await scene.bench.idle();
  const stdout = scene.dial("STDOUT");
  await writing;
  assertEquals(stdout.text(), "early");
  await close(program);
  stdout.close();
  scene.exit(0);
  await program.exited;
  assertEquals(await scene.bench.end(), []);
});

Deno.test("a program that ends before it is ready is told with its code, whether it has come to the pipe or not", async () => {
  for (const comes of [false, true]) {
    const scene = new Scene();
    const program = await scene.start();
    const wait = comes ? scene.dial("WAIT") : undefined;
    const ready = assertRejects(
      () => program.ready(never),
      ShimError,
      'Logging program "C:\\bin\\logger.exe" ended with code 9 before it was ready',
    );
    await scene.bench.idle();
    scene.exit(9);
    wait?.close();
    assertEquals((await ready).code, "Unavailable");
    await close(program);
    assertEquals(await scene.bench.end(), []);
  }
});

Deno.test("the wait for a program ends with the signal", async () => {
  const scene = new Scene();
  const program = await scene.start();
  const controller = new AbortController();
  const reason = new ShimError("Canceled", "enough");
  const waiting = program.ready(controller.signal).catch((error) => error);
  await scene.bench.idle();
  controller.abort(reason);
  assertEquals(await waiting, reason);
  scene.exit(1);
  await close(program);
  assertEquals(await scene.bench.end(), []);
});

Deno.test("output for a program that is gone is refused, opened or not", async () => {
  const scene = new Scene();
  const program = await scene.start();
  const [stdout, wait] = [scene.dial("STDOUT"), scene.dial("WAIT")];
  wait.write("x");
  await program.ready(never);
  const writing = assertRejects(() => program.stderr.write(encode("x")));
  await scene.bench.idle();
  stdout.close();
  wait.close();
  scene.exit(0);
  await writing;
  await assertRejects(() => program.stdout.write(encode("x")));
  await close(program);
  assertEquals(await scene.bench.end(), []);
});

Deno.test("init and exec of one container have pipes of their own; the same process has not", async () => {
  const scene = new Scene();
  const first = await scene.start();
  const second = await scene.start({ ...init, execId: "probe" });
  assertEquals(
    scene.env.CONTAINER_STDOUT,
    "\\\\.\\pipe\\binary-web+probe-stdout",
  );
  assertEquals(scene.env.CONTAINER_ID, "web");
  const error = await assertRejects(() => scene.start(), ShimError);
  assertEquals(error.code, "AlreadyExists");
  scene.exit(0);
  for (const program of [first, second]) {
    await program.ready(never).catch(() => {});
    await close(program);
  }
  assertEquals(await scene.bench.end(), []);
});

Deno.test("a program that cannot be started leaves no pipe", async () => {
  const bench = new FakeIo();
  const { io, log } = bench;
  const start = (): never => {
    throw new ShimError("NotFound", "no such program");
  };
  await assertRejects(
    () => startLogger({ io, log, start }, url, init),
    ShimError,
    "no such program",
  );
  await assertRejects(
    () => startLogger({ io, log, start }, "binary:////server/share/x", init),
    ShimError,
    "path is unsafe",
  );
  assertEquals(await bench.end(), []);
});

Deno.test("hasExitCode() tells a process that runs from one that ends or is gone", () => {
  const cases: readonly [
    what: string,
    code: number | undefined,
    is: boolean,
  ][] = [
    ["runs", 259, false],
    ["ended with 0", 0, true],
    ["ended with 8", 8, true],
    ["cannot be asked", undefined, true],
  ];
  for (const [what, code, expected] of cases) {
    const closed: (number | bigint)[] = [];
    const kernel32: Parameters<typeof hasExitCode>[0] = {
      OpenProcess: (access, inherit, pid) => {
        assertEquals([access, inherit, pid], [0x1000, 0, 77]);
        return 5n;
      },
      GetExitCodeProcess: (_handle, into) => {
        if (code === undefined) return 0;
        (into as Uint32Array)[0] = code;
        return 1;
      },
      CloseHandle: (handle) => closed.push(handle),
    };
    assertEquals(hasExitCode(kernel32, 77), expected, what);
    assertEquals(closed, [5n], what);
    assertEquals(hasExitCode({ ...kernel32, OpenProcess: () => 0n }, 77), true);
  }
});
