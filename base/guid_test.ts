import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "./errors.ts";
import {
  guidBytes,
  guidText,
  isGuid,
  newGuid,
  vsockServiceId,
} from "./guid.ts";

Deno.test("guidBytes() writes the mixed-endian layout of Windows", () => {
  assertEquals(
    guidBytes("00112233-4455-6677-8899-aabbccddeeff").toHex(),
    "33221100554477668899aabbccddeeff",
  );
});

Deno.test("guidText() is the inverse of guidBytes()", () => {
  const guid = newGuid();
  assert(isGuid(guid));
  assertEquals(guidText(guidBytes(guid)), guid);
  assertEquals(guidText(guidBytes(guid.toUpperCase())), guid);
});

Deno.test("guidBytes() refuses anything but the plain form", () => {
  for (
    const text of ["", "{00112233-4455-6677-8899-aabbccddeeff}", "00112233"]
  ) {
    assertThrows(() => guidBytes(text), ShimError, "is not a GUID");
  }
});

Deno.test("vsockServiceId() puts the port into the first group", () => {
  assertEquals(vsockServiceId(1), "00000001-facb-11e6-bd58-64006a7986d3");
  assertEquals(
    vsockServiceId(0x40000000),
    "40000000-facb-11e6-bd58-64006a7986d3",
  );
});
