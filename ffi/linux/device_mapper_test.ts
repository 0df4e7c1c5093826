import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import {
  decodeMapperAnswer,
  encodeMapperRequest,
  mapperIoctl,
} from "./device_mapper.ts";

Deno.test("mapperIoctl() gives the numbers of linux/dm-ioctl.h", () => {
  assertEquals(mapperIoctl("create"), 0xc138fd03n); // DM_DEV_CREATE
  assertEquals(mapperIoctl("remove"), 0xc138fd04n); // DM_DEV_REMOVE
  assertEquals(mapperIoctl("suspend"), 0xc138fd06n); // DM_DEV_SUSPEND
  assertEquals(mapperIoctl("load"), 0xc138fd09n); // DM_TABLE_LOAD
});

Deno.test("a command without a table is one struct dm_ioctl", () => {
  const bytes = encodeMapperRequest({ command: "create", name: "disk" });
  const head = "04000000 00000000 00000000" + // version 4.0.0
    " 38010000 38010000" + // data_size, data_start: 312
    " 00000000 00000000 00000000" + // target_count, open_count, flags
    " 00000000 00000000" + // event_nr, padding
    " 0000000000000000" + // dev
    " 6469736b"; // name
  const hex = head.replaceAll(" ", "");
  assertEquals(bytes.length, 312);
  assertEquals(bytes.subarray(0, hex.length / 2).toHex(), hex);
  assert(bytes.subarray(hex.length / 2).every((byte) => byte === 0));
});

Deno.test("a table follows the command, each stretch on a multiple of 8 bytes", () => {
  const bytes = encodeMapperRequest({
    command: "load",
    name: "disk",
    readOnly: true,
    targets: [
      { start: 0n, length: 8n, type: "linear", parameters: "/dev/sda 2" },
      { start: 8n, length: 1n, type: "error", parameters: "" },
    ],
  });
  const view = new DataView(bytes.buffer);
  assertEquals(bytes.length, 312 + 56 + 48);
  assertEquals(view.getUint32(12, true), bytes.length);
  assertEquals(view.getUint32(20, true), 2); // target_count
  assertEquals(view.getUint32(28, true), 1); // DM_READONLY_FLAG
  const first = "0000000000000000 0800000000000000" + // sector_start, length
    " 00000000 38000000" + // status, next: 56
    " 6c696e65617200000000000000000000" + // "linear"
    " 2f6465762f7364612032 000000000000"; // "/dev/sda 2"
  const second = "0800000000000000 0100000000000000" +
    " 00000000 30000000" +
    " 6572726f720000000000000000000000" + // "error"
    " 0000000000000000";
  const hex = (first + second).replaceAll(" ", "");
  assertEquals(bytes.subarray(312).toHex(), hex);
});

Deno.test("the answer names the device's number", () => {
  const bytes = encodeMapperRequest({ command: "create", name: "disk" });
  new DataView(bytes.buffer).setBigUint64(40, 0xfd03n, true);
  assertEquals(decodeMapperAnswer(bytes), { device: 0xfd03n });
});

Deno.test("names that do not fit are refused", () => {
  const request = { command: "create", name: "x".repeat(127) } as const;
  encodeMapperRequest(request);
  for (const name of ["x".repeat(128), "a\0b"]) {
    assertThrows(() => encodeMapperRequest({ ...request, name }), ShimError);
  }
});
