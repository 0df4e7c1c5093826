import { assertEquals, assertThrows } from "@std/assert";
import { libc } from "./libc.ts";
import {
  limitOpenFiles,
  openFileLimits,
  programFiles,
  withProgramLimits,
} from "./limits.ts";

Deno.test.beforeAll(() => void libc());

Deno.test("withProgramLimits() lowers the limit only meanwhile", () => {
  const before = openFileLimits();
  try {
    limitOpenFiles({ ...before, soft: programFiles + 1n });
    const inside = withProgramLimits(openFileLimits);
    assertEquals(inside, { soft: programFiles, hard: before.hard });
    assertEquals(openFileLimits().soft, programFiles + 1n);
    assertThrows(() =>
      withProgramLimits(() => {
        throw new Error("no program");
      })
    );
    assertEquals(openFileLimits().soft, programFiles + 1n);
  } finally {
    limitOpenFiles(before);
  }
});

Deno.test("withProgramLimits() leaves a lower limit", () => {
  const before = openFileLimits();
  try {
    limitOpenFiles({ ...before, soft: 512n });
    assertEquals(withProgramLimits(openFileLimits).soft, 512n);
  } finally {
    limitOpenFiles(before);
  }
});
