/**
 * A container against a model of it, which foretells every call, every answer,
 * and where the container is between two steps.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isGone } from "../../base/hresult.ts";
import type { FakeCall } from "../../bridge/fake_guest.ts";
import {
  callName,
  callsOfCreate,
  hostCallName,
  oneLayer,
} from "../testing/container_calls.ts";
import { ContainerModel } from "../testing/container_model.ts";
import { ContainerWorld, plainSpec } from "../testing/container_world.ts";
import { noStdio } from "../testing/fake_stdio.ts";
import type { ProcessModel } from "../testing/process_model.ts";
import {
  cue,
  type Cues,
  quickClock,
  Rehearsal,
  rehearse,
  type Scene,
} from "../testing/rehearsal.ts";
import type { LinuxContainer } from "./controller.ts";

/** Its output; the name tells whose it is. */
const output = (name: string) => ({ ...noStdio, stdout: name });

/** A container and its model. */
class ContainerScene implements Scene {
  readonly rehearsal = new Rehearsal();
  readonly guestModel = { isLost: false };
  readonly clock = quickClock();
  readonly world = new ContainerWorld(
    { exitOnKill: true, beforeCall: (call) => this.#guestCall(call) },
    undefined,
    false,
    {},
    this.clock,
  );
  readonly model = new ContainerModel({
    ...callsOfCreate,
    clock: this.clock,
    guest: this.guestModel,
    rehearsal: this.rehearsal,
  });
  readonly container: LinuxContainer = this.world.container;
  terminations = 0;
  /** How many containers of the guest are not closed. */
  watched = 0;
  readonly #names = new Map<number, string>();
  /** The calls that took effect and have to be taken back. */
  readonly #effects = new Set<string>();
  #isOver = false;

  constructor() {
    const { vm, compute, client, guest } = this.world;
    vm.script.play = (_, request) => this.#call(hostCallName(request));
    compute.script.play = (call) => this.#call(call);
    client.script.play = (name, url) => this.#call(`${url} ${name}`);
    const createContainer = guest.createContainer.bind(guest);
    guest.createContainer = async (...call) => {
      const container = await createContainer(...call);
      this.watched++;
      const close = (): void => {
        this.watched--;
        container.close();
      };
      return { ...container, close };
    };
    this.container.terminated.then(() => this.terminations++);
  }

  /** Waits for the answer; what succeeds must make sense. */
  async #call(name: string): Promise<void> {
    if (this.#isOver) return;
    const [, verb, rest] = name.match(/^((?:vm )?(?:Add|Remove)) (.*)$/) ?? [];
    const effect = verb?.replace(/Add|Remove/, "") + (rest ?? "");
    try {
      await this.rehearsal.park(name);
    } catch (error) {
      if (isGone(error) && verb?.endsWith("Remove")) {
        this.#effects.delete(effect);
      }
      throw error;
    }
    const isHeard = name.startsWith("vm ") || !this.guestModel.isLost;
    if (verb?.endsWith("Add") && isHeard) {
      assertEquals(this.#effects.has(effect), false, `${effect} twice`);
      this.#effects.add(effect);
    } else this.#effects.delete(effect);
  }

  async #guestCall(call: FakeCall): Promise<void> {
    const name = callName(call, (pid) => this.#names.get(pid));
    await this.#call(name);
    if (call.call !== "execute") return;
    const pid = 101 + this.world.guest.processes.length;
    this.#names.set(pid, name.replace(" execute", ""));
  }

  create(): void {
    this.rehearsal.begin(
      "create",
      this.model.create(output("init")),
      () => this.world.create({ layers: oneLayer, stdio: output("init") }),
    );
  }

  start(): void {
    const { rehearsal, model, container } = this;
    rehearsal.begin("start", model.start(), () => container.start());
  }

  exec(id: string, isStarted: boolean): void {
    const { rehearsal, model, container } = this;
    const stdio = output(id);
    rehearsal.begin(
      `exec ${id}`,
      model.exec(id, stdio, isStarted),
      async () => {
        const spec = { cwd: "/", user: { uid: 0, gid: 0 }, args: [id] };
        const process = container.newProcess(id);
        try {
          await process.create({ bundle: "/b", spec, stdio });
        } catch (error) {
          container.forgetProcess(id);
          throw error;
        }
        if (isStarted) await process.start();
      },
    );
  }

  delete(): void {
    const { rehearsal, model, container } = this;
    const operation = () => container.deleteProcess("");
    rehearsal.begin("delete", model.delete(), operation);
  }

  /** A container that was created, or runs. */
  static async opened(isStarted: boolean): Promise<ContainerScene> {
    const scene = new ContainerScene();
    scene.create();
    if (isStarted) scene.start();
    await scene.rehearsal.answerAll();
    return scene;
  }

  /** A container whose creation waits for a call. */
  static async creating(call: string): Promise<ContainerScene> {
    const scene = new ContainerScene();
    scene.create();
    await scene.rehearsal.settle();
    while (!scene.rehearsal.calls.includes(call)) {
      scene.rehearsal.answer(0, "ok");
      await scene.rehearsal.settle();
    }
    return scene;
  }

  check(): void {
    const { model, container } = this;
    const ids = [...model.processes].filter(([id]) => id !== "");
    assertEquals({
      state: container.state,
      terminations: this.terminations,
      watched: this.watched,
      init: [container.init.state, container.init.status().exitCode],
      execs: [...container.processes()].map(([id, exec]) => [
        id,
        exec.state,
        exec.status().exitCode,
      ]),
    }, {
      state: model.state,
      terminations: model.isTerminated ? 1 : 0,
      watched: model.isWatched ? 1 : 0,
      init: [model.init.state, model.init.code],
      execs: ids.map(([id, { state, code }]) => [id, state, code]),
    });
  }

  /** A program ends, if it runs. */
  async exit(id: string): Promise<void> {
    const process = this.model.processes.get(id);
    if (process?.isAlive !== true) return;
    process.exit(3);
    const { pid } = this.container.process(id);
    await this.world.guest.process(pid).exit(3);
  }

  /** The container ends in the guest, which says nothing of its processes. */
  end(): void {
    if (!this.model.isWatched) return;
    this.model.hasEnded = true;
    this.world.guest.terminate("web");
  }

  /** The bridge is lost; the calls to the guest that wait say it first. */
  async lose(): Promise<void> {
    const isGuestCall = (call: string) => !/^vm |grant|stdout/.test(call);
    while (this.rehearsal.answer(0, "Unavailable", isGuestCall)) {
      await this.rehearsal.settle();
    }
    this.guestModel.isLost = true;
    for (const process of this.model.processes.values()) this.#orphan(process);
    this.world.guest.lose();
  }

  #orphan(process: ProcessModel): void {
    if (process.isAlive) process.exit(255, true);
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.clock.advance(1000);
      await this.rehearsal.settle();
    }
  }

