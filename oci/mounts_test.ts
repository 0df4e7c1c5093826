import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import {
  isGuestSource,
  isReadOnly,
  parseExtensibleDisk,
  requireHugepages,
} from "./mounts.ts";

Deno.test("host:K69 paths of extensible disks are a type and a path", () => {
  assertEquals(parseExtensibleDisk("evd://t/C:\\d"), {
    type: "t",
    path: "C:\\d",
  });
  assertEquals(parseExtensibleDisk("evd://t/a/b"), { type: "t", path: "a/b" });
  assertEquals(parseExtensibleDisk("evd://t/"), { type: "t", path: "" });
  for (const bad of ["C:\\d", "evd://t", "evd:///x", "evd://"]) {
    assertThrows(
      () => parseExtensibleDisk(bad),
      ShimError,
      `Invalid extensible virtual disk path "${bad}"`,
    );
  }
});

Deno.test("host:K65 host:K70 huge pages have 2M and a location", () => {
  requireHugepages("hugepages://2M/loc");
  requireHugepages("hugepages://2M/a/b");
  const refused: [string, string][] = [
    ["hugepages://1G/loc", "Unsupported hugepage size 1G"],
    ["hugepages://2m/loc", "Unsupported hugepage size 2m"],
    ["hugepages://2M", "expected format hugepages://<size>/<location>"],
    ["hugepages://2M/", "expected format"],
    ["hugepages://", "expected format"],
  ];
  for (const [source, message] of refused) {
    assertThrows(() => requireHugepages(source), ShimError, message);
  }
});

Deno.test("host:K71 read-only mounts and sources of the guest are recognised", () => {
  assertEquals(isReadOnly({ options: ["rbind", "RO"] }), true);
  assertEquals(isReadOnly({ options: ["rw", "rro"] }), false);
  assertEquals(isReadOnly({}), false);
  for (const source of ["sandbox://a", "sandbox-tmp://a", "uvm:///x"]) {
    assertEquals(isGuestSource(source), true, source);
  }
  for (const source of ["/sandbox://", "C:\\x", "hugepages://2M/a", ""]) {
    assertEquals(isGuestSource(source), false, source);
  }
});
