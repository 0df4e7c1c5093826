import { assertEquals } from "@std/assert";
import { diskName } from "./scsi_bus.ts";

Deno.test("diskName() counts as the kernel does", () => {
  assertEquals(
    [0, 1, 25, 26, 27, 51, 52, 255].map(diskName),
    ["sda", "sdb", "sdz", "sdaa", "sdab", "sdaz", "sdba", "sdiv"],
  );
});
