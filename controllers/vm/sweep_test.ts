import { assertEquals } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { sweep } from "../testing/operation_sweep.ts";
import { quickClock, runPromises } from "../testing/rehearsal.ts";
import { VmWorld } from "../testing/vm_world.ts";

const injected = new ShimError("Internal", "injected");

type Step = (world: VmWorld) => unknown;

const create: Step = (world) => world.create();

/** Starts the VM; its guest answers as long as somebody waits for it. */
const start: Step = async (world) => {
  if (world.vm.state !== "Created") return await world.vm.start();
  await (await world.boot()).log.close();
};

const failStart: Step = async (world) => {
  world.sockets.script.failNext("listen 1", injected);
  await world.vm.start();
};

const exit: Step = async ({ compute, clock }) => {
  for (const system of compute.systems.values()) system.exit();
  await runPromises();
  await clock.advance(0);
};

/** A VM after some steps; failures of the steps are expected. */
async function after(...steps: Step[]): Promise<VmWorld> {
  const world = new VmWorld(quickClock());
  for (const step of steps) {
    await Promise.resolve(step(world)).catch(() => {});
  }
  return world;
}

Deno.test("every operation of a VM in every state", async () => {
  const outcomes = await sweep<VmWorld>(
    {
      NotCreated: () => after(),
      Created: () => after(create),
      Running: () => after(create, start),
      Terminated: () => after(create, start, exit),
      Invalid: () => after(create, failStart),
    },
    {
      create,
      "create fails": (world) => {
        world.compute.script.failNext("create", injected);
        return world.create();
      },
      start,
      "start fails": failStart,
      terminate: ({ vm }) => vm.terminate(),
      "terminate cannot stop": (world) => {
        for (const { script } of world.compute.systems.values()) {
          script.failNext("terminate", injected);
        }
        return world.vm.terminate();
      },
      "terminate cannot close": (world) => {
        for (const { script } of world.compute.systems.values()) {
          script.failNext("close", injected);
        }
        return world.vm.terminate();
      },
      exit,
      modify: ({ vm }) => vm.modify({}),
      stats: ({ vm }) => vm.stats(),
      guest: ({ vm }) => vm.guest,
      resources: ({ vm }) => vm.resources(),
      scsi: ({ vm }) => vm.scsi(),
      plan9: ({ vm }) => vm.plan9(),
      vpci: ({ vm }) => vm.vpci(),
    },
    ({ vm }) => vm.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  const noCreate = (state: string) => ({
    create: refused(state),
    "create fails": refused(state),
  });
  const noStart = (state: string) => ({
    start: refused(state),
    "start fails": refused(state),
  });
  const notRunning = (state: string) => ({
    stats: refused(state),
    guest: refused(state),
    resources: refused(state),
    scsi: refused(state),
    plan9: refused(state),
    vpci: refused(state),
  });
  assertEquals(outcomes, {
    NotCreated: {
      create: "Created",
      "create fails": "Internal: NotCreated",
      ...noStart("NotCreated"),
      terminate: "NotCreated",
      "terminate cannot stop": "NotCreated",
      "terminate cannot close": "NotCreated",
      exit: "NotCreated",
      modify: refused("NotCreated"),
      ...notRunning("NotCreated"),
    },
    Created: {
      ...noCreate("Created"),
      start: "Running",
      "start fails": "Internal: Invalid",
      terminate: "Terminated",
      "terminate cannot stop": "Terminated", // there is nothing to stop
      "terminate cannot close": "Internal: Invalid",
      exit: "Terminated",
      modify: "Created",
      ...notRunning("Created"),
    },
    Running: {
      ...noCreate("Running"),
      start: "Running",
      "start fails": "Running",
      terminate: "Terminated",
      "terminate cannot stop": "Terminated",
      "terminate cannot close": "Internal: Invalid",
      exit: "Terminated",
      modify: "Running",
      stats: "Running",
      guest: "Running",
      resources: "Running",
      scsi: "Running",
      plan9: "Running",
      vpci: "Running",
    },
    Terminated: {
      ...noCreate("Terminated"),
      ...noStart("Terminated"),
      terminate: "Terminated",
      "terminate cannot stop": "Terminated",
      "terminate cannot close": "Terminated",
      exit: "Terminated",
      modify: "Terminated",
      ...notRunning("Terminated"),
    },
    Invalid: {
      ...noCreate("Invalid"),
      ...noStart("Invalid"),
      terminate: "Terminated",
      "terminate cannot stop": "Terminated",
      "terminate cannot close": "Internal: Invalid",
      exit: "Terminated",
      modify: "Invalid",
      ...notRunning("Invalid"),
    },
  });
});
