/** The Sandbox service. */

import { assert, assertEquals } from "@std/assert";
import { Sandbox } from "../../../../ttrpc/api/sandbox.gen.ts";
import { VirtualMachineStatistics } from "../../../../ttrpc/api/runhcs_stats.gen.ts";
import type { UnaryMethod } from "../../../../ttrpc/client.ts";
import type { RequestOf, ResponseOf } from "../../../../ttrpc/handlers.ts";
import { type Case, type CaseGroup, refused, type Scene } from "../case.ts";
import { ended, isAlive, Shim } from "../shim.ts";
import type { World } from "../world.ts";

type Methods = typeof Sandbox["methods"];

/** A sandbox of a case's own, not created yet. */
class Pod {
  readonly shim: Shim;

  constructor(shim: Shim) {
    this.shim = shim;
  }

  call<M extends UnaryMethod<typeof Sandbox>>(
    method: M,
    request: Partial<RequestOf<Methods[M]>> = {},
  ): Promise<ResponseOf<Methods[M]>> {
    const { client, id, signal } = this.shim;
    const named = { sandboxId: id, ...request };
    return client.call(Sandbox, method, named, { signal });
  }

  async create(): Promise<void> {
    const { shim } = this;
    await this.call("CreateSandbox", { bundlePath: shim.bundleOf(shim.id) });
  }

  async start(): Promise<ResponseOf<Methods["StartSandbox"]>> {
    await this.create();
    return await this.call("StartSandbox");
  }
}

/** A case with a sandbox of its own, which is shut down afterwards. */
function alone(
  name: string,
  play: (pod: Pod, scene: Scene) => Promise<void>,
): Case {
  return {
    name,
    needs: { sandboxes: true },
    run: async (scene) => {
      const shim = await scene.shim({ bare: true });
      const pod = new Pod(shim);
      scene.defer(async () => {
        if (shim.isLost) return;
        const gone = shim.client.closed;
        // A sandbox that was not created cannot be shut down.
        await pod.call("ShutdownSandbox").then(() => gone, () => {});
      });
      await play(pod, scene);
    },
  };
}

/** A sandbox that runs, and what its start answered. */
interface Started {
  readonly shim: Shim;
  readonly pod: Pod;
  readonly answer: ResponseOf<Methods["StartSandbox"]>;
}

async function startShared(world: World): Promise<Started> {
  const id = world.newId("sb");
  const never = new AbortController().signal;
  const shim = await Shim.start(world, id, never, { bare: true });
  const pod = new Pod(shim);
  return { shim, pod, answer: await pod.start() };
}

/** A case that looks at a sandbox which cases share. */
function shared(name: string, look: (started: Started) => Promise<void>): Case {
  return {
    name,
    needs: { sandboxes: true },
    run: async ({ world }) =>
      await look(await world.share("sandbox", () => startShared(world))),
  };
}

/** Methods that need the sandbox of their id; the last one may end an empty shim. */
const methods = [
  ...["Platform", "StopSandbox", "WaitSandbox", "SandboxStatus"] as const,
  ...["PingSandbox", "SandboxMetrics", "ShutdownSandbox"] as const,
];

