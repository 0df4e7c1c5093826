import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "./errors.ts";
import { logFilePath, openLogFile } from "./log_file.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("logFilePath() takes absolute paths, as clients write them on each system", () => {
  const cases: readonly [url: string, os: string, path: string][] = [
    ["file:///var/log/a%20b.log", "linux", "/var/log/a b.log"],
    ["FILE:///log", "linux", "/log"],
    ["file:///C:/logs/a%23.log", "windows", "C:\\logs\\a#.log"],
    ["file://c:/a.log", "windows", "c:\\a.log"],
    ["file:/C:/a.log", "windows", "C:\\a.log"],
  ];
  for (const [url, os, path] of cases) {
    assertEquals(logFilePath(url, "stdout", os), path, url);
  }
});

Deno.test("logFilePath() leaves other addresses to others", () => {
  for (const url of ["/run/fifo", "binary:///x", "\\\\.\\pipe\\x", ""]) {
    assertEquals(logFilePath(url, "stdin", "linux"), undefined);
  }
});

Deno.test("logFilePath() refuses input, other machines and what is no path of a file", () => {
  const cases: readonly [url: string, os: string][] = [
    ["file://", "linux"],
    ["file:///", "linux"],
    ["file:///dir/", "linux"],
    ["file://server/share/log", "linux"],
    ["file:///log?x=1", "linux"],
    ["file:///%zz", "linux"],
    ["file:///log", "windows"],
    ["file://server/share/log", "windows"],
    ["file:////server/share/log", "windows"],
    ["file:///C:/", "windows"],
    ["file:///C:log", "windows"],
  ];
  for (const [url, os] of cases) {
    const error = assertThrows(
      () => logFilePath(url, "stderr", os),
      ShimError,
      `Cannot open stderr "${url}"`,
    );
    assertEquals(error.code, "InvalidArgument");
  }
  assertThrows(
    () => logFilePath("file:///log", "stdin", "linux"),
    ShimError,
    "gives no input",
  );
});

Deno.test("a log file is made with its folders, and two streams append to it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/a/b/c.log`;
    const first = await openLogFile(path);
    const second = await openLogFile(path);
    await first.write(encode("one\n"));
    await second.write(encode("two\n"));
    await first.write(encode("three\n"));
    await Promise.all([first.close(), second.closeWrite()]);
    assertEquals(await Deno.readTextFile(path), "one\ntwo\nthree\n");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640 & ~Deno.umask());
    const again = await openLogFile(path);
    const written = again.write(encode("four\n"));
    await again.close();
    await again.close();
    await written;
    assertEquals(await Deno.readTextFile(path), "one\ntwo\nthree\nfour\n");
    await assertRejects(() => again.write(encode("x")), ShimError, "is closed");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a log file that cannot be opened or written tells why", async () => {
  await assertRejects(() => openLogFile("/proc/none/log"));
  const full = await openLogFile("/dev/full");
  await assertRejects(() => full.write(encode("x")), Error, "space");
  await full.close();
});

Deno.test("a FIFO is refused as a log file: its open would wait for a reader", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/fifo`;
    await new Deno.Command("mkfifo", { args: [path] }).output();
    const error = await assertRejects(() => openLogFile(path), ShimError);
    assertEquals(error.code, "InvalidArgument");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
