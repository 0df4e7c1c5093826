import { assert, assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { hasCommands, recordedCommands, runCommands } from "./command_lines.ts";
import { objectOf, objectsOf } from "./json.ts";

/** A trace with one command line and its result. */
function trace(args: readonly string[], result: JsonObject): JsonObject {
  return {
    events: [
      { log: "binary", kind: "exec", args: [...args] },
      { log: "binary", kind: "exec-result", ...result },
    ],
  };
}

async function run(
  args: readonly string[],
  result: JsonObject = {},
): Promise<JsonObject> {
  const { commands } = await runCommands(trace(args, result));
  return objectsOf(commands)[0]!;
}

const named = ["-namespace", "n", "-id", "pod1"];

Deno.test("recorded results are answers, or what was said of a failure", () => {
  const recorded = (result: JsonObject) => {
    const { commands } = recordedCommands(trace(["x"], result));
    const { answer, error } = objectsOf(commands)[0]!;
    return answer ?? error;
  };
  assertEquals(
    recorded({ exitCode: 0, stdout: "shim.exe:\n  Version: 1\n" }),
    { name: "shim" },
  );
  assertEquals(recorded({ exitCode: 0, decoded: { name: "s", version: {} } }), {
    name: "s",
  });
  assertEquals(recorded({ stdout: '{"version":3}' }), { version: 3 });
  for (const stream of ["stdout", "stderr"]) {
    const text = "containerd-shim-lcow-v2: it is wrong\nUsage:";
    assertEquals(recorded({ exitCode: 1, [stream]: text }), "it is wrong");
  }
});

Deno.test("start answers with the pipe on which its child serves", async () => {
  const { answer } = await run([...named, "start"]);
  assertEquals(answer, {
    version: 3,
    address:
      "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\containerd-shim-n-pod1-pipe",
    protocol: "ttrpc",
  });
});

Deno.test("serve refuses what is no pipe, and input that is no message", async () => {
  const pipe = ["-socket", "\\\\.\\pipe\\x", "serve"];
  assertEquals((await run([...named, ...pipe])).answer, {
    serves: "\\\\.\\pipe\\x",
  });
  const said = { stdout: "cannot parse invalid wire-format data" };
  for (
    const { error } of [
      await run([...named, ...pipe], said),
      await run([...named, "-socket", "C:\\x", "serve"]),
      await run([...named, "serve"]),
      await run(["-nonsense"]),
    ]
  ) {
    assertEquals(objectOf(error).code, "InvalidArgument");
  }
});

Deno.test("delete answers, and -v and -info name the program", async () => {
  const answers = [
    await run([...named, "delete"]),
    await run(["-v"]),
    await run(["-info"]),
  ].map(({ answer }) => answer);
  const name = "containerd-shim-lcow-v2";
  assertEquals(answers, [
    { exit_status: 255, exited_at: "<time>" },
    { name },
    { name },
  ]);
});

Deno.test("a trace without command lines is no case", () => {
  assert(hasCommands(trace(["-v"], {})));
  assert(!hasCommands({ events: [{ log: "ttrpc" }] }));
});