  async finish(): Promise<void> {
    const { rehearsal, model, clock, world } = this;
    await rehearsal.answerAll();
    for (const id of model.processes.keys()) await this.exit(id);
    await this.pass(2);
    await rehearsal.answerAll();
    if (model.state !== "NotCreated" && model.processes.has("")) {
      this.delete();
      await rehearsal.answerAll();
      assertEquals(model.processes.has(""), false);
    }
    this.check();
    if (model.state !== "NotCreated") rehearsal.end();
    assertEquals([clock.sleepers, this.#effects.size], [0, 0]);
    assertEquals([world.scsi.disks, world.scsi.reservations], [[], 0]);
    if (!this.guestModel.isLost) await this.#runAgain();
  }

  /** A new container of the same id has its whole life. */
  async #runAgain(): Promise<void> {
    const { pod, guest, scsi } = this.world;
    this.#isOver = true;
    pod.remove("web");
    const container = pod.newContainer("web");
    await container.create({
      bundle: "/b",
      spec: plainSpec,
      layers: oneLayer,
      stdio: noStdio,
    });
    await guest.process(await container.start()).exit(5);
    const { exitCode } = await container.deleteProcess("");
    assertEquals([exitCode, scsi.disks], [5, []]);
  }
}

const ids = fc.constantFrom("e1", "e2");

const cues: Cues<ContainerScene> = [
  cue(3, "create", (scene) => scene.create()),
  cue(4, "start", (scene) => scene.start()),
  {
    weight: 6,
    arbitrary: fc.tuple(ids, fc.boolean()).map(([id, isStarted]) => ({
      name: `exec ${id}${isStarted ? "" : ", created only"}`,
      play: (scene) => scene.exec(id, isStarted),
    })),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom("", "", "e1", "e2"),
      fc.constantFrom(9, 15),
      fc.boolean(),
    ).map(([id, signal, all]) => ({
      name: `kill "${id}" ${signal}${all ? " all" : ""}`,
      play: ({ rehearsal, model, container }) =>
        rehearsal.begin(
          "kill",
          model.kill(id, signal, all),
          () => container.kill(id, signal, all),
        ),
    })),
  },
  cue(1, "update", ({ rehearsal, model, container }) =>
    rehearsal.begin(
      "update",
      model.ask("Update ContainerConstraints"),
      () => container.update({}),
    )),
  cue(
    1,
    "pids",
    ({ rehearsal, model, container }) =>
      rehearsal.begin("pids", model.ask("properties"), () => container.pids()),
  ),
  cue(
    1,
    "stats",
    ({ rehearsal, model, container }) =>
      rehearsal.begin(
        "stats",
        model.ask("properties"),
        () => container.stats(),
      ),
  ),
  {
    weight: 3,
    arbitrary: ids.map((id) => ({
      name: `delete ${id}`,
      play: ({ rehearsal, model, container }) =>
        rehearsal.begin(
          `delete ${id}`,
          model.deleteExec(id),
          () => container.deleteProcess(id),
        ),
    })),
  },
  cue(3, "delete", (scene) => scene.delete()),
  {
    weight: 3,
    arbitrary: fc.constantFrom("", "e1", "e2").map((id) => ({
      name: `exit "${id}"`,
      play: (scene) => scene.exit(id),
    })),
  },
  cue(1, "end in the guest", (scene) => scene.end()),
  cue(1, "lose", (scene) => scene.lose()),
  cue(1, "abandon", ({ rehearsal, model, container }) =>
    rehearsal.begin(
      "abandon",
      model.abandon(),
      () => container.abandon(new Error("lost")),
    )),
  cue(1, "a second passes", (scene) => scene.pass(1)),
  cue(1, "half a minute passes", (scene) => scene.pass(30)),
];

Deno.test("whatever happens to a container, in whichever order, it follows the model", async () => {
  const openings = [
    () => new ContainerScene(),
    () => ContainerScene.creating("vm Add 1"),
    () => ContainerScene.creating("createContainer"),
    () => ContainerScene.opened(false),
    () => ContainerScene.opened(true),
    () => ContainerScene.opened(true),
  ];
  await rehearse(openings, cues, 400);
});
