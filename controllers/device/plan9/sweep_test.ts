import { assertEquals } from "@std/assert";
import { DeviceWorld } from "../../testing/device_world.ts";
import { sweep } from "../../testing/operation_sweep.ts";
import { allowedPairs } from "../../testing/state_table.ts";
import { ShareMount } from "./mount.ts";
import { Share } from "./share.ts";
import { shareMountStates, shareStates } from "./states.ts";
import { data, injected, readOnly, writable } from "./testing.ts";

Deno.test("the share states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(shareStates), [
    "Added remove Removed",
    "Invalid remove Removed",
    "Reserved add Added",
    "Reserved fail Invalid",
    "Reserved remove Removed",
  ]);
});

Deno.test("the share mount states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(shareMountStates), [
    "Invalid unmount Unmounted",
    "Mounted unmount Unmounted",
    "Reserved fail Invalid",
    "Reserved mount Mounted",
    "Reserved unmount Unmounted",
  ]);
});

/** A thing and its world, after a step whose failure is expected. */
async function after<T>(
  make: (world: DeviceWorld) => T,
  ...steps: ((thing: T, world: DeviceWorld) => unknown)[]
): Promise<{ thing: T; world: DeviceWorld }> {
  const world = new DeviceWorld();
  const thing = make(world);
  for (const step of steps) {
    await Promise.resolve(step(thing, world)).catch(() => {});
  }
  return { thing, world };
}

const failing = (side: "vm" | "guest") => (_: unknown, world: DeviceWorld) =>
  world.script.failNext(side, injected);

Deno.test("every operation of a share in every state", async () => {
  const share = (...steps: ((it: Share, world: DeviceWorld) => unknown)[]) =>
    after((world) => new Share(world, "0", data), ...steps);
  const add = (it: Share) => it.add();
  const outcomes = await sweep(
    {
      Reserved: () => share(),
      Added: () => share(add),
      Invalid: () => share(failing("vm"), add),
      Removed: () => share(add, (it) => it.remove()),
    },
    {
      reserve: ({ thing }) => thing.reserve(writable),
      add: ({ thing }) => thing.add(),
      "add fails": ({ thing, world }) => {
        world.script.failNext("vm", injected);
        return thing.add();
      },
      mount: ({ thing }) => thing.mountInGuest(),
      unmount: ({ thing }) => thing.unmountInGuest(),
      remove: ({ thing }) => thing.remove(),
      "remove fails": ({ thing, world }) => {
        world.script.failNext("vm", injected);
        return thing.remove();
      },
    },
    ({ thing }) => thing.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  assertEquals(outcomes, {
    Reserved: {
      reserve: "Reserved",
      add: "Added",
      "add fails": "Internal: Invalid",
      mount: refused("Reserved"),
      unmount: "Reserved",
      remove: "Removed",
      "remove fails": "Removed",
    },
    Added: {
      reserve: "Added",
      add: "Added",
      "add fails": "Added",
      mount: "NotFound: Added",
      unmount: "Added",
      remove: "Removed",
      "remove fails": "Internal: Added",
    },
    Invalid: {
      reserve: refused("Invalid"),
      add: refused("Invalid"),
      "add fails": refused("Invalid"),
      mount: refused("Invalid"),
      unmount: "Invalid",
      remove: "Removed",
      "remove fails": "Removed",
    },
    Removed: {
      reserve: refused("Removed"),
      add: refused("Removed"),
      "add fails": refused("Removed"),
      mount: refused("Removed"),
      unmount: "Removed",
      remove: "Removed",
      "remove fails": "Removed",
    },
  });
});

Deno.test("every operation of a share mount in every state", async () => {
  const mount = (
    ...steps: ((it: ShareMount, world: DeviceWorld) => unknown)[]
  ) =>
    after((world) => {
      world.bootFrom("share 0");
      return new ShareMount("0", writable);
    }, ...steps);
  const outcomes = await sweep(
    {
      Reserved: () => mount(),
      Mounted: () => mount((it, { guest }) => it.mount(guest)),
      Invalid: () =>
        mount(failing("guest"), (it, { guest }) => it.mount(guest)),
      Unmounted: () => mount((it, { guest }) => it.unmount(guest)),
    },
    {
      reserve: ({ thing }) => thing.reserve(writable),
      "reserve otherwise": ({ thing }) => thing.reserve(readOnly),
      mount: ({ thing, world }) => thing.mount(world.guest),
      unmount: ({ thing, world }) => thing.unmount(world.guest),
      "unmount fails": ({ thing, world }) => {
        world.script.failNext("guest", injected);
        return thing.unmount(world.guest);
      },
    },
    ({ thing }) => thing.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  assertEquals(outcomes, {
    Reserved: {
      reserve: "Reserved",
      "reserve otherwise": "AlreadyExists: Reserved",
      mount: "Mounted",
      unmount: "Unmounted",
      "unmount fails": "Unmounted",
    },
    Mounted: {
      reserve: "Mounted",
      "reserve otherwise": "AlreadyExists: Mounted",
      mount: "Mounted",
      unmount: "Unmounted",
      "unmount fails": "Internal: Mounted",
    },
    Invalid: {
      reserve: refused("Invalid"),
      "reserve otherwise": refused("Invalid"),
      mount: refused("Invalid"),
      unmount: "Unmounted",
      "unmount fails": "Unmounted",
    },
    Unmounted: {
      reserve: refused("Unmounted"),
      "reserve otherwise": refused("Unmounted"),
      mount: refused("Unmounted"),
      unmount: refused("Unmounted"),
      "unmount fails": refused("Unmounted"),
    },
  });
});
