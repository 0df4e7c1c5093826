import { assertEquals } from "@std/assert";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest } from "../../bridge/fake_guest.ts";
import { allStdio, FakeClient } from "../testing/fake_stdio.ts";
import {
  neverFails,
  type Race,
  races,
  type RaceWorld,
} from "../testing/race.ts";
import { quickClock, runPromises } from "../testing/rehearsal.ts";
import { ProcessController } from "./controller.ts";

const stdio = { ...allStdio, stderr: "", terminal: true };

/** A process whose operations race. */
function processWorld(race: Race): RaceWorld {
  const clock = quickClock();
  const guest = new FakeGuest({
    exitOnKill: true,
    beforeCall: ({ call }) => race.call(call),
  });
  const client = new FakeClient();
  client.script.play = (name) => race.call(name);
  let opened = 0;
  const process = new ProcessController({
    guest,
    streams: {
      open: async (url, name, signal) => {
        const stream = await client.open(url, name, signal);
        opened++;
        return stream;
      },
      startLogger: (url, process) => client.startLogger(url, process),
    },
    log: silentLogger,
    clock,
    timeouts: defaultTimeouts,
  }, { containerId: "web", guestContainerId: "web", execId: "probe" });
  const exits: number[] = [];
  process.exited.then(({ code }) => exits.push(code));
  const exit = async (): Promise<void> => {
    for (const it of guest.processes) await it.exit(0);
  };
  return {
    operations: {
      create: () => process.create({ bundle: "/b", stdio }),
      start: () => process.start(),
      kill: () => process.kill(9),
      terminate: () => process.kill(15),
      resize: () => process.resize(80, 25),
      delete: () => process.delete(),
      abandon: () => neverFails(process.abandon()),
      closeIo: () => neverFails(process.closeIo()),
      exit,
      lose: () => guest.lose(),
      undeliverable: () => {
        for (const it of guest.processes) it.deliverable = false;
      },
    },
    help: () => clock.advance(1000),
    end: async () => {
      await exit();
      await clock.advance(2000);
      if (process.state === "NotCreated") await process.kill();
      await process.delete();
      await runPromises();
      const { exitCode } = process.status();
      assertEquals([process.state, exits], ["Terminated", [exitCode]]);
      const closed = client.events.filter((said) => said.startsWith("closed"));
      assertEquals([closed.length, clock.sleepers], [opened, 0]);
      assertEquals(guest.processes.every(({ closed }) => closed), true);
    },
  };
}

Deno.test("operations of a process at the same time all end, and leave nothing", async () => {
  await races(
    processWorld,
    ["create", "start"],
    [
      "kill",
      "terminate",
      "resize",
      "closeIo",
      "delete",
      "abandon",
      "exit",
      "lose",
      "undeliverable",
    ],
    300,
  );
});
