/**
 * Random command lines and inputs: the shim's short modes always end, and a
 * refusal is one line.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ShimError } from "../../base/errors.ts";
import { parseArguments } from "../../shim/args.ts";
import type { ComputeHost } from "../../hcs/ports.ts";
import { parseBootstrap } from "../../shim/bootstrap.ts";
import { withServedShim } from "../../shim/lcow/lcow_scene.ts";
import { words } from "../../shim/lcow/words.ts";
import { deleteTask } from "../../shim/delete.ts";
import { runtimeInfo } from "../../shim/info.ts";
import { unpackOptions } from "../../shim/options.ts";
import { quietFlags } from "../../sim/detached.ts";
import { systemClock } from "../../base/clock.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import { DeleteResponse } from "../../ttrpc/api/task.gen.ts";
import { Options as PackedOptions } from "../../ttrpc/api/runtime_options.gen.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Processes that the second property starts; each takes about 0.1 s. */
const processes = 40;

const word = fc.constantFrom(
  ...["-namespace", "-id", "-address", "-bundle", "-debug", "--debug=true"],
  ...["-info", "-v=false", "--", "-", "", "start", "delete", "n", "../x"],
  ...["-publish-binary", "containerd", "-socket", "memory", "\u0000", "é"],
);

/** A text that throws nothing but a {@linkcode ShimError}. */
async function refusesCleanly(task: () => unknown): Promise<void> {
  try {
    await task();
  } catch (error) {
    assert(error instanceof ShimError, String(error));
    assertEquals(error.code, "InvalidArgument");
    assert(!error.message.includes("\n"), error.message);
  }
}

Deno.test("parseArguments() takes or refuses any command line", async () => {
  const anything = fc.array(fc.oneof(word, fc.string()), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      anything,
      (args) => refusesCleanly(() => parseArguments(args)),
    ),
    { numRuns: 2000 },
  );
});

Deno.test("parseBootstrap(), unpackOptions() and runtimeInfo() take or refuse any input", async () => {
  const expected = { id: "a", namespace: "n" };
  const packed = (configBody: Uint8Array): Any => ({
    typeUrl: PackedOptions.typeName,
    value: PackedOptions.encode({ configBody }),
  });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await refusesCleanly(() => parseBootstrap(bytes, expected));
      await refusesCleanly(() => unpackOptions(packed(bytes)));
      await refusesCleanly(() => runtimeInfo(bytes));
    }),
    { numRuns: 3000 },
  );
});

/** All but the one that writes a file where its command line says. */
const fuzzed = words.filter(({ name }) => name !== "bundle");

const lcowWord = fc.constantFrom(
  ...[...fuzzed.map(({ name }) => name), "top", "pod1", "pod1/x", "", "-"],
  ...["--json", "--help", "-h", "-n", "n", "--namespace=n", "--namespace"],
  ...[
    "--",
    "--dry-run",
    "--read-only",
    "-t",
    "-w",
    "-x",
    "--json=1",
    "/data",
    "\u001b[m\u009b",
  ],
);

/** True for text that a terminal shows on one line. */
function isOneLine(text: string): boolean {
  return /^[^\p{Cc}]*\n$/u.test(text.replaceAll("\t", " "));
}

Deno.test("lcow takes or refuses any command line, and does nothing for one that it refuses", async () => {
  const some = fc.array(fc.oneof(lcowWord, fc.string()), { maxLength: 6 });
  const commands = fc.tuple(lcowWord, some).map(([word, rest]) => [
    word,
    ...rest,
  ]);
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    let looks = 0;
    const { platform } = host;
    const endpoints = platform.endpoints.bind(platform);
    platform.endpoints = () => {
      looks++;
      return endpoints();
    };
    host.compute = () => {
      looks++;
      const service: Partial<ComputeHost> = {
        enumerate: () => Promise.resolve([]),
      };
      return Promise.resolve(service as ComputeHost);
    };
    // Every command in the VM ends at once; nobody types anything.
    const { guest } = scene;
    const execute = guest.execute.bind(guest);
    guest.execute = async (...parameters) => {
      const process = await execute(...parameters);
      await guest.process(process.pid).exit(0);
      return process;
    };
    await host.input.type();
    const effects = (): number[] => [
      looks,
      scene.vm.modified.length,
      guest.processes.length,
    ];
    await fc.assert(
      fc.asyncProperty(commands, async (args) => {
        looks = 0;
        const done = effects();
        const { code, stdout, stderr } = await host.run(args, fuzzed);
        assert([0, 1, 2].includes(code), String(code));
        assertEquals(stderr === "", code === 0);
        if (code === 0) return;
        assertEquals([stdout, isOneLine(stderr)], ["", true], stderr);
        if (code === 2) assertEquals(effects(), done);
      }),
      { numRuns: 2000 },
    );
  });
});

