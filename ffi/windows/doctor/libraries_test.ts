import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import type { DllOpener } from "../library/dll.ts";
import { judgeLibrary, libraryChecks } from "./libraries.ts";

/** Opens DLLs that have all functions but these. */
function opener(...missing: string[]): DllOpener {
  return {
    systemRoot: () => "C:\\Windows",
    open: <S extends Deno.ForeignLibraryInterface>(
      _path: string,
      symbols: S,
    ) => {
      const functions = Object.entries(symbols).map(([name, symbol]) => {
        assertEquals([symbol.optional, "nonblocking" in symbol], [true, false]);
        return [name, missing.includes(name) ? null : () => {}];
      });
      return {
        symbols: Object.fromEntries(functions),
        close: () => {},
      } as unknown as Deno.DynamicLibrary<S>;
    },
  };
}

Deno.test("judgeLibrary() names every function that is missing", () => {
  const names = ["A", "B", "C"];
  assertEquals(judgeLibrary("x.dll", names, "gap", opener()), {
    found: "functions: 3",
  });
  assertEquals(judgeLibrary("x.dll", names, "warning", opener("A", "C")), {
    state: "warning",
    found: "no A, C",
  });
});

Deno.test("judgeLibrary() says which DLL cannot be loaded", () => {
  const error = assertThrows(
    () =>
      judgeLibrary("x.dll", ["A"], "gap", {
        systemRoot: () => "C:\\Windows",
        open: () => {
          throw new TypeError("Module not found");
        },
      }),
    ShimError,
    "Cannot load C:\\Windows\\System32\\x.dll: Module not found",
  );
  assertEquals(error.code, "FailedPrecondition");
});

Deno.test("libraryChecks() looks at every DLL, and can do without live migration", () => {
  const checks = libraryChecks(
    opener("HcsCreateOperation", "GrantVmAccess", "WaitForObject"),
  );
  const looks = new Map(checks.map(({ name, look }) => [name, look()]));
  assertEquals(looks.get("vmcompute.dll"), {
    state: "gap",
    found: "no GrantVmAccess",
  });
  // A name of ours for WaitForSingleObject.
  assertEquals("state" in looks.get("kernel32.dll")!, false);
  assertEquals(looks.get("computecore.dll"), {
    state: "warning",
    found: "no HcsCreateOperation",
  });
  assertEquals(
    checks.filter(({ failure }) => failure === "warning").map(({ name }) =>
      name
    ),
    ["computecore.dll"],
  );
});
