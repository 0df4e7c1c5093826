/**
 * A process against a model of it, which foretells every call, every answer, and
 * where the process is between two steps.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest } from "../../bridge/fake_guest.ts";
import { allStdio, FakeClient, noStdio } from "../testing/fake_stdio.ts";
import { ProcessModel } from "../testing/process_model.ts";
import {
  cue,
  type Cues,
  quickClock,
  Rehearsal,
  rehearse,
  type Scene,
} from "../testing/rehearsal.ts";
import { ProcessController } from "./controller.ts";
import type { StdioPaths } from "./stdio.ts";

/** A process and its model. */
class ProcessScene implements Scene {
  readonly rehearsal = new Rehearsal();
  readonly clock = quickClock();
  readonly guest = new FakeGuest({
    exitOnKill: true,
    beforeCall: ({ call }) => this.rehearsal.park(call),
  });
  readonly guestModel = { isLost: false };
  readonly model = new ProcessModel(
    "",
    this.clock,
    this.guestModel,
    this.rehearsal,
  );
  readonly client = new FakeClient();
  readonly exits: number[] = [];
  opened = 0;
  readonly process = new ProcessController({
    guest: this.guest,
    streams: {
      open: async (url, name, signal) => {
        const stream = await this.client.open(url, name, signal);
        this.opened++;
        return stream;
      },
      startLogger: (url, process) => this.client.startLogger(url, process),
    },
    log: silentLogger,
    clock: this.clock,
    timeouts: defaultTimeouts,
  }, { containerId: "web", guestContainerId: "web", execId: "probe" });

  constructor() {
    this.client.script.play = (call) => this.rehearsal.park(call);
    this.process.exited.then(({ code }) => this.exits.push(code));
  }

  create(stdio: StdioPaths): void {
    const { rehearsal, model, process } = this;
    const operation = () => process.create({ bundle: "/b", stdio });
    rehearsal.begin("create", model.create(stdio), operation);
  }

  start(): void {
    const { rehearsal, model, process } = this;
    rehearsal.begin("start", model.start(), () => process.start());
  }

  /** One that runs. */
  static async running(stdio: StdioPaths): Promise<ProcessScene> {
    const scene = new ProcessScene();
    scene.create(stdio);
    scene.start();
    await scene.rehearsal.answerAll();
    return scene;
  }

  check(): void {
    const { model, process, exits, client } = this;
    const { exitCode, exitedAt } = process.status();
    const closed = client.events.filter((event) => event.startsWith("closed"));
    const hasEnded = model.state === "Terminated";
    assertEquals({
      state: process.state,
      exitCode,
      hasTime: exitedAt !== undefined,
      exits,
      streams: this.opened - closed.length,
    }, {
      state: model.state,
      exitCode: model.code,
      hasTime: hasEnded,
      exits: hasEnded ? [model.code] : [],
      streams: model.streams.length,
    });
  }

  /** The program ends, if it runs. */
  async exit(code: number, outputOpen: boolean): Promise<void> {
    if (!this.model.isAlive) return;
    this.model.exit(code, outputOpen);
    await this.guest.process(this.process.pid).exit(code, { outputOpen });
  }

  /** The bridge is lost, and with it all calls that wait. */
  lose(): void {
    const isGuestCall = (call: string) => !call.startsWith("std");
    while (this.rehearsal.answer(0, "Unavailable", isGuestCall));
    this.guestModel.isLost = true;
    if (this.model.isAlive) this.model.exit(255, true);
    this.guest.lose();
  }

  async finish(): Promise<void> {
    const { rehearsal, model, process, clock } = this;
    await rehearsal.answerAll();
    await this.exit(3, true);
    for (let second = 0; second < 2; second++) {
      await clock.advance(defaultTimeouts.drainGrace);
      await rehearsal.answerAll();
    }
    if (model.state === "NotCreated") {
      rehearsal.begin("kill", model.kill(9), () => process.kill(9));
    }
    rehearsal.begin("delete", model.delete(), () => process.delete());
    await rehearsal.answerAll();
    assertEquals(model.state, "Terminated");
    this.check();
    rehearsal.end();
    assertEquals(clock.sleepers, 0);
    assertEquals(this.guest.processes.every(({ closed }) => closed), true);
  }
}

const terminal: StdioPaths = {
  ...noStdio,
  terminal: true,
  stdin: "in",
  stdout: "out",
};

const cues: Cues<ProcessScene> = [
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      noStdio,
      allStdio,
      terminal,
      { ...allStdio, terminal: true },
    ).map((stdio) => ({
      name: `create ${JSON.stringify(stdio)}`,
      play: (scene) => scene.create(stdio),
    })),
  },
  cue(8, "start", (scene) => scene.start()),
  {
    weight: 3,
    arbitrary: fc.constantFrom(9, 15, undefined).map((signal) => ({
      name: `kill ${signal}`,
      play: ({ rehearsal, model, process }) =>
        rehearsal.begin("kill", model.kill(signal), () => process.kill(signal)),
    })),
  },
  cue(
    2,
    "resize",
    ({ rehearsal, model, process }) =>
      rehearsal.begin("resize", model.resize(), () => process.resize(80, 25)),
  ),
  cue(
    2,
    "close input",
    ({ rehearsal, model, process }) =>
      rehearsal.begin("close input", model.closeIo(), () => process.closeIo()),
  ),
  cue(
    1,
    "delete",
    ({ rehearsal, model, process }) =>
      rehearsal.begin("delete", model.delete(), () => process.delete()),
  ),
  cue(
    1,
    "abandon",
    ({ rehearsal, model, process }) =>
      rehearsal.begin("abandon", model.abandon(), () => process.abandon()),
  ),
  cue(1, "exit", (scene) => scene.exit(7, false)),
  cue(1, "exit that nobody knows", (scene) => scene.exit(-1, false)),
  cue(1, "exit with open output", (scene) => scene.exit(7, true)),
  cue(2, "undeliverable", ({ model, guest, process }) => {
    if (!model.isAlive) return;
    model.isDeliverable = guest.process(process.pid).deliverable = false;
  }),
  cue(1, "lose", (scene) => scene.lose()),
  cue(1, "a second passes", ({ clock }) => clock.advance(1000)),
];

Deno.test("whatever happens to a process, in whichever order, it follows the model", async () => {
  const openings = [
    () => new ProcessScene(),
    ...[noStdio, allStdio, terminal].map((stdio) => () =>
      ProcessScene.running(stdio)
    ),
  ];
  await rehearse(openings, cues, 1000);
});
