import { assertEquals } from "@std/assert";
import { sha256 } from "./sha256.ts";

async function platformDigest(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

Deno.test("sha256() gives the digest of FIPS 180-4", () => {
  assertEquals(
    sha256("abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("sha256() agrees with the platform around every block border", async () => {
  for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 500]) {
    const text = "é".repeat(length >> 1) + "x".repeat(length & 1);
    assertEquals(sha256(text), await platformDigest(text), `length ${length}`);
  }
});
