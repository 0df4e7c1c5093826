import { assertEquals } from "@std/assert";
import {
  bitsOf,
  isUnspecified,
  parseIpAddress,
  parseIpPrefix,
  prefixText,
} from "./ip_address.ts";

function hex(text: string): string | undefined {
  return parseIpAddress(text)?.bytes.toHex();
}

Deno.test("parseIpAddress() reads both families", () => {
  const addresses: [string, string][] = [
    ["0.0.0.0", "00000000"],
    ["192.168.0.5", "c0a80005"],
    ["255.255.255.255", "ffffffff"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["fe80::", "fe800000000000000000000000000000"],
    ["FC00::A", "fc00000000000000000000000000000a"],
    ["9541:a2ab:1234:5::1", "9541a2ab123400050000000000000001"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::ffff:10.0.0.1", "00000000000000000000ffff0a000001"],
    ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304"],
  ];
  for (const [text, bytes] of addresses) assertEquals(hex(text), bytes, text);
});

Deno.test("parseIpAddress() refuses everything else", () => {
  const wrong = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "1.2.3.-4",
    "1e1.2.3.4",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "1.2.3.4::",
    "1.2.3.4::1",
    "::1.2.3",
    "::1.2.3.4:1",
    "1".repeat(100_000),
    ":".repeat(100_000),
  ];
  for (const text of wrong) assertEquals(parseIpAddress(text), undefined, text);
});

Deno.test("parseIpPrefix() keeps the host bits, and bounds the length by the family", () => {
  const prefix = parseIpPrefix("10.11.12.13/8")!;
  assertEquals(prefix.address.bytes.toHex(), "0a0b0c0d");
  assertEquals(prefix.length, 8);
  assertEquals(prefixText(prefix), "10.11.12.13/8");
  assertEquals(bitsOf(prefix.address), 32);
  assertEquals(parseIpPrefix("::/0")?.length, 0);
  assertEquals(parseIpPrefix("fc00::1/128")?.length, 128);
  const wrong = ["", "/", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33"];
  wrong.push("10.0.0.0/-1", "10.0.0.0/08", "::/129", "::/1/2", "10.0.0.0/8 ");
  for (const text of wrong) assertEquals(parseIpPrefix(text), undefined, text);
});

Deno.test("isUnspecified() knows the zero of both families", () => {
  for (const text of ["0.0.0.0", "::", "0:0::0"]) {
    assertEquals(isUnspecified(parseIpAddress(text)!), true, text);
  }
  assertEquals(isUnspecified(parseIpAddress("0.0.0.1")!), false);
});
