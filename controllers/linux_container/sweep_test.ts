import { assertEquals } from "@std/assert";
import { HResult, HResultError } from "../../base/hresult.ts";
import { ShimError } from "../../base/errors.ts";
import { ContainerWorld } from "../testing/container_world.ts";
import { allStdio } from "../testing/fake_stdio.ts";
import { sweep } from "../testing/operation_sweep.ts";
import { runPromises } from "../testing/rehearsal.ts";

const injected = new ShimError("Internal", "injected");
const failed = new HResultError(HResult.Fail, "injected");

type Step = (world: ContainerWorld) => unknown;

const create: Step = (world) => world.create();
const start: Step = ({ container }) => container.start();
const exit: Step = async ({ guest }) => {
  await guest.processes[0]?.exit(0);
  await runPromises();
};
const failCreate: Step = (world) => {
  world.guest.failNext("modify", injected);
  return world.create();
};

/** A container after some steps; failures of the steps are expected. */
async function after(...steps: Step[]): Promise<ContainerWorld> {
  const world = new ContainerWorld({ exitOnKill: true });
  for (const step of steps) {
    await Promise.resolve(step(world)).catch(() => {});
  }
  return world;
}

Deno.test("every operation of a container in every state", async () => {
  const outcomes = await sweep<ContainerWorld>(
    {
      NotCreated: () => after(),
      Created: () => after(create),
      Running: () => after(create, start),
      Stopped: () => after(create, start, exit),
      Invalid: () => after(failCreate),
    },
    {
      create,
      "create is refused": (world) =>
        world.create({ spec: { ociVersion: "1.1.0" } }),
      "create fails": failCreate,
      "create cannot open the streams": (world) => {
        world.client.script.failNext("stdout", injected);
        return world.create({ stdio: allStdio });
      },
      start,
      "start fails": (world) => {
        world.guest.failNext("start", injected);
        return start(world);
      },
      "start of init fails": (world) => {
        world.guest.failNext("execute", injected);
        return start(world);
      },
      newProcess: ({ container }) => container.newProcess("e"),
      kill: async ({ container }) => {
        await container.kill("", 9, true);
        await runPromises();
      },
      "kill fails": (world) => {
        world.guest.failNext("signal", injected);
        return world.container.kill("", 15, false);
      },
      "kill of an unknown process": ({ container }) =>
        container.kill("x", 15, false),
      "kill of all by an exec": ({ container }) => container.kill("x", 9, true),
      "kill by no signal": ({ container }) => container.kill("", 99, false),
      update: ({ container }) => container.update({}),
      pids: ({ container }) => container.pids(),
      stats: ({ container }) => container.stats(),
      "delete of an unknown process": ({ container }) =>
        container.deleteProcess("x"),
      delete: async (world) => {
        const { container, clock } = world;
        const time = container.state === "Running" ? 30_000 : 0;
        await Promise.all([container.deleteProcess(""), clock.advance(time)]);
        await runPromises();
      },
      "delete fails": async (world) => {
        if (world.container.state === "Running") await exit(world);
        world.guest.failNext("modify", failed);
        await world.container.deleteProcess("");
      },
      exit,
      "end in the guest": async ({ guest }) => {
        guest.terminate("web");
        await runPromises();
      },
      abandon: async ({ container }) => {
        await container.abandon(injected);
        await runPromises();
      },
    },
    ({ container }) => container.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  /** What a state refuses that takes neither a create nor a start. */
  const noCreate = (state: string) => ({
    create: refused(state),
    "create is refused": refused(state),
    "create fails": refused(state),
    "create cannot open the streams": refused(state),
  });
  const noStart = (state: string) => ({
    start: refused(state),
    "start fails": refused(state),
    "start of init fails": refused(state),
  });
  const notRunning = (state: string) => ({
    newProcess: refused(state),
    update: refused(state),
    pids: refused(state),
    stats: refused(state),
  });
  const killed = (state: string) => ({
    kill: state,
    "kill fails": state,
    "kill of an unknown process": state,
    "kill of all by an exec": refused(state),
    "kill by no signal": state,
  });
  assertEquals(outcomes, {
    NotCreated: {
      create: "Created",
      "create is refused": "InvalidArgument: NotCreated",
      "create fails": "Internal: Invalid",
      "create cannot open the streams": "Internal: Invalid",
      ...noStart("NotCreated"),
      ...notRunning("NotCreated"),
      kill: refused("NotCreated"),
      "kill fails": refused("NotCreated"),
      "kill of an unknown process": refused("NotCreated"),
      "kill of all by an exec": refused("NotCreated"),
      "kill by no signal": refused("NotCreated"),
      "delete of an unknown process": "NotFound: NotCreated",
      delete: refused("NotCreated"),
      "delete fails": refused("NotCreated"),
      exit: "NotCreated",
      "end in the guest": "NotCreated",
      abandon: "NotCreated",
    },
    Created: {
      ...noCreate("Created"),
      start: "Running",
      "start fails": "Internal: Invalid",
      "start of init fails": "Internal: Invalid",
      ...notRunning("Created"),
      kill: "Stopped",
      "kill fails": "Stopped",
      "kill of an unknown process": "NotFound: Created",
      "kill of all by an exec": refused("Created"),
      "kill by no signal": "InvalidArgument: Created",
      "delete of an unknown process": "NotFound: Created",
      delete: "Stopped",
      "delete fails": "Unknown: Stopped",
      exit: "Created",
      "end in the guest": "Stopped",
      abandon: "Stopped",
    },
    Running: {
      ...noCreate("Running"),
      ...noStart("Running"),
      newProcess: "Running",
      update: "Running",
      pids: "Running",
      stats: "Running",
      kill: "Stopped",
      "kill fails": "Internal: Running",
      "kill of an unknown process": "NotFound: Running",
      "kill of all by an exec": refused("Running"),
      "kill by no signal": "InvalidArgument: Running",
      "delete of an unknown process": "NotFound: Running",
      delete: "DeadlineExceeded: Running",
      "delete fails": "Unknown: Stopped",
      exit: "Stopped",
      "end in the guest": "Running",
      abandon: "Running",
    },
    Stopped: {
      ...noCreate("Stopped"),
      ...noStart("Stopped"),
      ...notRunning("Stopped"),
      ...killed("Stopped"),
      "delete of an unknown process": "NotFound: Stopped",
      delete: "Stopped",
      "delete fails": "Unknown: Stopped",
      exit: "Stopped",
      "end in the guest": "Stopped",
      abandon: "Stopped",
    },
    Invalid: {
      ...noCreate("Invalid"),
      ...noStart("Invalid"),
      ...notRunning("Invalid"),
      ...killed("Invalid"),
      "delete of an unknown process": "NotFound: Invalid",
      delete: "Invalid",
      "delete fails": "Invalid",
      exit: "Invalid",
      "end in the guest": "Invalid",
      abandon: "Invalid",
    },
  });
});
