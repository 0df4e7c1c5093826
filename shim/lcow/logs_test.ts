import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { logFileName } from "../log/names.ts";
import type { TaskScene } from "../services/task_scene.ts";
import { type LcowHost, withHost, withServedShim } from "./lcow_scene.ts";

/** A line that was written at second 1, 2, … of 1970. */
function line(second: number, fields: Record<string, unknown> = {}): string {
  const time = new Date(1000 * second).toISOString();
  const msg = `line ${second}`;
  return `${JSON.stringify({ time, level: "info", msg, ...fields })}\n`;
}

/** Puts a log into the folder of a host. */
type Put = (
  id: string,
  text: string,
  place?: { namespace?: string; generation?: number },
) => Promise<void>;

function withLogs(
  task: (host: LcowHost, put: Put, scene: TaskScene) => Promise<void>,
  on: typeof withHost = withHost,
): Promise<void> {
  return on(async (host, scene) => {
    const folder = await Deno.makeTempDir({ prefix: "lcow-log-" });
    host.platform.logs = folder;
    try {
      await task(
        host,
        async (id, text, { namespace = "n", generation = 1 } = {}) => {
          const path = `${folder}/${
            logFileName({ namespace, id }, generation)
          }`;
          await Deno.writeTextFile(path, text, { append: true });
          await Deno.utime(path, generation, generation);
        },
        scene,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("lcow logs prints both generations of a sandbox's log for people, and as JSON lines", async () => {
  await withLogs(async (host, put) => {
    await put("pod1", line(1, { cid: "web" }), { generation: 3 });
    await put("pod1", line(2) + "{torn", { generation: 4 });
    await put("pod2", line(9));
    assertEquals(await host.run(["logs", "pod1"]), {
      code: 0,
      stdout: "1970-01-01 (UTC)\n" +
        "00:00:01.000 INFO  shim  line 1 cid=web\n" +
        "00:00:02.000 INFO  shim  line 2\n" +
        "             ERROR shim  Unreadable line text={torn\n",
      stderr: "",
    });
    const { stdout } = await host.run(["logs", "pod1", "--json"]);
    assertEquals(
      stdout,
      line(1, { cid: "web" }) + line(2) +
        '{"level":"error","msg":"Unreadable line","text":"{torn"}\n',
    );
  });
});

Deno.test("lcow logs prints nothing that a terminal obeys, also as JSON", async () => {
  await withLogs(async (host, put) => {
    const note = "a\u009b2Jb\u202ec\u007f";
    await put("pod1", line(1, { note, source: "guest" }));
    const shown = "a\\u009b2Jb\\u202ec\\u007f";
    const { stdout } = await host.run(["logs", "pod1"]);
    assertStringIncludes(stdout, `line 1 note=${shown}\n`);
    const json = (await host.run(["logs", "pod1", "--json"])).stdout;
    assertStringIncludes(json, `"note":"${shown}"`);
    assertEquals(JSON.parse(json).note, note);
  });
});

Deno.test("lcow logs prints what is about a container or pod, wherever it is", async () => {
  await withLogs(async (host, put) => {
    await put("pod1", line(1, { cid: "web" }) + line(2, { cid: "db" }));
    await put("pod2", line(3, { pod: "other" }) + line(4, { note: "web" }));
    for (
      const [id, expected] of [["web", 1], ["db", 2], ["other", 3]] as const
    ) {
      const { stdout } = await host.run(["logs", id, "--json"]);
      assertEquals(JSON.parse(stdout).msg, `line ${expected}`);
    }
  });
});

Deno.test("lcow logs chooses by level and time", async () => {
  await withLogs(async (host, put, { clock }) => {
    const now = clock.now();
    const later = { time: new Date(now - 60_000).toISOString(), level: "warn" };
    await put("pod1", line(1) + line(2, later));
    const cases: [args: string[], expected: number][] = [
      [["--level", "warn"], 1],
      [["--level=error"], 0],
      [["--level", "debug"], 2],
      [["--since", "1970-01-01"], 2],
      [["--since", new Date(now - 60_000).toISOString()], 1],
      [["--since", "1m"], 1],
      [["--since", "59s"], 0],
      [["--since", "2h"], 1],
    ];
    for (const [args, expected] of cases) {
      const { stdout, stderr } = await host.run(["logs", "pod1", ...args]);
      const count = stdout.split("line ").length - 1;
      assertEquals([count, stderr], [expected, ""], args.join(" "));
    }
  });
});

Deno.test("lcow logs refuses values that it does not understand", async () => {
  await withLogs(async (host, put) => {
    await put("pod1", line(1));
    const refused: [args: string[], message: RegExp][] = [
      [
        ["pod1", "--level", "loud"],
        /"loud" is no level: expected trace, debug/,
      ],
      [["pod1", "--since", "noon"], /"noon" is no time: expected 2026-01-31T/],
      [["pod1", "--since", "2026-13-01"], /"2026-13-01" is no time/],
      [["pod1", "--since", "5"], /"5" is no time/],
      [["-f"], /Flag --follow needs an ID/],
    ];
    for (const [args, message] of refused) {
      const { code, stdout, stderr } = await host.run(["logs", ...args]);
      assertEquals([code, stdout], [2, ""]);
      assertMatch(stderr, message);
    }
  });
});

Deno.test("lcow logs says what it looked for in vain, and what is not certain", async () => {
  await withLogs(async (host, put) => {
    await put("pod1", line(1, { cid: "web" }));
    await put("pod2", line(1, { cid: "web" }));
    await put("pod1", line(1), { namespace: "m" });
    const failed: [args: string[], message: string][] = [
      [
        ["x"],
        `No log in ${host.platform.logs} tells about "x"; ` +
        "`lcow logs` lists the logs that there are\n",
      ],
      [
        ["pod1", "-n", "x"],
        `No log of namespace "x" in ${host.platform.logs} tells about "pod1"; ` +
        "it is in namespace m, n\n",
      ],
      [["pod2", "-n", "m"], "it is in namespace n\n"],
      [["pod1"], 'Several logs tell about "pod1": m/pod1, n/pod1; choose one'],
      [["web"], 'Several logs tell about "web": n/pod1, n/pod2'],
    ];
    for (const [args, message] of failed) {
      const { code, stdout, stderr } = await host.run(["logs", ...args]);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, message);
    }
    assertEquals((await host.run(["logs", "pod1", "-n", "m"])).code, 0);
    host.platform.logs = undefined;
    const { code, stderr } = await host.run(["logs", "pod1"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "The test has no folder for logs");
  });
});

Deno.test("lcow logs without an id lists the logs, the newest first", async () => {
  await withLogs(async (host, put) => {
    assertMatch((await host.run(["logs"])).stdout, /^There are no logs in \//);
    const there = host.platform.logs;
    host.platform.logs = `${there}/none`;
    assertMatch((await host.run(["logs"])).stdout, /^There are no logs in \//);
    host.platform.logs = there;
    await put("old", "1234\n", { generation: 7 });
    await put("new", "12\n", { generation: 7, namespace: "m" });
    assertMatch(
      (await host.run(["logs", "-n", "x"])).stdout,
      /^There are no logs of namespace "x" in \//,
    );
    await put("new", "1\n", { generation: 8, namespace: "m" });
    assertEquals(
      (await host.run(["logs"])).stdout,
      "NAMESPACE  ID   WRITTEN                   BYTES\n" +
        "m          new  1970-01-01T00:00:08.000Z  5\n" +
        "n          old  1970-01-01T00:00:07.000Z  5\n",
    );
    assertEquals(JSON.parse((await host.run(["logs", "--json"])).stdout), {
      folder: host.platform.logs,
      logs: [
        {
          namespace: "m",
          id: "new",
          written: "1970-01-01T00:00:08.000Z",
          bytes: 5,
        },
        {
          namespace: "n",
          id: "old",
          written: "1970-01-01T00:00:07.000Z",
          bytes: 5,
        },
      ],
    });
    const { stdout } = await host.run(["logs", "-n", "n", "--json"]);
    assertEquals(JSON.parse(stdout).logs.length, 1);
  });
});

Deno.test("lcow logs -f prints what comes later, until it is interrupted", async () => {
  await withLogs(async (host, put) => {
    await put("pod1", line(1));
    const seen: string[] = [];
    let heard = Promise.withResolvers<void>();
    host.onPrint = (text) => {
      seen.push(text);
      heard.resolve();
      heard = Promise.withResolvers();
    };
    let next = heard.promise;
    const following = host.run(["logs", "pod1", "-f", "--json"]);
    await next;
    assertEquals(seen.splice(0), [line(1)]);
    next = heard.promise;
    await put("pod1", line(2));
    await next;
    assertEquals(seen.splice(0), [line(2)]);
    next = heard.promise;
    await put("pod1", line(3), { generation: 2 });
    await next;
    assertEquals(seen, [line(3)]);
    host.interruption.abort();
    assertEquals((await following).code, 130);
  });
});

Deno.test("lcow logs ends quietly when nobody reads what it prints", async () => {
  await withLogs(async (host, put) => {
    await put("pod1", line(1));
    host.onPrint = () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    };
    for (const flags of [[], ["-f"]]) {
      const { code, stderr } = await host.run(["logs", "pod1", ...flags]);
      assertEquals([code, stderr], [141, ""]);
    }
    host.onPrint = () => {
      throw new Error("No space left on device");
    };
    assertMatch((await host.run(["logs", "pod1"])).stderr, /No space left/);
  });
});

Deno.test("lcow logs finds the log of a container that has said nothing yet by its shim", async () => {
  await withLogs(async (host, put, scene) => {
    await scene.runPod("pod1", "web");
    await put("pod1", line(1, { cid: "db" }));
    assertEquals(await host.run(["logs", "web"]), {
      code: 0,
      stdout: "",
      stderr: "",
    });
  }, withServedShim);
});
