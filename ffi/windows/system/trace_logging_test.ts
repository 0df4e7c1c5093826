import { assertEquals } from "@std/assert";
import {
  encodeEvent,
  eventDescriptor,
  providerTraits,
} from "./trace_logging.ts";

function hex(...parts: readonly string[]): Uint8Array {
  return Uint8Array.fromHex(parts.join("").replaceAll(" ", ""));
}

Deno.test("an event describes its provider, itself, and holds its members", () => {
  const { count, bytes } = encodeEvent(
    providerTraits("P"),
    "Ev",
    { Args: ["a", "bc"], V: "1" },
    () => 0x1000n,
  );
  assertEquals(count, 3);
  assertEquals(
    bytes,
    hex(
      // descriptors: address, size, type 2 (provider), 1 (event), 0 (members)
      "3010000000000000 04000000 02 000000",
      "3410000000000000 11000000 01 000000",
      "4510000000000000 09000000 00 000000",
      // provider: size, name
      "0400 5000",
      // event: size, tags, name; name, counted list of texts, UTF-8; name, text, UTF-8
      "1100 00 457600",
      "4172677300 c2 23",
      "5600 82 23",
      // members: count, texts; text
      "0200 6100 626300",
      "3100",
    ),
  );
});

Deno.test("an event without members has no third part; a zero cannot cut a text", () => {
  const traits = providerTraits("P");
  assertEquals(encodeEvent(traits, "E", {}, () => 0n).count, 2);
  const { bytes } = encodeEvent(traits, "E", { a: "x\0y" }, () => 0n);
  assertEquals(bytes.subarray(-4), hex("78 20 79 00"));
});

Deno.test("the descriptor says channel and level", () => {
  assertEquals(eventDescriptor(4), hex("000000 0b 04 000000 0000000000000000"));
});
