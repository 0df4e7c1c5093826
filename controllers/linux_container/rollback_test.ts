import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { ContainerWorld, plainSpec } from "../testing/container_world.ts";
import { allStdio } from "../testing/fake_stdio.ts";
import { FaultPlan } from "../testing/fault_plan.ts";

const diskSpec: Spec = {
  ...plainSpec,
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/data", type: "virtual-disk", source: "/d.vhdx" },
  ],
};

const injected = new HResultError(HResult.Fail, "injected");

/** What the guest and the VM still hold, by what was said to them. */
function held(world: ContainerWorld): string[] {
  const open = new Set<string>();
  const note = (type: unknown, key: string): void => {
    if (type === "Add") open.add(key);
    else open.delete(key);
  };
  for (const { argument } of world.vm.script.of("modify")) {
    const { RequestType, ResourcePath } = argument as Record<string, string>;
    note(RequestType, `attachment ${ResourcePath}`);
  }
  for (const { call, argument, containerId } of world.guest.calls) {
    if (call === "createContainer") open.add(`container ${containerId}`);
    if (call === "deleteContainerState") {
      open.delete(`container ${containerId}`);
    }
    if (call !== "modify") continue;
    const { RequestType, ResourceType, Settings } = argument as {
      RequestType: string;
      ResourceType: string;
      Settings: Record<string, string>;
    };
    if (ResourceType === "SCSIDevice") continue; // ends with its attachment
    note(RequestType, `${ResourceType} ${JSON.stringify(Settings)}`);
  }
  return [...open];
}

/** The first failure: errors of the client's streams tell which process they are for. */
async function failureOf(create: Promise<unknown>): Promise<unknown> {
  const error = await create.then(() => undefined, (error) => error);
  return error?.cause ?? error;
}

/** How many calls a create makes when nothing fails. */
async function callsOfCreate(): Promise<number> {
  const plan = new FaultPlan(0, injected);
  await new ContainerWorld({}, plan).create({
    spec: diskSpec,
    stdio: allStdio,
  });
  return plan.calls;
}

Deno.test("create() that fails at any step throws that error and leaves nothing", async () => {
  const steps = await callsOfCreate();
  assertEquals(steps > 15, true);
  for (let step = 1; step <= steps; step++) {
    const plan = new FaultPlan(step, injected);
    const world = new ContainerWorld({}, plan);
    const create = world.create({ spec: diskSpec, stdio: allStdio });
    const where = `step ${step}`;
    assertEquals(await failureOf(create), injected, where);
    assertEquals(world.container.state, "Invalid", where);
    assertEquals([world.scsi.disks, held(world)], [[], []], where);
    await world.container.terminated;
    await world.container.deleteProcess("");
  }
});

Deno.test("create() whose undo fails, too, throws the first error; delete releases the rest", async () => {
  const plan = new FaultPlan(0, injected);
  await new ContainerWorld({}, plan).create({ spec: diskSpec });
  const first = new ShimError("Unavailable", "the stream cannot be opened");
  // The client's stream fails last; then every call of the undo, one by one.
  for (let step = 1; step <= 12; step++) {
    const undo = new FaultPlan(plan.calls + step, injected);
    const world = new ContainerWorld({}, undo);
    world.client.script.failNext("stdin", first);
    undo.calls = -1; // the client's first stream is no call of a plain create
    const error = await failureOf(
      world.create({ spec: diskSpec, stdio: allStdio }),
    );
    const where = `undo ${step} (${undo.failed})`;
    assertEquals([error, undo.failed !== undefined], [first, true], where);
    await world.container.deleteProcess("");
    assertEquals([world.scsi.disks, held(world)], [[], []], where);
  }
});

Deno.test("peer:repeated-delete delete that fails at any step can be repeated", async () => {
  const plan = new FaultPlan(0, injected);
  await new ContainerWorld({}, plan).create({ spec: diskSpec });
  for (let step = 1; step <= 12; step++) {
    const faults = new FaultPlan(plan.calls + step, injected);
    const world = new ContainerWorld({}, faults);
    await world.create({ spec: diskSpec });
    const where = `step ${step}`;
    const error = await world.container.deleteProcess("")
      .catch((error) => error);
    assertEquals([error, faults.failed !== undefined], [injected, true], where);
    await world.container.deleteProcess("");
    assertEquals([world.scsi.disks, held(world)], [[], []], where);
  }
});

