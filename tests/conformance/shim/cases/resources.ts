/** Processes, statistics, limits, pauses. */

import { assert, assertEquals } from "@std/assert";
import { Metrics } from "../../../../ttrpc/api/cgroups_v1.gen.ts";
import { Statistics } from "../../../../ttrpc/api/runhcs_stats.gen.ts";
import { TaskStatus } from "../../../../ttrpc/api/task_types.gen.ts";
import { type CaseGroup, refused } from "../case.ts";
import { type Container, sleeping } from "../process.ts";
import { isAlive } from "../shim.ts";

const mebibyte = 1024 * 1024;

/** Bytes of memory that a container may have, as its statistics say. */
async function memoryLimit({ shim, id }: Container): Promise<bigint> {
  return (await metricsOf(shim, id)).memory?.usage?.limit ?? 0n;
}

/** Metrics of a container, in whichever message they come. */
async function metricsOf(
  shim: Container["shim"],
  id: string,
): Promise<Metrics> {
  const { stats } = await shim.call("Stats", { id });
  switch (stats?.typeUrl) {
    case Metrics.typeName:
      return Metrics.decode(stats.value);
    case Statistics.typeName:
      return Statistics.decode(stats.value).linux ?? fail(stats.typeUrl);
    default:
      return fail(stats?.typeUrl);
  }
}

function fail(type: string | undefined): never {
  throw new Error(`statistics of type "${type}" that name no control group`);
}

function limitOf(mebibytes: number): { typeUrl: string; value: Uint8Array } {
  return {
    typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
    value: new TextEncoder().encode(
      JSON.stringify({ memory: { limit: mebibytes * mebibyte } }),
    ),
  };
}

/** See the module. */
export const resources: CaseGroup = {
  name: "Resources",
  cases: [
    {
      name: "Pids lists init and the processes of execs",
      run: async (scene) => {
        const container = await scene.created();
        const pids = [await container.start()];
        const probe = await container.exec("probe", sleeping);
        pids.push(await probe.start());
        const { id, shim } = container;
        const { processes } = await shim.call("Pids", { id });
        const listed = processes.map(({ pid }) => pid);
        for (const pid of pids) assert(listed.includes(pid), `no ${pid}`);
      },
    },
    {
      name: "Pids of a created container succeeds and is not empty",
      run: async (scene) => {
        const { shim, id } = await scene.created();
        const { processes } = await shim.call("Pids", { id });
        assert(processes.length > 0, "containerd would remove it");
      },
    },
    {
      name: "Stats are metrics of control groups, and count the memory",
      run: async (scene) => {
        const { shim, id } = await scene.running();
        const { memory, pids } = await metricsOf(shim, id);
        assert((memory?.usage?.usage ?? 0n) > 0n, "no memory is used");
        assert((pids?.current ?? 0n) > 0n, "no process is counted");
      },
    },
    {
      name: "a limit of the specification is in the statistics",
      run: async (scene) => {
        const container = await scene.running({
          resources: { memory: { limit: 64 * mebibyte } },
        });
        assertEquals(await memoryLimit(container), BigInt(64 * mebibyte));
      },
    },
    {
      name: "Update changes a limit",
      run: async (scene) => {
        const container = await scene.running();
        const { shim, id } = container;
        await shim.call("Update", { id, resources: limitOf(48) });
        assertEquals(await memoryLimit(container), BigInt(48 * mebibyte));
      },
    },
    {
      name: "Update with resources that cannot be read is refused",
      run: async (scene) => {
        const container = await scene.running();
        const { shim, id } = container;
        const resources = {
          ...limitOf(1),
          value: new TextEncoder().encode('{"memory":'),
        };
        await refused(shim.call("Update", { id, resources }));
        assertEquals((await container.state()).status, TaskStatus.RUNNING);
      },
    },
    {
      name: "an init that takes too much memory is told by TaskOOM",
      run: async (scene) => {
        const container = await scene.running({
          resources: { memory: { limit: 16 * mebibyte } },
          script: "exec tail /dev/zero",
        });
        const { book } = scene.world;
        const { event } = await book.until(
          "/tasks/exit",
          container.id,
          "",
          scene.signal,
        );
        assertEquals(event.exitStatus, 137);
        await book.until("/tasks/oom", container.id, "", scene.signal);
      },
    },
    {
      name: "a child that takes too much memory is told by TaskOOM",
      needs: { tellsOom: true },
      run: async (scene) => {
        const container = await scene.running({
          resources: { memory: { limit: 16 * mebibyte } },
          script: "sh -c 'tail /dev/zero'; exec sleep 1000",
        });
        const { book } = scene.world;
        await book.until("/tasks/oom", container.id, "", scene.signal);
      },
    },
    {
      name: "Pause and Resume stop a container and let it go on",
      needs: { pause: true },
      run: async (scene) => {
        const { shim, id } = await scene.running();
        const status = async (): Promise<number> =>
          (await shim.call("State", { id, execId: "" })).status;
        await shim.call("Pause", { id });
        assertEquals(await status(), TaskStatus.PAUSED);
        await shim.call("Resume", { id });
        assertEquals(await status(), TaskStatus.RUNNING);
        const { book } = scene.world;
        await book.until("/tasks/resumed", id, "", scene.signal);
        const story = book.story(id).slice(-2);
        assertEquals(story, ["paused", "resumed"]);
      },
    },
    {
      name:
        "Pause, Resume and Checkpoint are NotImplemented, and disturb nothing",
      needs: { pause: false },
      run: async (scene) => {
        const container = await scene.running();
        const { shim, id } = container;
        await refused(shim.call("Pause", { id }), "NotImplemented");
        await refused(shim.call("Resume", { id }), "NotImplemented");
        await refused(shim.call("Checkpoint", { id }), "NotImplemented");
        assertEquals((await container.state()).status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Connect answers the process of the shim",
      run: async (scene) => {
        const { shim, container } = await scene.pod();
        const { shimPid, taskPid } = await shim.call("Connect", {
          id: container.id,
        });
        assert(await isAlive(shimPid), `shim ${shimPid}`);
        assert(taskPid > 0, `task ${taskPid}`);
      },
    },
  ],
};
