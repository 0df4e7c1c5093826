/**
 * A pod against a model of it, which foretells every call, every answer, and who
 * is in the pod between two steps.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SerialQueue } from "../../base/queue.ts";
import { callName } from "../testing/container_calls.ts";
import { ContainerModel } from "../testing/container_model.ts";
import {
  ContainerWorld,
  plainSpec,
  virtualDisk,
} from "../testing/container_world.ts";
import { noStdio } from "../testing/fake_stdio.ts";
import { PodModel } from "../testing/pod_model.ts";
import {
  type Cue,
  cue,
  type Cues,
  quickClock,
  Rehearsal,
  rehearse,
  type Scene,
  type Story,
} from "../testing/rehearsal.ts";
import type { PodController } from "./controller.ts";
import type { PodContainer } from "./dependencies.ts";
import { FakePodNetwork } from "./testing.ts";

/** The calls that wait for their answers; all others succeed at once. */
const parked = /createContainer|deleteContainerState|start|execute|signal/;

function createRequest(
  id: string,
): Parameters<PodContainer["create"]>[0] {
  return {
    bundle: "/b",
    spec: plainSpec,
    layers: { readOnly: [], scratch: virtualDisk(`/${id}.vhdx`) },
    stdio: noStdio,
  };
}

/** A pod and its model. */
class PodScene implements Scene {
  readonly rehearsal = new Rehearsal();
  readonly guestModel = { isLost: false };
  readonly clock = quickClock();
  readonly model: PodModel = new PodModel(
    "pod1",
    this.rehearsal,
    (id) => this.#containerModel(id),
  );
  readonly network = new FakePodNetwork();
  readonly world = new ContainerWorld(
    {
      exitOnKill: true,
      beforeCall: async (call) => {
        const name = callName(call, () => "init");
        if (this.#isOver || !parked.test(name)) return;
        await this.rehearsal.park(`${call.containerId} ${name}`);
      },
    },
    undefined,
    false,
    { network: this.network, isVmRunning: () => this.model.isVmRunning },
    this.clock,
  );
  readonly pod: PodController = this.world.pod;
  /** Whether the VM may have adapters. */
  isNetworkUp = false;
  readonly #networkCalls = new SerialQueue();
  #isOver = false;

  constructor() {
    this.network.script.play = (call) =>
      this.#networkCalls.run(async () => {
        if (this.#isOver) return;
        if (call === "setup") this.isNetworkUp = true; // or a part of it
        await this.rehearsal.park(`network ${call}`);
        if (call === "teardown") this.isNetworkUp = false;
      });
    this.model.newContainer("web");
  }

