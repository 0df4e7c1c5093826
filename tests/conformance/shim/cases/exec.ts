/** Further processes of a container. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TaskStatus } from "../../../../ttrpc/api/task_types.gen.ts";
import { execSpec } from "../../../driver.ts";
import { type CaseGroup, refused } from "../case.ts";
import { sleeping } from "../process.ts";

/** See the module. */
export const exec: CaseGroup = {
  name: "Exec",
  cases: [
    {
      name: "an exec is added, started, ends and is deleted, and events say so",
      run: async (scene) => {
        const container = await scene.running();
        const probe = await container.exec("probe", "echo hi; exit 3");
        const end = await probe.toEnd();
        assertEquals([end.code, end.stdout], [3, "hi\n"]);
        const { book } = scene.world;
        await book.until("/tasks/exit", container.id, "probe", scene.signal);
        const story = book.story(container.id).slice(0, 5);
        assertEquals(story, [
          ...["create", "start"],
          ...["exec-added probe", "exec-started probe", "exit probe"],
        ]);
      },
    },
    {
      name: "State of an exec names it, and tells its process id",
      run: async (scene) => {
        const { container } = await scene.pod();
        const id = scene.world.newId("e");
        const probe = await container.exec(id, sleeping);
        assertEquals((await probe.state()).status, TaskStatus.CREATED);
        const pid = await probe.start();
        const state = await probe.state();
        assertEquals([state.execId, state.pid, state.status], [
          id,
          pid,
          TaskStatus.RUNNING,
        ]);
        await probe.kill(9);
        assertEquals((await probe.wait()).exitStatus, 137);
        await probe.delete();
      },
    },
    {
      name: "an exec with an exec id in use is AlreadyExists",
      run: async (scene) => {
        const { container, shim } = await scene.pod();
        const execId = scene.world.newId("e");
        const probe = await container.exec(execId, "exit 0");
        const again = shim.call("Exec", {
          id: container.id,
          execId,
          spec: execSpec(["true"]),
        });
        await refused(again, "AlreadyExists");
        assertEquals((await probe.toEnd()).code, 0);
      },
    },
    {
      name: "after Delete an exec id can be used again",
      run: async (scene) => {
        const { container } = await scene.pod();
        const id = scene.world.newId("e");
        for (const code of [1, 2]) {
          const probe = await container.exec(id, `exit ${code}`);
          assertEquals((await probe.toEnd()).code, code);
          await refused(probe.state(), "NotFound");
        }
      },
    },
    {
      name: "an exec in a container that has ended is refused",
      run: async (scene) => {
        const container = await scene.running({ script: "exit 0" });
        await container.wait();
        const spec = execSpec(["true"]);
        const { id } = container;
        const late = (async () => {
          await container.shim.call("Exec", { id, execId: "late", spec });
          await container.shim.call("Start", { id, execId: "late" });
        })();
        await refused(late);
      },
    },
    {
      name: "an exec of a program that is not there fails, and can be deleted",
      run: async (scene) => {
        const { container } = await scene.pod();
        const id = scene.world.newId("e");
        const probe = await container.exec(id, "", { args: ["/no/such"] });
        assertStringIncludes(await refused(probe.start()), "/no/such");
        await probe.delete();
      },
    },
    {
      name: "an exec whose process cannot be read is refused",
      run: async (scene) => {
        const { container, shim } = await scene.pod();
        const { typeUrl } = execSpec([]);
        const value = new TextEncoder().encode('{"args":');
        const execId = scene.world.newId("e");
        const broken = { id: container.id, execId, spec: { typeUrl, value } };
        await refused(shim.call("Exec", broken));
        await refused(
          shim.call("State", { id: container.id, execId }),
          "NotFound",
        );
      },
    },
    {
      name: "State, Kill and Delete of an unknown exec are NotFound",
      run: async (scene) => {
        const { container, shim } = await scene.pod();
        const names = { id: container.id, execId: "nobody" };
        await refused(shim.call("State", names), "NotFound");
        await refused(shim.call("Kill", { ...names, signal: 9 }), "NotFound");
        await refused(shim.call("Delete", names), "NotFound");
      },
    },
    {
      name: "Kill of an exec ends it alone",
      run: async (scene) => {
        const container = await scene.running();
        const one = await container.exec("one", sleeping);
        const other = await container.exec("other", sleeping);
        await one.start();
        await other.start();
        await one.kill(9);
        assertEquals((await one.wait()).exitStatus, 137);
        assertEquals((await other.state()).status, TaskStatus.RUNNING);
        assertEquals((await container.state()).status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Delete of a running exec is refused, and it goes on",
      run: async (scene) => {
        const container = await scene.running();
        const probe = await container.exec("probe", sleeping);
        await probe.start();
        await refused(probe.delete());
        assertEquals((await probe.state()).status, TaskStatus.RUNNING);
      },
    },
    {
      name: "Delete of an exec that was never started publishes no exit",
      run: async (scene) => {
        const container = await scene.running();
        const probe = await container.exec("probe", sleeping);
        await probe.delete();
        await refused(probe.state(), "NotFound");
        await container.kill(9);
        await container.wait();
        const { book } = scene.world;
        await book.until("/tasks/exit", container.id, "", scene.signal);
        const story = book.story(container.id);
        assert(!story.includes("exit probe"), story.join(", "));
      },
    },
    {
      name: "the end of a container ends its execs, whose exits are told first",
      run: async (scene) => {
        const container = await scene.running();
        const probes = [];
        for (const id of ["one", "two"]) {
          const probe = await container.exec(id, sleeping);
          await probe.start();
          probes.push(probe);
        }
        await container.kill(9);
        for (const probe of probes) {
          assertEquals((await probe.wait()).exitStatus, 137);
        }
        const { book } = scene.world;
        await book.until("/tasks/exit", container.id, "", scene.signal);
        const exits = book.story(container.id)
          .filter((line) => line.startsWith("exit"));
        assertEquals(exits.toSorted(), ["exit", "exit one", "exit two"]);
        assertEquals(exits.at(-1), "exit");
      },
    },
    {
      name: "twenty execs at once have their own codes and output",
      run: async (scene) => {
        const container = await scene.running();
        const ends = await Promise.all(
          Array.from({ length: 20 }, async (_, at) => {
            const probe = await container.exec(
              `e${at}`,
              `echo ${at}; exit ${at}`,
            );
            return await probe.toEnd();
          }),
        );
        ends.forEach(({ code, stdout }, at) =>
          assertEquals([code, stdout], [at, `${at}\n`])
        );
      },
    },
    {
      name: "start comes before exit for processes that end at once",
      run: async (scene) => {
        const container = await scene.running();
        for (let at = 0; at < 10; at++) {
          const probe = await container.exec(`e${at}`, "", {
            args: ["/bin/true"],
          });
          await probe.toEnd();
        }
        const { book } = scene.world;
        await book.until("/tasks/exit", container.id, "e9", scene.signal);
        const story = book.story(container.id);
        for (let at = 0; at < 10; at++) {
          const mine = story.filter((line) => line.endsWith(` e${at}`));
          assertEquals(mine.slice(0, 3), [
            `exec-added e${at}`,
            `exec-started e${at}`,
            `exit e${at}`,
          ]);
        }
      },
    },
  ],
};
