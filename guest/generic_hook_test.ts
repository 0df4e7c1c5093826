import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { expandTemplates, runHook } from "./generic_hook.ts";

const state = { id: "c1", pid: 42, annotations: { "a.b/c": "value" } };

Deno.test("expandTemplates() puts id, pid and annotations in, and nothing else", () => {
  const rows: [string, string][] = [
    ["--pid={{pid}}", "--pid=42"],
    ["{{id}}-{{ pid }}", "c1-42"],
    ['{{annotation "a.b/c"}}', "value"],
    ["plain {x} }}", "plain {x} }}"],
  ];
  for (const [text, expected] of rows) {
    assertEquals(expandTemplates(text, state), expected);
  }
  for (const text of ["{{bundle}}", "{{}}", '{{annotation "none"}}']) {
    assertThrows(() => expandTemplates(text, state), ShimError, text);
  }
});

Deno.test("generichook runs a program with what the runtime says", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const script = 'printf "%s " "$0" "$1" "$NAME" > "$OUT"';
    await runHook({
      args: ["/bin/sh", "-c", script, "{{id}}", "--pid={{pid}}"],
      env: { NAME: '{{annotation "a.b/c"}}', OUT: `${folder}/out` },
      state: JSON.stringify(state),
      tell: () => {},
    });
    const text = await Deno.readTextFile(`${folder}/out`);
    assertEquals(text, "c1 --pid=42 value ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("generichook tells the log of a program that fails, in pieces of 8000 bytes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const log = `${folder}/log`;
    await Deno.writeTextFile(log, "x".repeat(8001));
    const told: string[] = [];
    const run = (env: Record<string, string>): Promise<void> =>
      runHook({
        args: ["/bin/sh", "-c", "exit 3"],
        env,
        state: JSON.stringify(state),
        tell: (text) => told.push(text),
      });
    await assertRejects(
      () => run({ GENERIC_HOOK_LOG_DEBUG_FILE: log }),
      ShimError,
      "code 3",
    );
    assertEquals(told.map(({ length }) => length), [8000, 1]);
    await assertRejects(() => run({}), ShimError, "code 3");
    await assertRejects(
      () => run({ GENERIC_HOOK_LOG_DEBUG_FILE: `${folder}/none` }),
      ShimError,
      "code 3",
    );
    assert(told.at(-1)?.includes(`${folder}/none`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("generichook refuses a state that is none, and no program", async () => {
  const options = { env: {}, tell: () => {} };
  await assertRejects(() => runHook({ ...options, args: ["x"], state: "[]" }));
  await assertRejects(
    () => runHook({ ...options, args: [], state: "{}" }),
    ShimError,
    "no program",
  );
});
