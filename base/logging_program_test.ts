import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "./errors.ts";
import { loggingCommand, namesLoggingProgram } from "./logging_program.ts";

Deno.test("namesLoggingProgram() looks at the scheme alone", () => {
  for (const url of ["binary:///x", "BINARY:///x", "binary:x"]) {
    assertEquals(namesLoggingProgram(url), true, url);
  }
  for (const url of ["", "/run/binary:", "file:///x", "binaryx:///a"]) {
    assertEquals(namesLoggingProgram(url), false, url);
  }
});

Deno.test("host:O17 parameters of the query become arguments: key, then value", () => {
  const cases: readonly [query: string, args: string[]][] = [
    ["", []],
    ["?", []],
    ["?-key=value", ["-key", "value"]],
    ["?--b=1&--a=2", ["--b", "1", "--a", "2"]],
    ["?key=first&key=second", ["key", "first"]],
    ["?key=a%20b+c%26d=e", ["key", "a b c&d=e"]],
    ["?key=value#fragment?x=y", ["key", "value"]],
  ];
  for (const [query, args] of cases) {
    for (const os of ["windows", "linux"]) {
      const command = loggingCommand(`binary:///C:/log${query}`, os);
      assertEquals(command.args, args, query);
    }
  }
});

Deno.test("host:O17 flags are parameters without a value", () => {
  const { path, args } = loggingCommand(
    "binary:///path/to/binary?foo&bar=&baz",
    "windows",
  );
  assertEquals([path, args], ["\\path\\to\\binary", ["foo", "bar", "baz"]]);
});

Deno.test("host:O17 the path of a program of Windows is cleaned", () => {
  const cases: readonly [path: string, expected: string][] = [
    ["/executable", "\\executable"],
    ["/\\executable", "\\executable"],
    ["/../path/to///to/../executable", "\\path\\to\\executable"],
    ["/..\\path\\to\\\\\\from\\..\\executable", "\\path\\to\\executable"],
    ["/D:/path/to/executable", "D:\\path\\to\\executable"],
    ["/D:\\path\\to\\executable", "D:\\path\\to\\executable"],
    ["/D:/a/./b/../c%20d.exe", "D:\\a\\c d.exe"],
    ["D:/executable", "D:\\executable"],
    ["///executable", "\\executable"],
    ["/..//server/share/x", "\\server\\share\\x"],
  ];
  for (const [path, expected] of cases) {
    const command = loggingCommand(`binary://${path}`, "windows");
    assertEquals(command, { path: expected, args: [] }, path);
  }
  assertEquals(loggingCommand("binary:/C:/x.exe", "windows").path, "C:\\x.exe");
});

Deno.test("the path of a program of Linux stays as it is", () => {
  for (const path of ["/usr/bin/logger", "/a/../b", "/back\\slash"]) {
    assertEquals(loggingCommand(`binary://${path}`, "linux").path, path);
  }
  assertEquals(loggingCommand("binary:///a%20b", "linux").path, "/a b");
});

Deno.test("host:O17 an empty path is refused", () => {
  for (
    const url of [
      "binary:",
      "binary://",
      "binary://?a=b",
      "binary://#/x",
      "binary:x",
    ]
  ) {
    for (const os of ["windows", "linux"]) {
      const error = assertThrows(
        () => loggingCommand(url, os),
        ShimError,
        `"${url}": no logging driver path provided`,
      );
      assertEquals(error.code, "InvalidArgument");
    }
  }
});

Deno.test("host:O17 an unsafe path is refused: UNC, devices, other machines", () => {
  const cases: readonly [url: string, os: string][] = [
    ["binary:////server/share/x.exe", "windows"],
    ["binary:///%5Cserver/share/x.exe", "windows"],
    ["binary:\\\\server\\share\\x.exe", "windows"],
    ["binary:////%3F/C:/x.exe", "windows"],
    ["binary:////./C:/x.exe", "windows"],
    ["binary://server/share/x.exe", "windows"],
    ["binary://server/share/x", "linux"],
  ];
  for (const [url, os] of cases) {
    const error = assertThrows(
      () => loggingCommand(url, os),
      ShimError,
      "path is unsafe",
    );
    assertEquals(error.code, "InvalidArgument");
  }
});

Deno.test("a path that cannot be decoded is refused", () => {
  assertThrows(
    () => loggingCommand("binary:///%zz", "linux"),
    ShimError,
    "URI",
  );
});
