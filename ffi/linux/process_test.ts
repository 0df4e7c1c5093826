import { assert, assertEquals, assertThrows } from "@std/assert";
import { silentLogger } from "../../base/log.ts";
import { ErrnoError } from "./errno.ts";
import { fdDuplex } from "./fd_stream.ts";
import { close, open, OpenFlag, pipe } from "./files.ts";
import { libc } from "./libc.ts";
import { mount, unmount } from "./mount.ts";
import { kill, reap } from "./process.ts";
import { Reaper } from "./reaper.ts";
import { spawn } from "./spawn.ts";

Deno.test.beforeAll(() => void libc());

/** Runs a shell script and answers what it prints, and its process id. */
async function shell(
  script: string,
  options: { cwd?: string } = {},
): Promise<{ pid: number; output: string }> {
  const none = open("/dev/null", OpenFlag.ReadOnly);
  const ends = pipe();
  const pid = spawn({
    path: "/bin/sh",
    argv: ["sh", "-c", script],
    env: ["PATH=/usr/bin:/bin", "NAME=value"],
    stdio: [none, ends.write, ends.write],
    ...options,
  });
  close(none);
  close(ends.write);
  const stream = fdDuplex(ends.read, "pipe");
  const buffer = new Uint8Array(4096);
  let output = "";
  for (let n; (n = await stream.read(buffer)) !== null;) {
    output += new TextDecoder().decode(buffer.subarray(0, n));
  }
  await stream.close();
  return { pid, output };
}

/** The end of output may come a moment before the end of the process. */
async function reaped(pid: number): Promise<number> {
  const reaper = new Reaper({ log: silentLogger, orphans: false });
  reaper.start();
  // A signal listener alone does not keep the event loop waiting.
  const alive = setInterval(() => {}, 1000);
  try {
    return await reaper.exit(pid);
  } finally {
    clearInterval(alive);
    reaper.stop();
  }
}

Deno.test("spawn() starts a program with its environment, directory and descriptors", async () => {
  const { pid, output } = await shell('echo "$NAME"; pwd', { cwd: "/usr" });
  assertEquals(output, "value\n/usr\n");
  assertEquals(await reaped(pid), 0);
  assertEquals(reap(pid), "unknown");
});

Deno.test("spawn() gives its child signals as at boot", async () => {
  const { pid, output } = await shell(
    "exec grep -E 'Sig(Blk|Ign)' /proc/self/status",
  );
  const masks = output.matchAll(/\t([0-9a-f]+)\n/g);
  // glibc ignores its own two signals, 32 and 33, in every child of posix_spawn.
  const own = 0x1_8000_0000n;
  for (const [, mask] of masks) assertEquals(BigInt(`0x${mask}`) & ~own, 0n);
  assertEquals(await reaped(pid), 0);
});

Deno.test("reap() gives 128 + the signal that ended a child", async () => {
  const { pid } = await shell("kill -TERM $$");
  assertEquals(await reaped(pid), 128 + 15);
});

Deno.test("spawn() refuses a program and a directory that do not exist", () => {
  const request = {
    argv: ["x"],
    env: [],
    stdio: [0, 1, 2] as [number, number, number],
  };
  for (
    const more of [
      { path: "/no/such/program" },
      { path: "/bin/true", cwd: "/no/such" },
    ]
  ) {
    const error = assertThrows(
      () => spawn({ ...request, ...more }),
      ErrnoError,
    );
    assertEquals(error.errno, "ENOENT");
    assertEquals(error.code, "NotFound");
  }
});

Deno.test("kill() tells whether the process exists", () => {
  assert(kill(Deno.pid, 0));
  // Beyond the largest process id of Linux.
  assertEquals(kill(0x7ffffff0, 0), false);
  assertThrows(() => kill(Deno.pid, 1000), ErrnoError, "EINVAL");
});

Deno.test("mount() and unmount() name what failed, on which path, and why", async () => {
  const dir = await Deno.makeTempDir();
  try {
    let message = "";
    await mount({ source: "none", target: dir, type: "no-such-fs" })
      .catch((error) => message = error.message);
    assert(/^Cannot mount "none" as no-such-fs on ".*": /.test(message));
    assert(message.endsWith("(ENODEV)") || message.endsWith("(EPERM)"));
    assertEquals(await unmount(`${dir}/missing`), false);
    // A directory that is no mount point; unprivileged callers are refused.
    const undone = await unmount(dir).catch((error) => error.errno);
    assert(undone === false || undone === "EPERM");
  } finally {
    await Deno.remove(dir);
  }
});
