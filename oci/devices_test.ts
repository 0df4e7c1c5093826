import { assertEquals } from "@std/assert";
import { isAssignable, parsePciFunction } from "./devices.ts";

const path = "PCIP\\VEN_10DE&DEV_1EB8\\5&1234";

const ids: readonly [id: string, instancePath: string, index: number][] = [
  [path, path, 0],
  [`${path}\\0`, path, 0],
  [`${path}\\7`, path, 7],
  [`${path}/7`, path, 7],
  [`${path}\\65535`, path, 65535],
  [`${path}\\65536`, `${path}\\65536`, 0],
  [`${path}\\-1`, `${path}\\-1`, 0],
  [`${path}\\1x`, `${path}\\1x`, 0],
  [`${path}\\`, `${path}\\`, 0],
  ["7", "7", 0],
];

for (const [id, instancePath, virtualFunction] of ids) {
  Deno.test(`the device ${id} has function ${virtualFunction}`, () => {
    assertEquals(parsePciFunction(id), { instancePath, virtualFunction });
  });
}

Deno.test("isAssignable() knows the types of PCI devices, in lower case only", () => {
  const types = ["gpu", "vpci", "vpci-instance-id", "class", "", "GPU"];
  assertEquals(types.map(isAssignable), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
