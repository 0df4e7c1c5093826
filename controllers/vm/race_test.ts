import { assertEquals, assertRejects } from "@std/assert";
import type { Duplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { bridgePort } from "../../bridge/places.ts";
import { ScriptedPeer } from "../../bridge/scripted_peer.ts";
import type { FakeComputeSystem } from "../testing/fake_compute.ts";
import {
  callerLeft,
  type Race,
  races,
  type RaceWorld,
} from "../testing/race.ts";
import { quickClock, runPromises } from "../testing/rehearsal.ts";
import { VmWorld } from "../testing/vm_world.ts";
import { entropyPort, logPort } from "./kernel_command_line.ts";

/** A VM whose operations race. */
function vmWorld(race: Race): RaceWorld {
  const clock = quickClock();
  const world = new VmWorld(clock);
  const { vm, compute, sockets } = world;
  let system: FakeComputeSystem | undefined;
  compute.script.play = (call, _, signal) =>
    call === "create" ? race.call(call, signal) : Promise.resolve();
  sockets.script.play = (call) => race.call(call);
  const create = compute.create.bind(compute);
  compute.create = async (...call) => {
    system = await create(...call) as FakeComputeSystem;
    system.script.play = (call, _, signal) => race.call(call, signal);
    return system;
  };
  let exits = 0;
  vm.exited.then(() => exits++);
  const caller = new AbortController();
  const dialled = new Map<number, Duplex>();
  const dial = (port: number) => () => {
    if (!sockets.ports.includes(port) || dialled.has(port)) return;
    const stream = sockets.dial(port);
    dialled.set(port, stream);
    if (port !== bridgePort) return;
    // Ends without an answer when the host closes the bridge first.
    new ScriptedPeer(stream).welcome().catch(() => {});
  };
  const ports = [entropyPort, logPort, bridgePort];
  return {
    operations: {
      create: () => vm.create(request, caller.signal),
      start: () => vm.start(caller.signal),
      terminate: () => vm.terminate(),
      leave: () => caller.abort(callerLeft),
      "dial for entropy": dial(entropyPort),
      "dial for the log": dial(logPort),
      "dial for the bridge": dial(bridgePort),
      "end the log": () => dialled.get(logPort)?.closeWrite(),
      "hang up": () => dialled.get(bridgePort)?.close(),
      exit: () => system?.exit({ exitType: "UnexpectedExit" }),
      lose: () => system?.lose(new Error("lost")),
      disobey: () => {
        if (system !== undefined) system.obedient = false;
      },
      modify: () => vm.modify({}),
      stats: () => vm.stats(),
    },
    help: async () => {
      for (const port of ports) dial(port)();
      await clock.advance(1000);
    },
    end: async () => {
      const terminated = vm.terminate();
      await clock.advance(60_000);
      await terminated;
      system?.exit();
      await runPromises();
      await clock.advance(60_000);
      assertEquals([exits, clock.sleepers], [system === undefined ? 0 : 1, 0]);
      assertEquals([sockets.ports, system?.closed ?? true], [[], true]);
      for (const stream of sockets.accepted) {
        const write = async () => await stream.write(new Uint8Array(1));
        await assertRejects(write, ShimError, "closed");
      }
      const next = world.newVm();
      await next.create(request);
      await next.terminate();
      assertEquals(next.state, "Terminated");
    },
  };
}

const request = {
  id: "pod1@vm",
  owner: "",
  bundle: "/bundle",
  annotations: {},
  devices: [],
};

Deno.test("operations of a VM at the same time all end, and leave nothing", async () => {
  const dials = ["dial for entropy", "dial for the log", "dial for the bridge"];
  await races(
    vmWorld,
    ["create", "start", ...dials],
    [
      ...dials,
      ...dials,
      "start",
      "terminate",
      "terminate",
      "leave",
      "end the log",
      "hang up",
      "exit",
      "lose",
      "disobey",
      "modify",
      "stats",
    ],
    200,
  );
});
