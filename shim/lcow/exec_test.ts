import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { Operator } from "../../ttrpc/api/operator.gen.ts";
import { ShimDiag } from "../../ttrpc/api/shimdiag.gen.ts";
import type { FakeShimOptions } from "../fake_shim.ts";
import { diagHandlers } from "../services/diag.ts";
import { operatorHandlers } from "../services/operator.ts";
import type { TaskScene } from "../services/task_scene.ts";
import {
  type Ending,
  type LcowHost,
  registerAll,
  withHost,
  withServedShim,
} from "./lcow_scene.ts";

/** Runs a test with a pod whose VM runs; no streams are left after it. */
function withPod(
  task: (host: LcowHost, scene: TaskScene) => Promise<void>,
  options: FakeShimOptions = {},
): Promise<void> {
  return withServedShim(async (host, scene) => {
    await scene.run("pod1");
    await task(host, scene);
    assertEquals(host.platform.servedStdio, 0);
    assertEquals(host.input.modes.at(-1) ?? "cooked", "cooked");
  }, options);
}

/** Runs a command line, and waits until the guest runs the command. */
async function started(
  host: LcowHost,
  scene: TaskScene,
  ...args: string[]
): Promise<Promise<Ending>[]> {
  const count = scene.guest.processes.length;
  const ending = host.run(["exec", ...args]);
  await scene.until(() => scene.guest.processes.length > count);
  return [ending]; // not awaited yet
}

Deno.test("lcow exec connects all three streams and passes the exit code on", async () => {
  await withPod(async (host, scene) => {
    const [ending] = await started(
      host,
      scene,
      ...["pod1", "-w", "/tmp", "--", "sh", "-c", "x", "--json", ""],
    );
    await host.input.type("typed");
    await host.input.type();
    const process = scene.lastProcess;
    assertEquals(await process.readInput(), "typed");
    await process.print("said\n");
    await process.print("oops\u001b\n", "stderr");
    await process.exit(3);
    assertEquals(await ending, {
      code: 3,
      stdout: "said\n",
      stderr: "oops\u001b\n",
    });
    const { parameters } = scene.guest.callsOf("execute").at(-1)!
      .argument as { parameters: Record<string, unknown> };
    assertEquals(parameters.CommandArgs, ["sh", "-c", "x", "--json", ""]);
    assertEquals(parameters.WorkingDirectory, "/tmp");
    assertEquals(parameters.EmulateConsole, false);
    assertEquals(host.input.modes, []);
  });
});

Deno.test("lcow exec ends with its command though its input is open, unread and never ends", async () => {
  await withPod(async (host, scene) => {
    const [ending] = await started(host, scene, "pod1", "true");
    // More than any buffer holds: a write of it waits until the command ends.
    host.input.type("x".repeat(1_000_000)).catch(() => {});
    await scene.lastProcess.exit(0);
    assertEquals(await ending, { code: 0, stdout: "", stderr: "" });
  });
});

Deno.test("lcow exec -t has a raw terminal while the command runs, and refuses without one", async () => {
  await withPod(async (host, scene) => {
    assertEquals(await host.run(["exec", "-t", "pod1", "sh"]), {
      code: 1,
      stdout: "",
      stderr: "containerd-shim-lcow-v2: Flag --terminal needs a terminal as " +
        "standard input; leave it out\n",
    });
    host.input.terminal = true;
    const [ending] = await started(host, scene, "-t", "pod1", "sh");
    assertEquals(host.input.modes, ["raw"]);
    const { parameters, stdio } = scene.guest.callsOf("execute").at(-1)!
      .argument as { parameters: Record<string, unknown>; stdio: unknown };
    assertEquals(parameters.EmulateConsole, true);
    assertEquals(stdio, { stdin: true, stdout: true, stderr: false });
    await scene.lastProcess.print("# ");
    await scene.lastProcess.exit(0);
    assertEquals(await ending, { code: 0, stdout: "# ", stderr: "" });
    assertEquals(host.input.modes, ["raw", "cooked"]);
  });
});

Deno.test("an interrupted lcow exec ends with 130, and its command is killed", async () => {
  await withPod(async (host, scene) => {
    host.input.terminal = true;
    const [ending] = await started(host, scene, "-t", "pod1", "sleep", "9");
    host.interruption.abort();
    assertEquals(await ending, { code: 130, stdout: "", stderr: "" });
    await scene.until(() => scene.guest.callsOf("signal").length > 0);
    assertEquals(scene.guest.callsOf("signal")[0]?.argument, {
      pid: scene.lastProcess.pid,
      signal: 9,
    });
    assertEquals(host.input.modes, ["raw", "cooked"]);
  }, { guest: { exitOnKill: true } });
});

