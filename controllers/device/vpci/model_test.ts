import { checkInterleavings } from "../../testing/device_model.ts";
import { VpciController } from "./controller.ts";

Deno.test("whatever users of devices do at the same time and whatever fails, nothing is taken from anybody, and nothing is left", async () => {
  await checkInterleavings((peers) => {
    const vpci = new VpciController(peers);
    return {
      // A device cannot be had in another way: any two may share it.
      reserve: (thing) =>
        vpci.reserve({ instancePath: "PCIP\\A", virtualFunction: thing }),
      map: (id) => vpci.map(id),
      unmap: (id) => vpci.unmap(id),
      held: () => ({
        things: vpci.devices.length,
        reservations: vpci.reservations,
      }),
    };
  });
});
