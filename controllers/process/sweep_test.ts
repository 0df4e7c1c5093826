import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakeGuest } from "../../bridge/fake_guest.ts";
import { FakeClient, noStdio } from "../testing/fake_stdio.ts";
import { sweep } from "../testing/operation_sweep.ts";
import { runPromises } from "../testing/rehearsal.ts";
import { ProcessController } from "./controller.ts";

const injected = new ShimError("Internal", "injected");
const stdio = { ...noStdio, terminal: true, stdout: "out" };

interface World {
  readonly guest: FakeGuest;
  readonly client: FakeClient;
  readonly process: ProcessController;
}

const create = ({ process }: World) => process.create({ bundle: "/b", stdio });
const start = ({ process }: World) => process.start();
const kill = ({ process }: World) => process.kill(9);

/** A process after some steps. */
async function after(
  ...steps: ((world: World) => Promise<unknown>)[]
): Promise<World> {
  const guest = new FakeGuest();
  const client = new FakeClient();
  const process = new ProcessController({
    guest,
    streams: client,
    log: silentLogger,
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
  }, { containerId: "web", guestContainerId: "web", execId: "" });
  const world = { guest, client, process };
  for (const step of steps) await step(world);
  return world;
}

Deno.test("every operation of a process in every state", async () => {
  const outcomes = await sweep(
    {
      NotCreated: () => after(),
      Created: () => after(create),
      Running: () => after(create, start),
      Terminated: () => after(create, kill),
    },
    {
      create,
      "create with a terminal and errors": ({ process }) =>
        process.create({ bundle: "/b", stdio: { ...stdio, stderr: "err" } }),
      "create fails": (world) => {
        world.client.script.failNext("stdout", injected);
        return create(world);
      },
      start,
      "start fails": (world) => {
        world.guest.failNext("execute", injected);
        return start(world);
      },
      kill,
      "kill fails": (world) => {
        world.guest.failNext("signal", injected);
        return kill(world);
      },
      resize: ({ process }) => process.resize(80, 25),
      closeIo: ({ process }) => process.closeIo(),
      delete: ({ process }) => process.delete(),
      abandon: ({ process }) => process.abandon(),
      exit: async ({ guest }) => {
        await guest.processes[0]?.exit(0);
        await runPromises();
      },
    },
    ({ process }) => process.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  assertEquals(outcomes, {
    NotCreated: {
      create: "Created",
      "create with a terminal and errors": refused("NotCreated"),
      "create fails": "Internal: NotCreated",
      start: refused("NotCreated"),
      "start fails": refused("NotCreated"),
      kill: "Terminated",
      "kill fails": "Terminated",
      resize: refused("NotCreated"),
      closeIo: "NotCreated",
      delete: refused("NotCreated"),
      abandon: "Terminated",
      exit: "NotCreated",
    },
    Created: {
      create: refused("Created"),
      "create with a terminal and errors": refused("Created"),
      "create fails": refused("Created"),
      start: "Running",
      "start fails": "Internal: Terminated",
      kill: "Terminated",
      "kill fails": "Terminated",
      resize: refused("Created"),
      closeIo: "Created",
      delete: "Terminated",
      abandon: "Terminated",
      exit: "Created",
    },
    Running: {
      create: refused("Running"),
      "create with a terminal and errors": refused("Running"),
      "create fails": refused("Running"),
      start: refused("Running"),
      "start fails": refused("Running"),
      kill: "Running",
      "kill fails": "Internal: Running",
      resize: "Running",
      closeIo: "Running",
      delete: refused("Running"),
      abandon: "Running",
      exit: "Terminated",
    },
    Terminated: {
      create: refused("Terminated"),
      "create with a terminal and errors": refused("Terminated"),
      "create fails": refused("Terminated"),
      start: refused("Terminated"),
      "start fails": refused("Terminated"),
      kill: "Terminated",
      "kill fails": "Terminated",
      resize: refused("Terminated"),
      closeIo: "Terminated",
      delete: "Terminated",
      abandon: "Terminated",
      exit: "Terminated",
    },
  });
});