Deno.test("create() whose caller goes away at any step leaves nothing", async () => {
  const gone = new ShimError("Canceled", "nobody waits");
  for (const call of ["modify", "createContainer"] as const) {
    for (let skip = 0; skip < 4; skip++) {
      const world = new ContainerWorld();
      const caller = new AbortController();
      const method = world.guest[call].bind(world.guest);
      let count = 0;
      Object.assign(world.guest, {
        [call]: async (...args: never[]) => {
          if (count++ === skip) caller.abort(gone);
          return await (method as (...args: never[]) => Promise<unknown>)(
            ...args,
          );
        },
      });
      const created = world.create({ spec: diskSpec }, caller.signal);
      const error = await created.then(() => undefined, (error) => error);
      if (count <= skip) continue; // not that many calls of this kind
      assertEquals(error, gone, `${call} ${skip}`);
      assertEquals([world.scsi.disks, held(world)], [[], []]);
    }
  }
});

Deno.test("host:K33 the guest is told to forget a container only when it heard of it", async () => {
  const answers: [error: Error, isToldToForget: boolean][] = [
    [injected, true],
    [new HResultError(HResult.SystemAlreadyExists, "create"), false],
    [new ShimError("AlreadyExists", "watched already"), false],
    [new ShimError("InvalidArgument", "cannot be encoded"), false],
  ];
  for (const [error, isTold] of answers) {
    const world = new ContainerWorld();
    world.guest.failNext("createContainer", error);
    await assertRejects(() => world.create());
    const told = world.guest.callsOf("deleteContainerState").length;
    assertEquals(told, isTold ? 1 : 0, error.message);
  }
});

Deno.test("a container that was never heard of is not deleted in the guest", async () => {
  const world = new ContainerWorld();
  world.guest.failNext("modify", injected);
  await assertRejects(() => world.create());
  assertEquals(world.guest.callsOf("deleteContainerState"), []);
});

Deno.test("create() that is refused before anything is acquired can be repeated", async () => {
  const refused: [spec: Spec, message: string][] = [
    [
      {
        ...plainSpec,
        linux: { namespaces: [{ type: "network", path: "/run/netns/a" }] },
      },
      'Network namespace "/run/netns/a"',
    ],
    [
      {
        ...plainSpec,
        linux: { namespaces: [{ type: "network", path: "/proc/9/ns/net" }] },
      },
      'Network namespace "/proc/9/ns/net"',
    ],
    [
      {
        ...plainSpec,
        annotations: { "io.kubernetes.cri.container-type": "container" },
        linux: { namespaces: [{ type: "network", path: "/proc/self/ns/net" }] },
      },
      'Network namespace "/proc/self/ns/net"',
    ],
  ];
  for (const [spec, message] of refused) {
    const world = new ContainerWorld();
    const error = await assertRejects(
      () => world.create({ spec }),
      ShimError,
      message,
    );
    assertEquals(error.code, "NotImplemented");
    assertEquals(world.container.state, "NotCreated");
    assertEquals([world.guest.calls, world.vm.script.calls], [[], []]);
    await world.create();
  }
});

Deno.test("create() lets a workload join the network of its sandbox's process", async () => {
  const world = new ContainerWorld();
  const annotations = { "io.kubernetes.cri.container-type": "container" };
  const namespaces = [{ type: "network", path: "/proc/17/ns/net" }];
  await world.create({
    spec: { ...plainSpec, annotations, linux: { namespaces } },
  });
  assertEquals(world.container.state, "Created");
});

Deno.test("create() leaves a network namespace of Windows to the pod and the guest", async () => {
  const world = new ContainerWorld();
  const windows = { network: { networkNamespace: "ns-1" } };
  await world.create({ spec: { ...plainSpec, windows } });
  assertEquals(world.container.state, "Created");
});

Deno.test("create() with annotations that contradict each other can be repeated", async () => {
  const world = new ContainerWorld();
  const annotations = {
    "microsoft.com/hostprocess-container": "true",
    "microsoft.com/disable-hostprocess-container": "true",
  };
  await assertRejects(
    () => world.create({ spec: { ...plainSpec, annotations } }),
    ShimError,
    "Specified annotations conflict",
  );
  assertEquals(world.container.state, "NotCreated");
  await world.create();
});
