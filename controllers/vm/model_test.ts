/**
 * A VM against a model of it, which foretells every call, every answer, and where
 * the VM is between two steps.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { bridgePort } from "../../bridge/places.ts";
import { ScriptedPeer } from "../../bridge/scripted_peer.ts";
import type { FakeComputeSystem } from "../testing/fake_compute.ts";
import {
  cue,
  type Cues,
  quickClock,
  Rehearsal,
  rehearse,
  runPromises,
  type Scene,
} from "../testing/rehearsal.ts";
import { type Caller, VmModel } from "../testing/vm_model.ts";
import { VmWorld } from "../testing/vm_world.ts";
import type { VmController } from "./controller.ts";
import { entropyPort, logPort } from "./kernel_command_line.ts";

const ports = [entropyPort, logPort, bridgePort];

const request = {
  id: "pod1@vm",
  owner: "",
  bundle: "/bundle",
  annotations: {},
  devices: [],
};

/** A VM and its model. */
class VmScene implements Scene {
  readonly rehearsal = new Rehearsal();
  readonly clock = quickClock();
  readonly model = new VmModel(this.clock, this.rehearsal);
  readonly world = new VmWorld(this.clock);
  readonly vm: VmController = this.world.vm;
  exits = 0;
  /** The guest's ends of its streams. */
  readonly dialled = new Map<number, Duplex>();
  #system: FakeComputeSystem | undefined;
  #leave: (() => void) | undefined;
  #isOver = false;

  constructor() {
    const { compute, sockets } = this.world;
    compute.script.play = (call, _, signal) =>
      call === "create" ? this.#park(call, signal) : Promise.resolve();
    sockets.script.play = (call) => this.#park(call);
    const create = compute.create.bind(compute);
    compute.create = async (...call) => {
      const system = await create(...call) as FakeComputeSystem;
      system.script.play = (call, _, signal) => this.#park(call, signal);
      return this.#system = system;
    };
    this.vm.exited.then(() => this.exits++);
  }

  async #park(call: string, signal?: AbortSignal): Promise<void> {
    if (!this.#isOver) await this.rehearsal.park(call, signal);
  }