Deno.test("lcow exec whose output nobody reads ends with 141, and its command is killed", async () => {
  await withPod(async (host, scene) => {
    host.onPrint = () => {
      throw new Deno.errors.BrokenPipe("gone");
    };
    const [ending] = await started(host, scene, "pod1", "yes");
    await scene.lastProcess.print("y\n");
    assertEquals(await ending, { code: 141, stdout: "", stderr: "" });
    await scene.until(() => scene.guest.callsOf("signal").length > 0);
  }, { guest: { exitOnKill: true } });
});

Deno.test("lcow exec says why a command does not run, and that a VM is lost", async () => {
  await withPod(async (host, scene) => {
    scene.guest.failNext("execute", new ShimError("NotFound", "no such file"));
    assertEquals(await host.run(["exec", "pod1", "nothing"]), {
      code: 1,
      stdout: "",
      stderr:
        "containerd-shim-lcow-v2: failed to exec into host: no such file\n",
    });
    const [ending] = await started(host, scene, "pod1", "sleep", "9");
    await scene.lastProcess.print("partial\n");
    await scene.until(() => host.printed === "partial\n");
    scene.vm.die(new ShimError("Internal", "injected"));
    await scene.clock.advance(defaultTimeouts.drainGrace);
    const { code, stdout, stderr } = await ending!;
    assertEquals([code, stdout], [1, "partial\n"]);
    assertMatch(stderr, /failed to exec into host: /);
  });
});

Deno.test("lcow exec says that its shim is gone, behind all output", async () => {
  await withHost(async (host, scene) => {
    const server = await host.serve(
      "n",
      "pod1",
      registerAll(scene, "n", "pod1"),
    );
    await scene.run("pod1");
    const [ending] = await started(host, scene, "pod1", "sleep", "9");
    await scene.lastProcess.print("partial\n");
    await server.close();
    const { code, stdout, stderr } = await ending!;
    assertEquals([code, stdout], [1, "partial\n"]);
    assertMatch(stderr, /connection/);
    assertEquals(host.platform.servedStdio, 0);
  }, { guest: { exitOnKill: true } });
});

/**
 * Runs a test on a host whose shim answers exit code 7 at once, and leaves the
 * output to the test.
 */
function withHeldOutput(
  task: (
    host: LcowHost,
    scene: TaskScene,
    ending: Promise<Ending>[],
    output: Duplex,
  ) => Promise<void>,
): Promise<void> {
  return withHost(async (host, scene) => {
    const opened = Promise.withResolvers<Duplex>();
    await host.serve("n", "pod1", (server) => {
      const identity = { namespace: "n", key: "pod1" };
      server.register(Operator, operatorHandlers(scene.shim, identity));
      server.register(ShimDiag, {
        ...diagHandlers(scene.shim),
        DiagExecInHost: async ({ stdout, stderr }) => {
          await (await scene.platform.stdio(stderr, "stderr")).close();
          opened.resolve(await scene.platform.stdio(stdout, "stdout"));
          return { exitCode: 7 };
        },
      });
    });
    await scene.run("pod1");
    const ending = host.run(["exec", "pod1", "daemon"]);
    await task(host, scene, [ending], await opened.promise);
  });
}

Deno.test("lcow exec waits for output that comes behind the answer", async () => {
  await withHeldOutput(async (host, scene, [ending], output) => {
    for (const text of ["a", "b", "c"]) {
      await scene.clock.advance(defaultTimeouts.drainGrace);
      await output.write(new TextEncoder().encode(text));
      await scene.until(() => host.printed.endsWith(text));
    }
    await output.close();
    assertEquals(await ending, { code: 7, stdout: "abc", stderr: "" });
  });
});

Deno.test("lcow exec gives up on output that does not end with its command", async () => {
  await withHeldOutput(async (host, scene, [ending], output) => {
    await output.write(new TextEncoder().encode("held"));
    await scene.until(() => host.printed === "held");
    for (let turns = 0; turns < 4; turns++) {
      await scene.clock.advance(defaultTimeouts.drainGrace);
    }
    assertEquals(await ending, { code: 7, stdout: "held", stderr: "" });
  });
});

Deno.test("lcow exec has no --json, and needs a command and a VM that runs", async () => {
  await withServedShim(async (host) => {
    const refused = await host.run(["exec", "pod1", "--json", "ls"]);
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertEquals(JSON.parse(refused.stderr).error.code, "InvalidArgument");
    const { code, stderr } = await host.run(["exec", "pod1"]);
    assertEquals(code, 2);
    assertMatch(stderr, /exec needs COMMAND/);
    const early = await host.run(["exec", "pod1", "ls"]);
    assertEquals(early.code, 1);
    assertMatch(early.stderr, /vm is not running/);
    assert(host.platform.servedStdio === 0);
  });
});
