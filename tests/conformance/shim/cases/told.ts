/** What a shim tells containerd of a container's life. */

import { assertEquals } from "@std/assert";
import type { CaseGroup } from "../case.ts";

/** See the module. */
export const told: CaseGroup = {
  name: "Events",
  cases: [
    {
      name: "Create publishes TaskCreate with the bundle and the streams",
      run: async (scene) => {
        const container = await scene.created();
        const { id, bundle, streams } = container;
        const { book } = scene.world;
        const { event } = await book.until(
          "/tasks/create",
          id,
          "",
          scene.signal,
        );
        assertEquals([event.bundle, event.io?.stdout], [
          bundle,
          streams.paths.stdout,
        ]);
      },
    },
    {
      name: "TaskExit carries id, process id, exit code and time",
      run: async (scene) => {
        const container = await scene.created({ script: "exit 9" });
        const { id } = container;
        const pid = await container.start();
        const { event } = await scene.world.book.until(
          "/tasks/exit",
          id,
          "",
          scene.signal,
        );
        assertEquals([event.id, event.pid, event.exitStatus], [id, pid, 9]);
        assertEquals(event.exitedAt, (await container.wait()).exitedAt);
      },
    },
    {
      name: "events of a life come in order: create, start, exit, delete",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 0" });
        await container.wait();
        await container.delete();
        const { book } = scene.world;
        await book.until("/tasks/delete", container.id, "", scene.signal);
        assertEquals(book.story(container.id), [
          ...["create", "start", "exit", "delete"],
        ]);
      },
    },
    {
      name: "events name containerd's namespace and their message",
      run: async (scene) => {
        const container = await scene.running();
        const { world, signal } = scene;
        const told = await world.book.until(
          "/tasks/start",
          container.id,
          "",
          signal,
        );
        assertEquals([told.namespace, told.typeUrl], [
          world.namespace,
          "containerd.events.TaskStart",
        ]);
      },
    },
  ],
};
