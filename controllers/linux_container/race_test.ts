import { assertEquals } from "@std/assert";
import { classify } from "../../base/errors.ts";
import { isGone } from "../../base/hresult.ts";
import {
  callName,
  hostCallName,
  oneLayer,
} from "../testing/container_calls.ts";
import { ContainerWorld, plainSpec } from "../testing/container_world.ts";
import { noStdio } from "../testing/fake_stdio.ts";
import {
  callerLeft,
  neverFails,
  type Race,
  races,
  type RaceWorld,
} from "../testing/race.ts";
import { quickClock, runPromises } from "../testing/rehearsal.ts";

const stdio = { ...noStdio, stdout: "out" };
const spec = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["sh"] };

/** A container whose operations race. */
function containerWorld(race: Race): RaceWorld {
  const clock = quickClock();
  const held = new Set<string>();
  /** A call that adds something, or takes it back, when it succeeds. */
  const call = async (name: string, signal?: AbortSignal): Promise<void> => {
    const [, host = "", verb, what] = name.match(/^(vm )?(Add|Remove) (.*)$/) ??
      [];
    try {
      await race.call(name, signal);
    } catch (error) {
      if (verb === "Remove" && isGone(error)) held.delete(host + what);
      throw error;
    }
    if (verb === "Add" && (host !== "" || !isLost)) {
      assertEquals(held.has(host + what), false, `${name} twice`);
      held.add(host + what);
    } else if (verb === "Remove") held.delete(host + what);
  };
  let isLost = false;
  const world = new ContainerWorld(
    {
      exitOnKill: true,
      beforeCall: (it) => call(callName(it, String)),
    },
    undefined,
    false,
    {},
    clock,
  );
  const { container, guest, pod, scsi, client } = world;
  world.vm.script.play = (_, request) => call(hostCallName(request));
  world.compute.script.play = (name) => call(name);
  client.script.play = (name, _, signal) => call(name, signal);
  let terminations = 0;
  container.terminated.then(() => terminations++);
  const caller = new AbortController();
  const exit = async (): Promise<void> => {
    for (const it of guest.processes) await it.exit(0);
  };
  return {
    operations: {
      create: () => world.create({ layers: oneLayer, stdio }, caller.signal),
      start: () => container.start(),
      exec: async () => {
        const process = container.newProcess("e");
        try {
          await process.create({ bundle: "/b", spec, stdio });
        } catch (error) {
          container.forgetProcess("e");
          throw error;
        }
        await process.start();
      },
      kill: () => container.kill("", 9, true),
      terminate: () => container.kill("", 15, false),
      "kill exec": () => container.kill("e", 9, false),
      update: () => container.update({}),
      pids: () => container.pids(),
      delete: () => container.deleteProcess(""),
      "delete exec": () => container.deleteProcess("e"),
      exit,
      "end in the guest": () => guest.terminate("web"),
      lose: () => {
        isLost = true;
        guest.lose();
      },
      abandon: () => neverFails(container.abandon(new Error("lost"))),
      leave: () => caller.abort(callerLeft),
    },
    help: () => clock.advance(1000),
    end: async () => {
      await exit();
      await clock.advance(2000);
      if (container.state !== "NotCreated") {
        await container.deleteProcess("").catch((error) =>
          assertEquals(classify(error), "NotFound") // it is deleted already
        );
        await container.terminated;
      }
      await runPromises();
      await clock.advance(2000);
      assertEquals([terminations <= 1, clock.sleepers], [true, 0]);
      assertEquals([scsi.disks, scsi.reservations, [...held]], [[], 0, []]);
      if (isLost) return;
      pod.remove("web");
      const next = pod.newContainer("web");
      await next.create({
        bundle: "/b",
        spec: plainSpec,
        layers: oneLayer,
        stdio: noStdio,
      });
      await guest.process(await next.start()).exit(5);
      assertEquals((await next.deleteProcess("")).exitCode, 5);
    },
  };
}

Deno.test("operations of a container at the same time all end, and leave nothing", async () => {
  await races(
    containerWorld,
    ["create", "start", "exec"],
    [
      "start",
      "exec",
      "kill",
      "terminate",
      "kill exec",
      "update",
      "pids",
      "delete",
      "delete exec",
      "exit",
      "end in the guest",
      "lose",
      "abandon",
      "leave",
    ],
    200,
  );
});