  /** A caller, who may leave later. */
  #caller(): [caller: Caller, signal: AbortSignal] {
    const caller = { hasLeft: false };
    const abort = new AbortController();
    this.#leave = () => {
      caller.hasLeft = true;
      abort.abort(new ShimError("Canceled", "nobody waits"));
    };
    return [caller, abort.signal];
  }

  create(): void {
    const { rehearsal, model, vm } = this;
    const [caller, signal] = this.#caller();
    const operation = () => vm.create(request, signal);
    rehearsal.begin("create", model.create(caller), operation);
  }

  start(): void {
    const { rehearsal, model, vm } = this;
    const [caller, signal] = this.#caller();
    rehearsal.begin("start", model.start(caller), () => vm.start(signal));
  }

  terminate(): void {
    const { rehearsal, model, vm } = this;
    rehearsal.begin("terminate", model.terminate(), () => vm.terminate());
  }

  /** The caller of the last create or start waits no more. */
  leave(): void {
    this.#leave?.();
  }

  /** The guest dials, if somebody listens. */
  dial(port: number): void {
    const { isAccepting, ports } = this.model;
    if (!isAccepting || !ports.includes(port)) return;
    this.model.ports = ports.filter((other) => other !== port);
    this.dialled.set(port, this.world.sockets.dial(port));
  }

  /** The guest ends its log. */
  async endLog(): Promise<void> {
    const log = this.dialled.get(logPort);
    if (log === undefined) return;
    this.model.isLogEnded = true;
    await log.closeWrite();
  }

  /** The guest's part of the handshake. */
  async shakeHands(how: "ok" | "too new" | "hangs up"): Promise<void> {
    const bridge = this.dialled.get(bridgePort);
    if (bridge === undefined || !this.model.isShaking) return;
    const peer = new ScriptedPeer(bridge);
    if (how === "ok") await peer.welcome();
    else if (how === "hangs up") await bridge.close();
    else await peer.answer(await peer.receive(), { Version: 5 });
    const answers = {
      "ok": "ok",
      "too new": "FailedPrecondition",
      "hangs up": "Unavailable",
    };
    this.model.handshake = answers[how];
  }

  /** The guest's agent goes; the VM itself runs on. */
  async hangUp(): Promise<void> {
    if (!this.model.wasRunning) return;
    this.model.isBridgeLost = true;
    await this.dialled.get(bridgePort)?.close();
  }

  /** The VM ends by itself, or the service that knows of it is lost. */
  exit(how: "GracefulExit" | "UnexpectedExit" | "lost"): void {
    if (this.#system === undefined || this.model.end !== undefined) return;
    this.model.end = how === "lost" ? "Unavailable" : "Aborted";
    if (how === "lost") this.#system.lose(new Error("lost"));
    else this.#system.exit({ exitType: how });
  }

  /** From now on a terminate has no effect. */
  disobey(): void {
    if (this.#system === undefined) return;
    this.model.isObedient = this.#system.obedient = false;
  }

  /** Time passes, as long as somebody waits for it. */
  async pass(seconds: number): Promise<void> {
    for (let half = 0; half < 2 * seconds && this.clock.sleepers; half++) {
      await this.clock.advance(500);
      await this.rehearsal.settle();
    }
  }

  /** A VM that runs, and whose terminate failed at every step. */
  static async invalid(): Promise<VmScene> {
    const scene = await VmScene.opened("Running");
    await scene.endLog();
    scene.terminate();
    await scene.rehearsal.settle();
    for (let step = 0; step < 2; step++) {
      scene.rehearsal.answer(0, "Internal");
      await scene.rehearsal.settle();
    }
    return scene;
  }

  /** A VM that was created, boots, or runs. */
  static async opened(
    state: "Created" | "booting" | "shaking" | "Running",
  ): Promise<VmScene> {
    const scene = new VmScene();
    scene.create();
    await scene.rehearsal.answerAll();
    if (state === "Created") return scene;
    scene.start();
    await scene.rehearsal.settle();
    for (const port of ports) scene.answer(`listen ${port}`);
    await scene.rehearsal.settle();
    if (state === "booting") return scene;
    scene.answer("start");
    for (const port of ports) scene.dial(port);
    await scene.rehearsal.settle();
    if (state === "Running") await scene.shakeHands("ok");
    await scene.rehearsal.settle();
    return scene;
  }

  answer(call: string): void {
    this.rehearsal.answer(0, "ok", (other) => other === call);
  }

  check(): void {
    const { vm, model, world } = this;
    const hasEnded = model.isSettled || model.end !== undefined;
    assertEquals({
      state: vm.state,
      exits: this.exits,
      ports: world.sockets.ports.sort(),
      hasStarted: vm.startedAt !== undefined,
      hasStopped: vm.stoppedAt !== undefined,
      id: vm.id,
      hasHandle: this.#system?.closed === false,
    }, {
      state: model.state,
      exits: model.isSettled ? 1 : 0,
      ports: model.ports.toSorted(),
      hasStarted: model.wasRunning,
      hasStopped: hasEnded,
      id: model.isMade ? request.id : "",
      hasHandle: model.hasHandle,
    });
    if (model.state === "Running") vm.guest;
    else assertThrows(() => vm.guest, ShimError, "vm is not running");
  }

  async finish(): Promise<void> {
    const { rehearsal, model, clock, world } = this;
    for (const _ of ["a repeated terminate does no harm", "never"]) {
      this.terminate();
      await rehearsal.answerAll();
      while (clock.sleepers > 0) {
        await this.pass(1);
        await rehearsal.answerAll();
      }
    }
    this.check();
    assertEquals([model.hasHandle, model.isSettled], [false, model.isMade]);
    // The service may still report the end of a system that is closed.
    this.exit("GracefulExit");
    await rehearsal.answerAll();
    rehearsal.end();
    await this.#requireClosed();
    assertEquals(world.sockets.ports, []);
    await this.#runAgain();
  }

  /** The host has closed its ends of all streams. */
  async #requireClosed(): Promise<void> {
    for (const stream of this.dialled.values()) {
      const write = async () => await stream.write(new Uint8Array(1));
      await assertRejects(write, ShimError, "closed");
    }
  }

  /** A new VM of the same id has its whole life. */
  async #runAgain(): Promise<void> {
    this.#isOver = true;
    const { world } = this;
    const vm = world.newVm();
    await vm.create(request);
    const started = vm.start();
    await runPromises();
    const [, log, bridge] = ports.map((port) => world.sockets.dial(port));
    await new ScriptedPeer(bridge!).welcome();
    await started;
    await log!.close();
    await vm.terminate();
    await vm.exited;
    assertEquals([vm.state, world.compute.system.closed], ["Terminated", true]);
  }
}

const cues: Cues<VmScene> = [
  cue(4, "create", (scene) => scene.create()),
  cue(4, "start", (scene) => scene.start()),
  cue(2, "terminate", (scene) => scene.terminate()),
  cue(1, "the caller leaves", (scene) => scene.leave()),
  {
    weight: 8,
    arbitrary: fc.constantFrom(...ports).map((port) => ({
      name: `dial ${port}`,
      play: (scene) => scene.dial(port),
    })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("ok", "ok", "too new", "hangs up").map((
      how,
    ) => ({
      name: `handshake: ${how}`,
      play: (scene) => scene.shakeHands(how),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("GracefulExit", "UnexpectedExit", "lost").map(
      (how) => ({
        name: `the VM ends: ${how}`,
        play: (scene) => scene.exit(how),
      }),
    ),
  },
  cue(1, "the guest hangs up", (scene) => scene.hangUp()),
  cue(1, "end of the log", (scene) => scene.endLog()),
  cue(1, "disobey", (scene) => scene.disobey()),
  cue(
    2,
    "modify",
    ({ rehearsal, model, vm }) =>
      rehearsal.begin("modify", model.modify(), () => vm.modify({})),
  ),
  cue(
    2,
    "stats",
    ({ rehearsal, model, vm }) =>
      rehearsal.begin("stats", model.stats(), () => vm.stats()),
  ),
  cue(2, "half a second passes", (scene) => scene.pass(0.5)),
  cue(1, "half a minute passes", (scene) => scene.pass(30)),
  cue(1, "two minutes pass", (scene) => scene.pass(120)),
];

Deno.test("whatever happens to a VM, in whichever order, it follows the model", async () => {
  const openings = [
    () => new VmScene(),
    () => VmScene.opened("Created"),
    () => VmScene.opened("booting"),
    () => VmScene.opened("shaking"),
    () => VmScene.opened("Running"),
    () => VmScene.invalid(),
  ];
  await rehearse(openings, cues, 300);
});