/** See the module. */
export const sandbox: CaseGroup = {
  name: "Sandbox",
  cases: [
    alone(
      "StartSandbox before CreateSandbox is FailedPrecondition",
      (pod) =>
        refused(pod.call("StartSandbox"), "FailedPrecondition").then(() => {}),
    ),
    alone(
      "calls for a sandbox that was not created are NotFound",
      async (pod) => {
        for (const method of methods) {
          await refused(pod.call(method), "NotFound");
        }
      },
    ),
    alone(
      "calls for another sandbox than the shim's are NotFound",
      async (pod) => {
        await pod.create();
        for (const method of methods) {
          await refused(pod.call(method, { sandboxId: "other" }), "NotFound");
        }
      },
    ),
    alone("a second CreateSandbox is AlreadyExists", async (pod) => {
      await pod.create();
      await refused(pod.create(), "AlreadyExists");
    }),
    shared(
      "StartSandbox answers a process id and a time",
      async ({ answer }) => {
        const { pid, createdAt } = answer;
        assert(await isAlive(pid), `process ${pid}`);
        assert((createdAt?.seconds ?? 0n) > 0n, "no time of the start");
      },
    ),
    shared("Platform is linux with an architecture", async ({ pod }) => {
      const { platform } = await pod.call("Platform");
      assertEquals(platform?.os, "linux");
      assert(platform?.architecture !== "", "no architecture");
    }),
    shared(
      "PingSandbox answers, and SandboxStatus is ready",
      async ({ pod, answer: { pid } }) => {
        await pod.call("PingSandbox");
        const status = await pod.call("SandboxStatus", { verbose: true });
        assertEquals([status.state, status.pid], ["SANDBOX_READY", pid]);
        assertEquals(status.info["pid"], String(pid));
        assert((status.createdAt?.seconds ?? 0n) > 0n, "no time of the start");
      },
    ),
    shared("SandboxMetrics are those of the machine", async ({ pod }) => {
      const { metrics } = await pod.call("SandboxMetrics");
      assertEquals(metrics?.id, pod.shim.id);
      assertEquals(metrics?.data?.typeUrl, VirtualMachineStatistics.typeName);
    }),
    alone(
      "a container runs in a sandbox, and ends with StopSandbox",
      async (pod, scene) => {
        await pod.start();
        const { shim } = pod;
        const container = await shim.prepare(shim.id);
        await container.create();
        await container.start();
        const exec = await container.exec("probe", "echo hi");
        assertEquals((await exec.toEnd()).stdout, "hi\n");
        const told = scene.world.book
          .until("/tasks/exit", container.id, "", scene.signal);
        const waited = container.wait();
        await pod.call("StopSandbox");
        const { exitStatus } = await waited;
        assertEquals((await told).event.exitStatus, exitStatus);
        await container.delete();
      },
    ),
    alone(
      "a second connection creates a container in the sandbox",
      async (pod) => {
        await pod.start();
        const { shim } = pod;
        const first = await shim.prepare(shim.id);
        await first.create();
        const member = await shim.prepare(`${shim.id}-b`);
        const client = await shim.connect();
        await shim.call("Create", member.request, client);
        const { id } = member;
        assertEquals((await shim.call("State", { id, execId: "" })).id, id);
        await member.delete();
        await first.delete();
      },
    ),
    alone(
      "WaitSandbox answers after StopSandbox, which may come twice",
      async (pod) => {
        await pod.start();
        const waited = pod.call("WaitSandbox");
        await pod.call("StopSandbox");
        await pod.call("StopSandbox");
        const { exitStatus, exitedAt } = await waited;
        assertEquals(exitStatus, 0);
        assert((exitedAt?.seconds ?? 0n) > 0n, "no time of the end");
        const { state } = await pod.call("SandboxStatus");
        assertEquals(state, "SANDBOX_NOTREADY");
      },
    ),
    shared(
      "Shutdown of the Task service leaves a sandbox alone",
      async ({ pod }) => {
        await pod.shim.call("Shutdown", { id: pod.shim.id });
        await pod.call("PingSandbox");
      },
    ),
    alone(
      "ShutdownSandbox of a running sandbox ends the process",
      async (pod) => {
        await pod.start();
        await pod.call("ShutdownSandbox");
        await pod.shim.client.closed;
        await ended(pod.shim.pid);
      },
    ),
    alone("after StopSandbox no container can be created", async (pod) => {
      await pod.start();
      await pod.call("StopSandbox");
      const container = await pod.shim.prepare(pod.shim.id);
      await refused(container.create(), "FailedPrecondition");
    }),
  ],
};
