import { checkInterleavings } from "../../testing/device_model.ts";
import { ScsiController } from "./controller.ts";
import { disk, whole } from "./testing.ts";

Deno.test("whatever users of disks do at the same time and whatever fails, nothing is taken from anybody, and nothing is left", async () => {
  await checkInterleavings((peers) => {
    const scsi = new ScsiController(peers, 1);
    return {
      reserve: (thing, isOtherWay) =>
        scsi.reserve(disk(thing % 2), {
          ...whole,
          partition: thing,
          readOnly: isOtherWay,
        }),
      isPartOf: (thing, other) => thing % 2 === other % 2,
      map: (id) => scsi.map(id),
      unmap: (id) => scsi.unmap(id),
      held: () => ({
        things: scsi.disks.length,
        reservations: scsi.reservations,
      }),
    };
  });
});
