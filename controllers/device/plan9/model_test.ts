import { checkInterleavings } from "../../testing/device_model.ts";
import { Plan9Controller } from "./controller.ts";

Deno.test("whatever users of shares do at the same time and whatever fails, nothing is taken from anybody, and nothing is left", async () => {
  await checkInterleavings((peers) => {
    const plan9 = new Plan9Controller(peers);
    return {
      reserve: (thing, isOtherWay) =>
        plan9.reserve({ hostPath: `C:\\${thing}`, readOnly: false }, {
          readOnly: isOtherWay,
        }),
      map: (id) => plan9.map(id),
      unmap: (id) => plan9.unmap(id),
      held: () => ({
        things: plan9.shares.length,
        reservations: plan9.reservations,
      }),
    };
  });
});
