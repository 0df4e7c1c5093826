/** The life of the shim's process. */

import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../../../base/clock.ts";
import { classify } from "../../../../base/errors.ts";
import { DeleteResponse } from "../../../../ttrpc/api/task.gen.ts";
import { TaskStatus } from "../../../../ttrpc/api/task_types.gen.ts";
import { EventSink } from "../../../driver.ts";
import { type CaseGroup, refused } from "../case.ts";
import { EventBook } from "../events.ts";
import type { Container } from "../process.ts";
import { ended, isAlive } from "../shim.ts";

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Waits until a Create whose client has left is over: no event tells it. */
async function settled(
  container: Container,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      return await container.kill(9);
    } catch (error) {
      if (classify(error) === "NotFound") return;
      await systemClock.sleep(10, signal);
    }
  }
}

/**
 * Makes a container anew whose Create nobody waits for any more. On a busy machine
 * the shim may hear of that Create only after it was asked for the container.
 */
async function recreated(
  container: Container,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await settled(container, signal);
    try {
      await container.ensureDeleted();
      await container.create();
      return;
    } catch (error) {
      const late = ["AlreadyExists", "FailedPrecondition"];
      if (!late.includes(classify(error))) throw error;
      await systemClock.sleep(10, signal);
    }
  }
}

/** See the module. */
export const life: CaseGroup = {
  name: "Life of the shim",
  cases: [
    {
      name: "Shutdown with a container left does nothing",
      run: async (scene) => {
        const { shim, container } = await scene.alone();
        await shim.call("Shutdown", { id: shim.id });
        assertEquals((await container.state()).status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Shutdown after the last Delete ends the process and its socket",
      run: async (scene) => {
        const { shim, container } = await scene.alone({ script: "exit 0" });
        await container.wait();
        await container.delete();
        assert(await exists(shim.socket), "no socket");
        await shim.shutdown();
        assertEquals(await exists(shim.socket), false);
        assertEquals(scene.world.book.story(shim.id), [
          ...["create", "start", "exit", "delete"],
        ]);
      },
    },
    {
      name: "SIGTERM ends the shim, its containers are told to have exited",
      needs: { endsAtSignal: true },
      run: async (scene) => {
        const { shim, container } = await scene.alone();
        const told = scene.world.book
          .until("/tasks/exit", container.id, "", scene.signal);
        Deno.kill(shim.pid, "SIGTERM");
        assert((await told).event.exitStatus !== 0, "exit status 0");
        await shim.client.closed;
        await ended(shim.pid);
        assertEquals(await exists(shim.socket), false);
      },
    },
    {
      name: "delete after SIGKILL of the shim answers and ends the container",
      run: async (scene) => {
        const { shim } = await scene.alone();
        await shim.kill();
        const { code, stdout } = await shim.runDelete();
        assertEquals(code, 0);
        const { exitStatus, exitedAt } = DeleteResponse.decode(stdout);
        assertEquals(exitStatus, scene.has.lostStatus);
        assert((exitedAt?.seconds ?? 0n) > 0n, "no time of the end");
      },
    },
    {
      name: "after delete of a killed shim its id can be started again",
      run: async (scene) => {
        const { shim } = await scene.alone();
        await shim.kill();
        await shim.runDelete();
        await Deno.remove(shim.bundleOf(shim.id), { recursive: true });
        const next = await scene.alone({ id: shim.id, script: "exit 5" });
        assertEquals((await next.container.wait()).exitStatus, 5);
      },
    },
    {
      name: "the shim and its container go on when all clients are gone",
      run: async (scene) => {
        const { shim, container } = await scene.alone();
        await shim.client.close();
        const client = await shim.connect();
        const { id } = container;
        const state = await shim.call("State", { id, execId: "" }, client);
        assertEquals(state.status, TaskStatus.RUNNING);
        await shim.call("Kill", { id, signal: 9 }, client);
        const { exitStatus } = await shim.call("Wait", { id }, client);
        assertEquals(exitStatus, 137);
        await shim.call("Delete", { id }, client);
        await shim.call("Shutdown", { id: shim.id }, client)
          .catch(() => client.closed);
        await ended(shim.pid);
      },
    },
    {
      name: "two clients see the same container",
      run: async (scene) => {
        const container = await scene.created({ script: "exit 8" });
        const { shim, id } = container;
        const client = await shim.connect();
        const waited = shim.call("Wait", { id }, client);
        await container.start();
        assertEquals((await waited).exitStatus, 8);
        const state = await shim.call("State", { id, execId: "" }, client);
        assertEquals(state, await container.state());
        await client.close();
      },
    },
    {
      name: "calls are answered while nobody takes the events",
      run: async (scene) => {
        const events = `${scene.world.dir}/nobody.sock`;
        const { container } = await scene.alone({ events, script: "exit 3" });
        assertEquals((await container.wait()).exitStatus, 3);
        assertEquals((await container.delete()).exitStatus, 3);
      },
    },
    {
      name: "events that nobody took come when the endpoint is there again",
      run: async (scene) => {
        const events = `${scene.world.dir}/${scene.world.newId("sink")}.sock`;
        const first = new EventSink(events);
        const sinks = [first];
        // After the shim, which may hold its end up for events.
        scene.defer(async () => {
          for (const sink of sinks) await sink[Symbol.asyncDispose]();
        });
        const { shim, container } = await scene.alone({ events });
        await first[Symbol.asyncDispose]();
        await container.kill(9);
        await container.wait();
        const book = new EventBook();
        sinks.push(new EventSink(events, (event) => book.add(event)));
        await book.until("/tasks/exit", shim.id, "", scene.signal);
      },
    },
    {
      name:
        "a client that leaves in the middle of a Create leaves nothing half",
      run: async (scene) => {
        const container = await scene.prepared();
        const { shim } = container;
        const client = await shim.connect();
        const create = shim.call("Create", container.request, client);
        const lost = refused(create, "Unavailable");
        await client.close();
        await lost;
        // Either it is there and whole, or its id is free, a moment later.
        await recreated(container, scene.signal);
        await container.start();
        assertEquals((await container.state()).status, TaskStatus.RUNNING);
      },
    },
    {
      name: "a client that leaves during a Wait disturbs nobody",
      run: async (scene) => {
        const container = await scene.running();
        const { shim, id } = container;
        const client = await shim.connect();
        const lost = refused(shim.call("Wait", { id }, client), "Unavailable");
        await client.close();
        await lost;
        const waited = container.wait();
        await container.kill(9);
        assertEquals((await waited).exitStatus, 137);
      },
    },
    {
      name: "the shim is a process of its own session",
      run: async (scene) => {
        const { shim } = await scene.pod();
        assert(await isAlive(shim.pid), `shim ${shim.pid}`);
        const stat = await Deno.readTextFile(`/proc/${shim.pid}/stat`);
        const [, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const own = await Deno.readTextFile(`/proc/${Deno.pid}/stat`);
        const [, , ours] = own.slice(own.lastIndexOf(")") + 2).split(" ");
        assert(group !== ours, "a signal to the daemon would reach it");
      },
    },
  ],
};
