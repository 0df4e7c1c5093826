import { assertEquals } from "@std/assert";
import { DeviceWorld } from "../../testing/device_world.ts";
import { sweep } from "../../testing/operation_sweep.ts";
import { allowedPairs } from "../../testing/state_table.ts";
import { ScsiDisk } from "./disk.ts";
import { ScsiMount } from "./mount.ts";
import { diskStates, mountStates } from "./states.ts";
import { address, injected, layer, whole } from "./testing.ts";

Deno.test("the disk states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(diskStates), [
    "Attached eject Ejected",
    "Ejected remove Detached",
    "Reserved attach Attached",
    "Reserved fail Detached",
  ]);
});

Deno.test("the mount states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(mountStates), [
    "Mounted unmount Unmounted",
    "Reserved fail Unmounted",
    "Reserved mount Mounted",
  ]);
});

/** A disk and its world, after some steps; failures of the steps are expected. */
async function diskAfter(
  ...steps: ((disk: ScsiDisk, world: DeviceWorld) => unknown)[]
): Promise<{ disk: ScsiDisk; world: DeviceWorld }> {
  const world = new DeviceWorld();
  const disk = new ScsiDisk(world, address, layer);
  for (const step of steps) {
    await Promise.resolve(step(disk, world)).catch(() => {});
  }
  return { disk, world };
}

const failing = (side: "vm" | "guest") => (_: unknown, world: DeviceWorld) =>
  world.script.failNext(side, injected);

Deno.test("every operation of a disk in every state", async () => {
  const attach = (disk: ScsiDisk) => disk.attach();
  const outcomes = await sweep(
    {
      Reserved: () => diskAfter(),
      Attached: () => diskAfter(attach),
      Ejected: () => diskAfter(attach, failing("vm"), (disk) => disk.detach()),
      Detached: () => diskAfter(failing("vm"), attach),
    },
    {
      reserve: ({ disk }) => disk.reserve(whole),
      attach: ({ disk }) => disk.attach(),
      "attach fails": ({ disk, world }) => {
        world.script.failNext("vm", injected);
        return disk.attach();
      },
      mount: ({ disk }) => disk.mount(0),
      unmount: ({ disk }) => disk.unmount(0),
      detach: ({ disk }) => disk.detach(),
      "eject fails": ({ disk, world }) => {
        world.script.failNext("guest", injected);
        return disk.detach();
      },
      "remove fails": ({ disk, world }) => {
        world.script.failNext("vm", injected);
        return disk.detach();
      },
    },
    ({ disk }) => disk.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  assertEquals(outcomes, {
    Reserved: {
      reserve: "Reserved",
      attach: "Attached",
      "attach fails": "Internal: Detached",
      mount: refused("Reserved"),
      unmount: "Reserved",
      detach: "Reserved",
      "eject fails": "Reserved",
      "remove fails": "Reserved",
    },
    Attached: {
      reserve: "Attached",
      attach: "Attached",
      "attach fails": "Attached",
      mount: "NotFound: Attached",
      unmount: "Attached",
      detach: "Detached",
      "eject fails": "Internal: Attached",
      "remove fails": "Internal: Ejected",
    },
    Ejected: {
      reserve: refused("Ejected"),
      attach: refused("Ejected"),
      "attach fails": refused("Ejected"),
      mount: refused("Ejected"),
      unmount: "Ejected",
      detach: "Detached",
      "eject fails": "Detached",
      "remove fails": "Internal: Ejected",
    },
    Detached: {
      reserve: refused("Detached"),
      attach: refused("Detached"),
      "attach fails": refused("Detached"),
      mount: refused("Detached"),
      unmount: "Detached",
      detach: "Detached",
      "eject fails": "Detached",
      "remove fails": "Detached",
    },
  });
});

Deno.test("every operation of a mount in every state", async () => {
  const world = new DeviceWorld();
  world.bootFrom("disk 0:0");
  const { guest } = world;
  const made = async (...steps: ((mount: ScsiMount) => Promise<unknown>)[]) => {
    world.places.clear();
    const mount = new ScsiMount(address, whole);
    for (const step of steps) await step(mount);
    return mount;
  };
  const outcomes = await sweep(
    {
      Reserved: () => made(),
      Mounted: () => made((mount) => mount.mount(guest)),
      Unmounted: () =>
        made((mount) => mount.mount(guest), (mount) => mount.unmount(guest)),
    },
    {
      reserve: (mount) => mount.reserve(whole),
      "reserve otherwise": (mount) =>
        mount.reserve({ ...whole, readOnly: false }),
      mount: (mount) => mount.mount(guest),
      unmount: (mount) => mount.unmount(guest),
    },
    ({ state }) => state,
  );
  assertEquals(outcomes, {
    Reserved: {
      reserve: "Reserved",
      "reserve otherwise": "AlreadyExists: Reserved",
      mount: "Mounted",
      unmount: "Reserved",
    },
    Mounted: {
      reserve: "Mounted",
      "reserve otherwise": "AlreadyExists: Mounted",
      mount: "Mounted",
      unmount: "Unmounted",
    },
    Unmounted: {
      reserve: "FailedPrecondition: Unmounted",
      "reserve otherwise": "FailedPrecondition: Unmounted",
      mount: "FailedPrecondition: Unmounted",
      unmount: "FailedPrecondition: Unmounted",
    },
  });
});
