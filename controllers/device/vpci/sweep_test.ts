import { assertEquals } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { DeviceWorld } from "../../testing/device_world.ts";
import { sweep } from "../../testing/operation_sweep.ts";
import { allowedPairs } from "../../testing/state_table.ts";
import { VpciDevice } from "./device.ts";
import { deviceStates } from "./states.ts";
import { gpu, injected } from "./testing.ts";

Deno.test("the device states allow exactly the rows of the table", () => {
  assertEquals(allowedPairs(deviceStates), [
    "Assigned fail AssignedInvalid",
    "Assigned ready Ready",
    "Assigned remove Removed",
    "AssignedInvalid fail AssignedInvalid",
    "AssignedInvalid remove Removed",
    "Ready fail AssignedInvalid",
    "Ready remove Removed",
    "Reserved assign Assigned",
    "Reserved fail Removed",
    "Reserved remove Removed",
  ]);
});

/** A device that was assigned after something was made to fail. */
async function assigned(
  failing?: "vm" | "guest",
  signal?: AbortSignal,
): Promise<{ device: VpciDevice; world: DeviceWorld }> {
  const world = new DeviceWorld();
  const device = new VpciDevice(world, gpu);
  if (failing !== undefined) world.script.failNext(failing, injected);
  await device.assign(signal).catch(() => {});
  return { device, world };
}

Deno.test("every operation of a device in every state", async () => {
  const canceled = AbortSignal.abort(new ShimError("Canceled", "nobody waits"));
  const outcomes = await sweep(
    {
      Reserved: () => {
        const world = new DeviceWorld();
        return { device: new VpciDevice(world, gpu), world };
      },
      Assigned: () => assigned(undefined, canceled),
      Ready: () => assigned(),
      AssignedInvalid: () => assigned("guest"),
      Removed: () => assigned("vm"),
    },
    {
      reserve: ({ device }) => device.reserve(),
      assign: ({ device }) => device.assign(),
      "host fails": ({ device, world }) => {
        world.script.failNext("vm", injected);
        return device.assign();
      },
      "guest fails": ({ device, world }) => {
        world.script.failNext("guest", injected);
        return device.assign();
      },
      release: ({ device }) => device.release(),
      "release of one of two": ({ device }) => {
        device.reserve();
        return device.release();
      },
      "release fails": ({ device, world }) => {
        world.script.failNext("vm", injected);
        return device.release();
      },
    },
    ({ device }) => device.state,
  );
  const refused = (state: string) => `FailedPrecondition: ${state}`;
  assertEquals(outcomes, {
    Reserved: {
      reserve: "Reserved",
      assign: "Ready",
      "host fails": "Internal: Removed",
      "guest fails": "Internal: AssignedInvalid",
      release: "Removed",
      "release of one of two": "Reserved",
      "release fails": "Removed",
    },
    Assigned: {
      reserve: "Assigned",
      assign: "Ready",
      "host fails": "Ready",
      "guest fails": "Internal: AssignedInvalid",
      release: "Removed",
      "release of one of two": "Assigned",
      "release fails": "Internal: AssignedInvalid",
    },
    Ready: {
      reserve: "Ready",
      assign: "Ready",
      "host fails": "Ready",
      "guest fails": "Ready",
      release: "Removed",
      "release of one of two": "Ready",
      "release fails": "Internal: AssignedInvalid",
    },
    AssignedInvalid: {
      reserve: "AssignedInvalid",
      assign: refused("AssignedInvalid"),
      "host fails": refused("AssignedInvalid"),
      "guest fails": refused("AssignedInvalid"),
      release: "Removed",
      "release of one of two": "AssignedInvalid",
      "release fails": "Internal: AssignedInvalid",
    },
    Removed: {
      reserve: "Removed",
      assign: refused("Removed"),
      "host fails": refused("Removed"),
      "guest fails": refused("Removed"),
      release: "Removed",
      "release of one of two": "Removed",
      "release fails": "Removed",
    },
  });
});
