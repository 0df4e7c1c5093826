import { assertEquals, assertMatch } from "@std/assert";
import { FakeClock, systemClock } from "../../base/clock.ts";
import { jsonLogger, silentLogger } from "../../base/log.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { FakePlatform } from "../fake_platform.ts";
import { logFileName, storedLogs } from "./names.ts";
import { openShimLog, pruneLogsLogged } from "./open.ts";

const name = { namespace: "n", id: "pod1" };
const options = { now: () => 0, fields: { shim: "pod1" } };
const failed = '{"time":"1970-01-01T00:00:00.000Z","level":"warn","msg":' +
  '"The log file cannot be written; `lcow logs` lacks these lines",' +
  '"shim":"pod1","error":';

async function withPlatform(
  task: (platform: FakePlatform, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lcow-log-" });
  const platform = new FakePlatform();
  platform.logs = folder;
  try {
    await task(platform, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the lines of a shim go to the host's sink and to the file, scrubbed in both", async () => {
  await withPlatform(async (platform, folder) => {
    const lines: string[] = [];
    const sink = (line: string) => void lines.push(line);
    const shimLog = await openShimLog({ platform, name, sink, options });
    shimLog.log.info("one", { env: ["SECRET=1"] });
    const text = await Deno.readTextFile(`${folder}/${logFileName(name, 1)}`);
    assertEquals(
      text,
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"one",' +
        '"shim":"pod1","env":"<scrubbed>"}\n',
    );
    assertEquals(lines, [text]);
    shimLog.close();
  });
});

Deno.test("a shim without a folder for logs works on, and says so once", async () => {
  const lines: string[] = [];
  const sink = (line: string) => void lines.push(line);
  const platform = new FakePlatform();
  const shimLog = await openShimLog({ platform, name, sink, options });
  assertEquals(shimLog.folder, undefined);
  shimLog.log.info("one");
  assertEquals(lines.map((line) => line.slice(0, failed.length)), [
    failed,
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"one","shim":"pod1"}\n',
  ]);
  shimLog.close();
});

Deno.test("a log file that cannot be written is told to the host's sink, before the line", async () => {
  await withPlatform(async (platform, folder) => {
    await Deno.symlink("/dev/full", `${folder}/${logFileName(name, 1)}`);
    const lines: string[] = [];
    const sink = (line: string) => void lines.push(line);
    const shimLog = await openShimLog({ platform, name, sink, options });
    shimLog.log.info("one");
    shimLog.log.info("two");
    assertEquals(lines.map((line) => JSON.parse(line).msg), [
      "The log file cannot be written; `lcow logs` lacks these lines",
      "one",
      "two",
    ]);
    assertMatch(lines[0] ?? "", /No space left/);
    shimLog.close();
  });
});

Deno.test("old logs go unless a shim serves their id", async () => {
  await withPlatform(async (platform, folder) => {
    for (const [index, id] of ["runs", "gone", "new"].entries()) {
      const path = `${folder}/${logFileName({ namespace: "n", id }, 1)}`;
      await Deno.writeTextFile(path, "line\n");
      await Deno.utime(path, index, index);
    }
    const address = await platform.endpoint("n", "runs");
    const listener = await platform.listen(address);
    const accepted = listener.accept();
    const lines: string[] = [];
    await pruneLogsLogged(folder, {
      platform,
      log: jsonLogger((line) => lines.push(line)),
      clock: systemClock,
      timeouts: defaultTimeouts,
    }, { count: 1, bytes: 100 });
    await (await accepted).close();
    await listener.close();
    const left = (await storedLogs(folder)).map(({ id }) => id).sort();
    assertEquals(left, ["new", "runs"]);
    assertEquals(lines, []);
  });
});

Deno.test("the log of a shim that does not accept in time stays", async () => {
  await withPlatform(async (platform, folder) => {
    const clock = new FakeClock();
    for (const id of ["hangs", "new"]) {
      const path = `${folder}/${logFileName({ namespace: "n", id }, 1)}`;
      await Deno.writeTextFile(path, "line\n");
      await Deno.utime(path, 1, 1);
    }
    const asked = Promise.withResolvers<void>();
    const pruned = pruneLogsLogged(folder, {
      platform: {
        endpoint: (namespace, key) => platform.endpoint(namespace, key),
        connect: () => {
          asked.resolve();
          return new Promise(() => {});
        },
      },
      log: silentLogger,
      clock,
      timeouts: { endpointDial: 1_000 },
    }, { count: 1, bytes: 100 });
    await asked.promise;
    await clock.advance(1_000);
    await pruned;
    assertEquals((await storedLogs(folder)).length, 2);
  });
});

Deno.test("a folder that cannot be cleaned is one warning", async () => {
  const lines: string[] = [];
  await pruneLogsLogged("/no/such/folder", {
    platform: new FakePlatform(),
    log: jsonLogger((line) => lines.push(line)),
    clock: systemClock,
    timeouts: defaultTimeouts,
  });
  assertEquals(lines.map((line) => JSON.parse(line).msg), [
    "Old log files cannot be removed",
  ]);
});