  #containerModel(id: string): ContainerModel {
    const undo = `${id} deleteContainerState`;
    return new ContainerModel({
      prefix: `${id} `,
      acquire: [[`${id} createContainer`, undo]],
      release: [undo],
      clock: this.clock,
      guest: this.guestModel,
      rehearsal: this.rehearsal,
    });
  }

  /** Something happens to a container that is found by its id. */
  of(
    name: string,
    id: string,
    story: (container: ContainerModel) => Story,
    operation: (container: PodContainer) => Promise<unknown>,
  ): void {
    this.rehearsal.begin(
      `${name} ${id}`,
      this.model.of(id, story),
      () => operation(this.pod.get(id)),
    );
  }

  create(id: string): void {
    if (this.guestModel.isLost) return;
    this.of(
      "create",
      id,
      (model) => model.create(noStdio),
      (container) => container.create(createRequest(id)),
    );
  }

  start(id: string): void {
    this.of("start", id, (model) => model.start(), (real) => real.start());
  }

  newContainer(id: string): void {
    const told = this.model.newContainer(id);
    this.rehearsal.begin(`new ${id}`, told, () => this.pod.newContainer(id));
  }

  delete(id: string): void {
    const operation = () => this.pod.get(id).deleteProcess("");
    this.rehearsal.begin(`delete ${id}`, this.model.delete(id), operation);
  }

  setupNetwork(): void {
    const { model, pod } = this;
    const operation = () => pod.setupNetwork();
    this.rehearsal.begin("setup", model.setupNetwork(), operation);
  }

  teardownNetwork(): void {
    const { model, pod } = this;
    const operation = () => pod.teardownNetwork();
    this.rehearsal.begin("teardown", model.teardownNetwork(), operation);
  }

  /** Forgets a container of which nothing is left, or never was. */
  remove(id: string): void {
    const member = this.model.members.get(id);
    const isFree = member === undefined || member.isDeleted ||
      member.container.state === "NotCreated" &&
        !this.rehearsal.isUnderWay(`create ${id}`);
    if (!isFree) return;
    const told = this.model.members.delete(id) ? "ok" : "NotFound";
    this.rehearsal.begin(`remove ${id}`, told, () => this.pod.remove(id));
  }

  /** A program ends, if it runs. */
  async exit(id: string): Promise<void> {
    const init = this.model.members.get(id)?.container.init;
    if (init?.isAlive !== true) return;
    init.exit(3);
    await this.world.guest.process(this.pod.get(id).init.pid).exit(3);
  }

  /** A pod with a network, whose containers were created or run. */
  static async opened(isStarted: boolean): Promise<PodScene> {
    const scene = new PodScene();
    scene.setupNetwork();
    scene.newContainer("pod1");
    for (const id of ["pod1", "web"]) {
      scene.create(id);
      if (isStarted) scene.start(id);
    }
    await scene.rehearsal.answerAll();
    return scene;
  }

  check(): void {
    const { pod, model } = this;
    assertEquals(
      pod.list().map(({ id, state, init }) => [id, state, init.state]),
      [...model.members].map(([id, { container: { state, init } }]) => [
        id,
        state,
        init.state,
      ]),
    );
    assertEquals([...pod.containers.keys()], [...model.members.keys()]);
  }

  async finish(): Promise<void> {
    const { rehearsal, model, clock, world } = this;
    await rehearsal.answerAll();
    for (const id of model.members.keys()) await this.exit(id);
    await clock.advance(1000);
    await rehearsal.answerAll();
    for (const id of ["web", "db", "pod1"]) {
      if (model.members.get(id)?.container.state === "NotCreated") {
        this.remove(id);
      }
    }
    for (const id of ["web", "db", "pod1"]) {
      const member = model.members.get(id);
      if (member === undefined) continue;
      if (!member.isDeleted || member.isLeaving) this.delete(id);
      await rehearsal.answerAll();
      this.remove(id);
    }
    // What no delete of a last container did is the owner's to do.
    if (!model.isEnding || model.lastTeardown !== "ok") this.teardownNetwork();
    await rehearsal.answerAll();
    this.check();
    assertEquals([model.members.size, this.isNetworkUp], [0, false]);
    assertEquals([world.scsi.disks, world.scsi.reservations], [[], 0]);
    assertEquals(clock.sleepers, 0);
    if (!this.guestModel.isLost) await this.#runAgain();
  }

  /** A new pod of the same ids has its whole life. */
  async #runAgain(): Promise<void> {
    this.#isOver = true;
    const pod = this.world.newPod("pod1");
    await pod.setupNetwork();
    for (const id of ["pod1", "web"]) {
      const container = pod.newContainer(id);
      await container.create(createRequest(id));
      await container.start();
    }
    await pod.killAll(9);
    for (const id of ["web", "pod1"]) {
      assertEquals((await pod.get(id).deleteProcess("")).exitCode, 137);
      pod.remove(id);
    }
    assertEquals([pod.list(), this.world.scsi.disks], [[], []]);
  }
}

/** A cue for one of three containers. */
function each(
  weight: number,
  name: string,
  play: (scene: PodScene, id: string) => void | Promise<void>,
): Cues<PodScene>[number] {
  const ids = fc.constantFrom("pod1", "web", "db");
  return {
    weight,
    arbitrary: ids.map((id): Cue<PodScene> => ({
      name: `${name} ${id}`,
      play: (scene) => play(scene, id),
    })),
  };
}

const cues: Cues<PodScene> = [
  cue(3, "set the network up", (scene) => scene.setupNetwork()),
  cue(1, "take the network down", (scene) => scene.teardownNetwork()),
  each(4, "new", (scene, id) => scene.newContainer(id)),
  each(4, "create", (scene, id) => scene.create(id)),
  each(3, "start", (scene, id) => scene.start(id)),
  each(2, "kill", (scene, id) =>
    scene.of(
      "kill",
      id,
      (model) => model.kill("", 9),
      (container) => container.kill("", 9, false),
    )),
  each(5, "delete", (scene, id) => scene.delete(id)),
  each(3, "remove", (scene, id) => scene.remove(id)),
  each(2, "exit", (scene, id) => scene.exit(id)),
  cue(
    1,
    "kill all",
    ({ rehearsal, model, pod }) =>
      rehearsal.begin("kill all", model.killAll(15), () => pod.killAll(15)),
  ),
  cue(
    1,
    "kill all for good",
    ({ rehearsal, model, pod }) =>
      rehearsal.begin("kill all", model.killAll(9), () => pod.killAll(9)),
  ),
  cue(1, "the VM ends", async (scene) => {
    const { rehearsal, model, pod } = scene;
    while (rehearsal.answer(0, "Unavailable")) await rehearsal.settle();
    model.isVmRunning = false;
    scene.guestModel.isLost = true;
    for (const { container } of model.members.values()) {
      if (container.init.isAlive) container.init.exit(-1);
    }
    scene.world.guest.lose();
    const operation = () => pod.abandon(new Error("lost"));
    rehearsal.begin("abandon", model.abandon(), operation);
  }),
];

Deno.test("whatever happens to a pod, in whichever order, it follows the model", async () => {
  const openings = [
    () => new PodScene(),
    () => PodScene.opened(false),
    () => PodScene.opened(true),
  ];
  await rehearse(openings, cues, 300);
});