/** What a bundle may hold after a crash; not all of it is ours. */
const remains = fc.record({
  "config.json": fc.oneof(
    fc.constantFrom("", "{", '{"annotations":[]}', '{"annotations":{"a":1}}'),
    fc.json(),
    fc.string(),
  ),
  "vm.json": fc.oneof(
    fc.constantFrom("", "{}", '{"systemId":1}', '{"systemId":"x@vm"}'),
    fc.json(),
    fc.string(),
  ),
  "panic.log": fc.oneof(fc.string(), fc.constant("x".repeat(2 ** 21))),
}, { requiredKeys: [] });

Deno.test("delete answers whatever the bundle holds and whatever the host says", async () => {
  const bundle = await Deno.makeTempDir({ prefix: "lf" });
  const says = (works: boolean): Promise<never[]> =>
    works ? Promise.resolve([]) : Promise.reject(new Error("no"));
  try {
    await fc.assert(
      fc.asyncProperty(
        remains,
        fc.boolean(),
        fc.boolean(),
        async (files, hostWorks, endpointWorks) => {
          for (const [name, text] of Object.entries(files)) {
            await Deno.writeTextFile(`${bundle}/${name}`, text ?? "");
          }
          const answer = await deleteTask(
            parseArguments([
              ...["-namespace", "n", "-id", "x", "-bundle", bundle, "delete"],
            ]),
            {
              platform: {
                endpoint: () => Promise.resolve("nowhere"),
                connect: () => Promise.reject(new Error("nobody")),
                cleanUp: async () => void await says(endpointWorks),
              },
              compute: () =>
                Promise.resolve({
                  enumerate: () => says(hostWorks),
                  open: () => Promise.reject(new Error("no")),
                }),
              warn: () => {},
              clock: systemClock,
              timeouts: defaultTimeouts,
            },
          );
          assertEquals(DeleteResponse.decode(answer).exitStatus, 255);
          for (const name of Object.keys(files)) {
            await Deno.remove(`${bundle}/${name}`);
          }
        },
      ),
      { numRuns: 300 },
    );
  } finally {
    await Deno.remove(bundle, { recursive: true });
  }
});

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runShim(
  args: readonly string[],
  input: Uint8Array,
  cwd: string,
): Promise<Ending> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...quietFlags, "--config", `${root}deno.json`, "-A"],
      ...[`${root}shim/main.ts`, ...args],
    ],
    cwd,
    env: { LCOW_STATE: `${cwd}/s`, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A shim that refuses its command line does not read its input.
  await writer.write(input).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Input that `start` must refuse: it starts with a group end, which no message has. */
const garbage = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) =>
  Uint8Array.of(0x0c, ...bytes)
);

Deno.test({
  name:
    "start ends with exit code 1 and one line for any bad command line or input",
  timeout: 60_000,
  fn: async () => {
    const cwd = await Deno.makeTempDir({ prefix: "lf" });
    const line = fc.oneof(
      fc.array(word, { maxLength: 8 }),
      fc.constant(["-namespace", "n", "-id", "a"]),
    );
    // An argument of a process cannot hold a zero.
    const args = line.map((words) => [
      ...words.filter((word) => !word.includes("\u0000")),
      "start",
    ]);
    try {
      await fc.assert(
        fc.asyncProperty(args, garbage, async (args, input) => {
          const { code, stdout, stderr } = await runShim(args, input, cwd);
          assertEquals([code, stdout], [1, ""]);
          const lines = stderr.trimEnd().split("\n");
          assertEquals(lines.length, 1, stderr);
          assert(stderr.startsWith("containerd-shim-lcow-v2: "), stderr);
        }),
        { numRuns: processes, endOnFailure: true },
      );
      // Nothing of the refused starts is left.
      const sockets = await Array.fromAsync(readNames(`${cwd}/s/s`));
      assertEquals(sockets, []);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});

async function* readNames(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of Deno.readDir(folder)) yield name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
