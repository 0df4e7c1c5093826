/** The life of a container. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TaskStatus } from "../../../../ttrpc/api/task_types.gen.ts";
import { type Case, type CaseGroup, refused } from "../case.ts";
import { sleeping } from "../process.ts";
import { isAlive } from "../shim.ts";

type Method =
  | "State"
  | "Start"
  | "Wait"
  | "Kill"
  | "Delete"
  | "Pids"
  | "Stats"
  | "Update"
  | "ResizePty"
  | "CloseIO"
  | "Exec";

const methods: readonly Method[] = [
  ...["State", "Start", "Wait", "Kill", "Delete", "Pids"] as const,
  ...["Stats", "Update", "ResizePty", "CloseIO", "Exec"] as const,
];

/** Asks for a container that is not there. */
function unknownTask(method: Method): Case {
  return {
    name: `${method} of an unknown container is NotFound`,
    run: async (scene) => {
      const { shim } = await scene.pod();
      const request = { id: "nobody", execId: "", signal: 9 };
      await refused(shim.call(method, request), "NotFound");
    },
  };
}

/** See the module. */
export const task: CaseGroup = {
  name: "Container",
  cases: [
    ...methods.map(unknownTask),
    {
      name: "Create answers the process id, and TaskCreate carries it",
      needs: { pidAtCreate: true },
      run: async (scene) => {
        const container = await scene.prepared();
        const pid = await container.create();
        assert(await isAlive(pid), `process ${pid}`);
        const { id } = container;
        const { book } = scene.world;
        const { event } = await book.until(
          "/tasks/create",
          id,
          "",
          scene.signal,
        );
        assertEquals(event.pid, pid);
      },
    },
    {
      name: "State of a created container is CREATED",
      run: async (scene) => {
        const container = await scene.created();
        const { status, id, bundle, stdout } = await container.state();
        const { paths } = container.streams;
        assertEquals(status, TaskStatus.CREATED);
        assertEquals([id, bundle, stdout], [
          container.id,
          container.bundle,
          paths.stdout,
        ]);
      },
    },
    {
      name: "a second Create with the id of a container is AlreadyExists",
      run: async (scene) => {
        const container = await scene.running();
        const again = container.shim.call("Create", container.request);
        await refused(again, "AlreadyExists");
        const { status } = await container.state();
        assertEquals(status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Create of a bundle that is not there fails, and its id stays free",
      run: async (scene) => {
        const container = await scene.prepared();
        const { shim, id, request } = container;
        const bundle = `${scene.world.dir}/no-such-bundle`;
        await refused(shim.call("Create", { ...request, bundle }));
        await refused(container.state(), "NotFound");
        await container.create();
        assertEquals((await container.state()).id, id);
      },
    },
    {
      name: "Create with a broken config.json fails, and its id stays free",
      run: async (scene) => {
        const container = await scene.prepared();
        const path = `${container.bundle}/config.json`;
        const spec = await Deno.readTextFile(path);
        await Deno.writeTextFile(path, spec.slice(0, 100));
        await refused(container.create());
        await refused(container.state(), "NotFound");
        await Deno.writeTextFile(path, spec);
        await container.create();
      },
    },
    {
      name: "Create with a root file system that cannot be mounted fails",
      run: async (scene) => {
        const container = await scene.prepared();
        const lowerdir = `lowerdir=${scene.world.dir}/no-such-layer`;
        const [mount] = container.request.rootfs ?? [];
        const options = mount?.options.map((option) =>
          option.startsWith("lowerdir=") ? lowerdir : option
        );
        const request = {
          ...container.request,
          rootfs: [{ ...mount!, options: options! }],
        };
        await refused(container.shim.call("Create", request));
        await refused(container.state(), "NotFound");
      },
    },
    {
      name: "Start answers a process id and publishes TaskStart with it",
      run: async (scene) => {
        const container = await scene.created();
        const pid = await container.start();
        assert(pid > 0, `process id ${pid}`);
        const { book } = scene.world;
        const { event } = await book.until(
          "/tasks/start",
          container.id,
          "",
          scene.signal,
        );
        assertEquals(event.pid, pid);
      },
    },
    {
      name: "a second Start is refused, and the container goes on",
      run: async (scene) => {
        const container = await scene.running();
        await refused(container.start());
        const { status } = await container.state();
        assertEquals(status, TaskStatus.RUNNING);
      },
    },
    {
      name: "State of a running container is RUNNING with its process id",
      run: async (scene) => {
        const container = await scene.created();
        const started = await container.start();
        const { status, pid, terminal } = await container.state();
        assertEquals([status, pid, terminal], [
          TaskStatus.RUNNING,
          started,
          false,
        ]);
      },
    },
    {
      name: "a program that is not there fails Create or Start with its name",
      run: async (scene) => {
        const container = await scene.prepared({ args: ["/no/such/program"] });
        const attempt = container.create().then(() => container.start());
        assertStringIncludes(await refused(attempt), "/no/such/program");
      },
    },
    {
      name: "Wait answers the exit code",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 7" });
        const { exitStatus, exitedAt } = await container.wait();
        assertEquals(exitStatus, 7);
        const now = BigInt(Math.floor(Date.now() / 1000));
        const at = exitedAt?.seconds ?? 0n;
        assert(now - at < 60n && at <= now + 1n, `it ended at ${at}`);
      },
    },
    {
      name: "a Wait from before Start, two at once and a late one agree",
      run: async (scene) => {
        const container = await scene.created({ script: "exit 5" });
        const early = [container.wait(), container.wait()];
        await container.start();
        const answers = [...await Promise.all(early), await container.wait()];
        assertEquals(answers.map(({ exitStatus }) => exitStatus), [5, 5, 5]);
        assertEquals(answers[0]?.exitedAt, answers[2]?.exitedAt);
      },
    },
    {
      name: "a container that SIGKILL ends has the exit code 137",
      run: async (scene) => {
        const container = await scene.running();
        await container.kill(9);
        assertEquals((await container.wait()).exitStatus, 137);
      },
    },
    {
      name: "Kill delivers the signal that it names",
      run: async (scene) => {
        const container = await scene.running({
          script: 'trap "exit 3" TERM; echo up; while :; do usleep 1000; done',
        });
        await container.streams.stdout.until("up", scene.signal);
        await container.kill(15);
        assertEquals((await container.wait()).exitStatus, 3);
      },
    },
    {
      name: "State of an ended container is STOPPED with exit code and time",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 6" });
        const { exitedAt } = await container.wait();
        const state = await container.state();
        assertEquals([state.status, state.exitStatus], [TaskStatus.STOPPED, 6]);
        assertEquals(state.exitedAt, exitedAt);
      },
    },
    {
      name: "Kill of an ended container is NotFound or does nothing",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 6" });
        await container.wait();
        await container.kill(9).catch((error) =>
          refused(Promise.reject(error), "NotFound")
        );
        assertEquals((await container.state()).exitStatus, 6);
      },
    },
    {
      name: "Kill ends a container that was never started",
      run: async (scene) => {
        const container = await scene.created();
        await container.kill(9);
        await container.wait();
        const { status } = await container.state();
        assertEquals(status, TaskStatus.STOPPED);
      },
    },
    {
      name: "Delete of a created container publishes TaskDelete",
      run: async (scene) => {
        const container = await scene.created();
        await container.delete();
        const { book } = scene.world;
        await book.until("/tasks/delete", container.id, "", scene.signal);
        await refused(container.state(), "NotFound");
      },
    },
    {
      name: "Delete of a running container is refused, and it goes on",
      needs: { deleteWaits: false },
      run: async (scene) => {
        const container = await scene.running();
        await refused(container.delete());
        const { status } = await container.state();
        assertEquals(status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Delete of a running container answers when it has ended",
      needs: { deleteWaits: true },
      run: async (scene) => {
        const container = await scene.running();
        const deleted = container.delete();
        await container.kill(9);
        assertEquals((await deleted).exitStatus, 137);
      },
    },
    {
      name: "Delete answers process id, exit code and time, as TaskDelete",
      run: async (scene) => {
        const container = await scene.created({ script: "exit 4" });
        const pid = await container.start();
        const { exitedAt } = await container.wait();
        const deleted = await container.delete();
        assertEquals(deleted, { pid, exitStatus: 4, exitedAt: exitedAt! });
        const { event } = await scene.world.book.until(
          "/tasks/delete",
          container.id,
          "",
          scene.signal,
        );
        assertEquals([event.pid, event.exitStatus], [pid, 4]);
      },
    },
    {
      name: "after Delete the id is NotFound, also for a second Delete",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 0" });
        await container.wait();
        await container.delete();
        await refused(container.state(), "NotFound");
        await refused(container.delete(), "NotFound");
      },
    },
    {
      name: "after Delete the id can be used again",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 2" });
        await container.wait();
        await container.delete();
        const { id } = container;
        const next = await scene.prepared({ id, script: "exit 3" });
        await next.create();
        await next.start();
        assertEquals((await next.wait()).exitStatus, 3);
      },
    },
    {
      name: "eight containers live and end beside each other",
      run: async (scene) => {
        const codes = await Promise.all(
          Array.from({ length: 8 }, async (_, at) => {
            const container = await scene.running({ script: `exit ${at}` });
            return (await container.wait()).exitStatus;
          }),
        );
        assertEquals(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
      },
    },
    {
      name: "the end of one container leaves the others of its pod alone",
      run: async (scene) => {
        const [one, other] = [await scene.running(), await scene.running()];
        await one.kill(9);
        await one.wait();
        const exec = await other.exec("alive", "echo yes");
        assertEquals((await exec.toEnd()).stdout, "yes\n");
        const { status } = await other.state();
        assertEquals(status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Kill with all reaches every process of the container",
      run: async (scene) => {
        const container = await scene.running({
          script: `sleep 1000 & ${sleeping}`,
        });
        await container.kill(9, true);
        assertEquals((await container.wait()).exitStatus, 137);
      },
    },
  ],
};
