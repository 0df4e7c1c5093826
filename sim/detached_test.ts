import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import type { DetachedProcess } from "../hcs/ports.ts";
import { spawnCommand } from "./detached.ts";

/** Whether a process is there, be it as a zombie. */
function isThere(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Lets a process go whose end the test does not leave to the next one. */
async function letGo(process: DetachedProcess): Promise<void> {
  await process.kill();
  process.release();
}

async function withFolder(
  task: (cwd: string) => Promise<void>,
): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "lcow-detached-" });
  try {
    await task(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

function sh(script: string, cwd: string, input = ""): DetachedProcess {
  const stdin = new TextEncoder().encode(input);
  return spawnCommand(["/bin/sh", "-c", script], { cwd, stdin, env: {} });
}

Deno.test("spawnCommand() is ready after the line and gives the input", async () => {
  await withFolder(async (cwd) => {
    const process = sh(
      "cat >input; echo oops >&2; echo ready",
      cwd,
      "hello",
    );
    await process.ready;
    assertEquals(await Deno.readTextFile(`${cwd}/input`), "hello");
    assertEquals(await Deno.readTextFile(`${cwd}/panic.log`), "oops\n");
    await letGo(process);
  });
});

Deno.test("spawnCommand() runs in a session of its own", async () => {
  await withFolder(async (cwd) => {
    const process = sh("cut -d' ' -f6 /proc/$$/stat >session; echo ready", cwd);
    await process.ready;
    assertEquals(
      Number(await Deno.readTextFile(`${cwd}/session`)),
      process.pid,
    );
    await letGo(process);
  });
});

Deno.test("spawnCommand() reports what a process that ends early printed", async () => {
  await withFolder(async (cwd) => {
    const process = sh("echo half; echo broken >&2; exit 3", cwd, "unread");
    const error = await assertRejects(
      () => process.ready,
      ShimError,
      "exit code 3",
    ) as ShimError;
    assertEquals(error.code, "Unavailable");
    assertStringIncludes(error.message, "half");
    assertStringIncludes(error.message, "broken");
  });
});

Deno.test("spawnCommand() reports a program that cannot be started", async () => {
  await withFolder(async (cwd) => {
    const stdin = new Uint8Array();
    const process = spawnCommand(["/no/such"], { cwd, stdin, env: {} });
    await assertRejects(() => process.ready, ShimError, "/no/such");
  });
});

Deno.test("kill() waits for the end of the process; afterwards it does nothing", async () => {
  await withFolder(async (cwd) => {
    const process = sh("exec sleep 60", cwd);
    assertEquals(isThere(process.pid), true);
    await process.kill();
    assertEquals(isThere(process.pid), false);
    await assertRejects(() => process.ready, ShimError, "SIGKILL");
    await process.kill();
  });
});
