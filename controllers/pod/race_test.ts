import { assertEquals } from "@std/assert";
import { SerialQueue } from "../../base/queue.ts";
import { callName } from "../testing/container_calls.ts";
import {
  ContainerWorld,
  plainSpec,
  virtualDisk,
} from "../testing/container_world.ts";
import { noStdio } from "../testing/fake_stdio.ts";
import {
  neverFails,
  type Race,
  races,
  type RaceWorld,
} from "../testing/race.ts";
import { quickClock, runPromises } from "../testing/rehearsal.ts";
import type { PodContainer } from "./dependencies.ts";
import { FakePodNetwork } from "./testing.ts";

/** True until a container is deleted. */
function isThere(container: PodContainer): boolean {
  try {
    return container.process("") === container.init;
  } catch {
    return false;
  }
}

/** A pod whose operations race. */
function podWorld(race: Race): RaceWorld {
  const clock = quickClock();
  const network = new FakePodNetwork();
  const networkCalls = new SerialQueue();
  let isNetworkUp = false;
  let isRunning = true;
  let removed = 0;
  let setups = 0;
  network.script.play = (call) =>
    networkCalls.run(async () => {
      if (call === "teardown") assertEquals(pod.list().filter(isThere), []);
      else {
        setups++;
        isNetworkUp = true; // or a part of it
      }
      await race.call(call);
      if (call === "teardown") isNetworkUp = false;
    });
  const world = new ContainerWorld(
    {
      exitOnKill: true,
      beforeCall: (call) => race.call(callName(call, String)),
    },
    undefined,
    false,
    { network, isVmRunning: () => isRunning },
    clock,
  );
  const { pod, guest, scsi } = world;
  /** A member as the services make it, and start it. */
  const run = (id: string) => async (): Promise<void> => {
    await pod.setupNetwork();
    const container = pod.newContainer(id);
    assertEquals([setups, isNetworkUp], [1, true]);
    await container.create({
      bundle: "/b",
      spec: plainSpec,
      layers: { readOnly: [], scratch: virtualDisk(`/${id}.vhdx`) },
      stdio: noStdio,
    });
    await container.start();
  };
  const remove = (id: string) => async (): Promise<void> => {
    await pod.get(id).deleteProcess("");
    pod.remove(id);
    removed++;
  };
  const exit = async (): Promise<void> => {
    for (const it of guest.processes) await it.exit(0);
  };
  pod.remove("web");
  return {
    operations: {
      "run pod1": run("pod1"),
      "run web": run("web"),
      "run db": run("db"),
      "remove pod1": remove("pod1"),
      "remove web": remove("web"),
      "remove db": remove("db"),
      "kill all": () => pod.killAll(9),
      exit,
      lose: () => {
        isRunning = false;
        guest.lose();
        return neverFails(pod.abandon(new Error("lost")));
      },
    },
    help: () => clock.advance(1000),
    end: async () => {
      await exit();
      await clock.advance(2000);
      for (const id of ["web", "db", "pod1"]) {
        if (!pod.containers.has(id)) continue;
        await remove(id)();
      }
      // Only a pod that never had a container is left to its owner.
      if (removed === 0) await pod.teardownNetwork();
      await runPromises();
      assertEquals([pod.list(), isNetworkUp, clock.sleepers], [[], false, 0]);
      assertEquals([scsi.disks, scsi.reservations], [[], 0]);
    },
  };
}

Deno.test("operations of a pod at the same time all end, and leave nothing", async () => {
  await races(
    podWorld,
    ["run pod1", "run web", "run db"],
    [
      "run web",
      "run db",
      "remove pod1",
      "remove pod1",
      "remove web",
      "remove web",
      "remove db",
      "kill all",
      "exit",
      "lose",
    ],
    200,
  );
});
