import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { silentLogger } from "../base/log.ts";
import { type ErrorCode, ShimError } from "../base/errors.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { ShimDiag } from "../ttrpc/api/shimdiag.gen.ts";
import { TaskV3 } from "../ttrpc/api/task.gen.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import { type Arguments, parseArguments } from "./args.ts";
import { lcow } from "./lcow.ts";
import { diagHandlers } from "./services/diag.ts";
import { taskHandlers } from "./services/task.ts";
import {
  processSpec,
  type TaskScene,
  withTasks,
} from "./services/task_scene.ts";

/** The command line of a question to the shim of `pod1`. */
function asking(...command: string[]): Arguments {
  return parseArguments(["-namespace", "n", "-id", "pod1", "lcow", ...command]);
}

/** Runs a test with a shim that serves its endpoint. */
function withServer(
  task: (
    scene: TaskScene,
    ask: (...command: string[]) => Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  return withTasks(async (scene) => {
    const { shim, platform, clock } = scene;
    const server = new TtrpcServer({ log: silentLogger, clock });
    server.register(TaskV3, taskHandlers(shim));
    server.register(ShimDiag, diagHandlers(shim));
    const address = await platform.endpoint("n", "pod1");
    const served = server.serve(await platform.listen(address));
    try {
      await task(scene, (...command) =>
        lcow(asking(...command), {
          platform,
          clock,
          timeouts: defaultTimeouts,
        }));
      await scene.until(() => server.connections === 0);
    } finally {
      await server.close();
      await served;
    }
  });
}

/** Asserts how a question is refused. */
async function refused(
  question: Promise<string>,
  code: ErrorCode,
  message: string,
): Promise<void> {
  const error = await assertRejects(() => question, ShimError, message);
  assertEquals((error as ShimError).code, code);
}

Deno.test("lcow ps lists tasks and execs with their pids and states", async () => {
  await withServer(async (scene, ask) => {
    await scene.runPod("pod1", "web");
    const exec = { id: "web", execId: "probe", spec: processSpec };
    await scene.tasks.call("Exec", exec);
    assertEquals(
      await ask("ps"),
      "TASK  EXEC   PID  STATE\n" +
        "pod1         101  RUNNING\n" +
        "web          102  RUNNING\n" +
        "web   probe  0    CREATED\n",
    );
  });
});

Deno.test("lcow stacks prints what shim and guest are doing", async () => {
  await withServer(async (scene, ask) => {
    await scene.run("pod1");
    assertMatch(
      await ask("stacks"),
      /^Host:\nshim: pid \d+\nsandbox "pod1": VM Running[^]*\n\nGuest:\nThe guest cannot tell/,
    );
    scene.guest.stacks = "all is quiet\n";
    assertMatch(await ask("stacks"), /\n\nGuest:\nall is quiet\n$/);
  });
});

Deno.test("lcow tells what the shim answered", async () => {
  await withServer(async (_scene, ask) => {
    for (const question of ["ps", "stacks"]) {
      await refused(ask(question), "FailedPrecondition", "vm is not running");
    }
  });
});

Deno.test("lcow gives up on a guest that does not answer", async () => {
  await withServer(async (scene, ask) => {
    await scene.run("pod1");
    const release = scene.guest.holdNext("dumpStacks");
    const answer = refused(
      ask("stacks"),
      "DeadlineExceeded",
      "longer than 5000 ms",
    );
    await scene.until(() => scene.guest.callsOf("dumpStacks").length > 0);
    await scene.clock.advance(5000);
    await answer;
    release();
  });
});

Deno.test("lcow refuses unknown questions, and ids that no shim serves", async () => {
  await withTasks(async ({ platform, clock }) => {
    const context = { platform, clock, timeouts: defaultTimeouts };
    await refused(
      lcow(asking("ps"), context),
      "Unavailable",
      'No shim serves sandbox or standalone container "pod1" of namespace "n"',
    );
    const expected = "lcow expects ps or stacks";
    await refused(lcow(asking(), context), "InvalidArgument", expected);
    await refused(lcow(asking("top"), context), "InvalidArgument", expected);
    await refused(
      lcow(asking("ps", "-a"), context),
      "InvalidArgument",
      'Unexpected argument "-a" after ps',
    );
  });
});
