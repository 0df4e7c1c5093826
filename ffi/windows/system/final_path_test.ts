import { assertEquals, assertThrows } from "@std/assert";
import { HResultError } from "../../../base/hresult.ts";
import type { FinalPaths } from "../../mock/windows/files.ts";
import { FakeWindows } from "../../mock/windows/machine.ts";
import { finalPath } from "./final_path.ts";

const path = "C:\\layers\\link.vhd";
const guid =
  "\\\\?\\Volume{0a0b0c0d-1111-2222-3333-444455556666}\\layers\\7.vhd";
const dos = "\\\\?\\C:\\layers\\7.vhd";
const opened = "\\\\?\\C:\\layers\\link.vhd";

/** Flags, as Windows has them. */
const [asDos, asGuid, asOpened] = [0, 1, 8];

function resolve(paths: FinalPaths): string {
  using windows = new FakeWindows();
  windows.files.add(path, paths);
  try {
    return finalPath(windows.libraries.kernel32, path);
  } finally {
    assertEquals(windows.leftovers(), []);
  }
}

const found: [what: string, paths: FinalPaths, expected: string][] = [
  ["a volume with a GUID", { [asGuid]: guid, [asDos]: dos }, guid],
  ["a volume without a GUID", { [asGuid]: 3, [asDos]: dos }, dos],
  ["a volume without a GUID under Wine", { [asGuid]: 50, [asDos]: dos }, dos],
  [
    "a folder that may not be looked at",
    { [asGuid]: 5, [asDos]: dos, [asOpened]: opened },
    opened,
  ],
  [
    "a folder that may not be looked at, on a volume without a GUID",
    { [asGuid]: 3, [asDos]: 5, [asOpened]: opened },
    opened,
  ],
  [
    "a share",
    { [asGuid]: 3, [asDos]: "\\\\?\\UNC\\server\\share\\7.vhd" },
    "\\\\server\\share\\7.vhd",
  ],
  [
    "a share in small letters",
    { [asGuid]: 3, [asDos]: "\\\\?\\unc\\server\\share\\7.vhd" },
    "\\\\server\\share\\7.vhd",
  ],
  [
    "a long path",
    { [asGuid]: `${guid}\\${"x".repeat(32_000)}` },
    `${guid}\\${"x".repeat(32_000)}`,
  ],
];
for (const [what, paths, expected] of found) {
  Deno.test(`the final path of ${what}`, () => {
    assertEquals(resolve(paths), expected);
  });
}

Deno.test("the last failure is reported, with the path that was asked for", () => {
  const refused: [FinalPaths, string][] = [
    [{ [asGuid]: 1450, [asDos]: dos }, "0x800705AA"],
    [{ [asGuid]: 3, [asDos]: 1450 }, "0x800705AA"],
    [{ [asGuid]: 5, [asOpened]: 5, [asDos]: dos }, "E_ACCESSDENIED"],
  ];
  for (const [paths, text] of refused) {
    assertThrows(
      () => resolve(paths),
      HResultError,
      `Cannot resolve "${path}": `,
    );
    assertThrows(() => resolve(paths), HResultError, text);
  }
});

Deno.test("a file that is not there is NotFound", () => {
  using windows = new FakeWindows();
  const error = assertThrows(
    () => finalPath(windows.libraries.kernel32, path),
    HResultError,
    `Cannot resolve "${path}": ERROR_FILE_NOT_FOUND (0x80070002)`,
  );
  assertEquals(error.code, "NotFound");
  assertEquals(windows.leftovers(), []);
});

Deno.test("a path may be longer than Windows' own limit, but not hold a NUL", () => {
  using windows = new FakeWindows();
  assertThrows(
    () => finalPath(windows.libraries.kernel32, "C:\\a\0b"),
    Error,
    "NUL",
  );
  assertEquals(windows.leftovers(), []);
});
