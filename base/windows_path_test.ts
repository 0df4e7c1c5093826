import { assert, assertEquals } from "@std/assert";
import {
  isAbsoluteWindowsPath,
  joinWindowsPath,
  windowsBaseName,
  windowsDirName,
} from "./windows_path.ts";

Deno.test("joinWindowsPath() joins, turns slashes and resolves dots", () => {
  assertEquals(joinWindowsPath("C:\\a", "b/c", "..", "d"), "C:\\a\\b\\d");
  assertEquals(joinWindowsPath("C:\\", "x"), "C:\\x");
  assertEquals(joinWindowsPath("C:\\a", "..", "..", "x"), "C:\\x");
  assertEquals(joinWindowsPath("a", "..", "..", "b"), "..\\b");
  assertEquals(
    joinWindowsPath("\\\\server\\share", "x"),
    "\\\\server\\share\\x",
  );
  assertEquals(
    joinWindowsPath("\\\\?\\Volume{1}\\", "a.vhdx"),
    "\\\\?\\Volume{1}\\a.vhdx",
  );
});

Deno.test("windowsBaseName() and windowsDirName() split a path", () => {
  assertEquals(windowsBaseName("C:\\a\\b.txt"), "b.txt");
  assertEquals(windowsBaseName("C:\\a\\"), "a");
  assertEquals(windowsDirName("C:\\a\\b.txt"), "C:\\a");
  assertEquals(windowsDirName("C:\\b.txt"), "C:\\");
});

Deno.test("isAbsoluteWindowsPath() knows drives, shares and device paths", () => {
  assert(
    ["C:\\a", "C:/a", "\\\\s\\x", "\\\\?\\C:\\a"].every(isAbsoluteWindowsPath),
  );
  assert(!["a", "C:a", "\\a", "/a"].some(isAbsoluteWindowsPath));
});
