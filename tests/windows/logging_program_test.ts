/** Logging programs, started by the Windows build of Deno under Wine. */

import { assertEquals, assertMatch } from "@std/assert";
import { denoExe } from "./install.ts";
import { runWindowsDeno, setUp, stopWine, windowsPath } from "./setup.ts";

const script = new URL("logging_program_script.ts", import.meta.url).pathname;
const logger = new URL("logger.ts", import.meta.url).pathname;

Deno.test.afterAll(stopWine);

/** The address under which the Windows build of Deno runs the logger. */
function loggerUrl(what: string): string {
  const program = windowsPath(denoExe).replaceAll("\\", "/");
  const flags = ["run", "-A", "--no-check", "--no-lock", "--quiet"];
  const query = new URLSearchParams(flags.map((flag) => [flag, ""]));
  query.set(windowsPath(logger), what);
  return `binary:///${program}?${query}`;
}

Deno.test("host:O17 under Wine, a logging program gets the output over the pipes that its environment names", async () => {
  await setUp();
  const folder = await Deno.makeTempDir();
  try {
    const urls = [windowsPath(folder), "fails", "crashes", "silent"]
      .map(loggerUrl);
    const seen = JSON.parse(
      await runWindowsDeno(script, urls, { LCOW_TEST: "1" }, 60_000),
    );
    const { failed, missing, late, ...rest } = seen;
    assertEquals(rest, {
      code: 3,
      stopped: "enough",
      wasKilled: true,
      pending: 0,
    });
    for (const [at, expected] of [7, 8].entries()) {
      const [why, code] = failed[at];
      assertMatch(why, new RegExp(`ended with code ${expected} before it was`));
      assertEquals(code, expected);
    }
    assertMatch(missing, /Cannot start logging program "C:\\none.exe"/);
    assertMatch(late, /closed/);
    const read = (name: string) => Deno.readTextFile(`${folder}/${name}`);
    assertEquals(await read("1"), "0123456789abcdef".repeat(16 * 4096));
    assertEquals(await read("2"), "error\n");
    const env: Record<string, string> = JSON.parse(await read("env"));
    assertMatch(env.SystemRoot ?? "", /^C:\\windows$/i);
    // What Wine tells every process is not ours.
    const ours = Object.entries(env).filter(([name]) =>
      !/^(WINE.*|SystemDrive|SystemRoot)$/i.test(name)
    );
    assertEquals(Object.fromEntries(ours), {
      CONTAINER_ID: "web",
      CONTAINER_NAMESPACE: "k8s.io",
      CONTAINER_STDOUT: "\\\\.\\pipe\\binary-web-stdout",
      CONTAINER_STDERR: "\\\\.\\pipe\\binary-web-stderr",
      CONTAINER_WAIT: "\\\\.\\pipe\\binary-web-wait",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
