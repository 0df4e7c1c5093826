import { assert, assertEquals } from "@std/assert";
import {
  compileArguments,
  embeddedFiles,
  executable,
  graphArguments,
  judgeFiles,
  judgeGraph,
  lacksImage,
} from "./compile.ts";

const root = new URL("../", import.meta.url);

async function readJson(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(new URL(name, root)));
}

Deno.test("compile makes the executable that containerd looks for, which asks and warns of nothing", () => {
  const args = compileArguments(executable, "x86_64-pc-windows-msvc");
  assertEquals(args.slice(-5), [
    ...["--target", "x86_64-pc-windows-msvc"],
    ...["--output", "dist/containerd-shim-lcow-v2.exe", "shim/main.ts"],
  ]);
  assert(args.includes("--allow-all") && args.includes("--no-prompt"));
  // Permission sets and unstable features print a warning at every start.
  const loud = /^(-P|--permission-set|--unstable|--bundle|--minify|--engine)/;
  assertEquals(args.filter((argument) => loud.test(argument)), []);
  // Without a terminal there is no standard output.
  assertEquals(args.includes("--no-terminal"), false);
});

Deno.test("compile's configuration has packages, the same as the project's, and no more", async () => {
  const { imports, ...rest } = await readJson("bin/compile.json");
  assertEquals(rest, {});
  const { "../sim/host.ts": simulation, ...packages } = imports as Record<
    string,
    string
  >;
  assertEquals(simulation, "data:text/javascript,");
  const project = (await readJson("deno.json")).imports as typeof packages;
  for (const [name, address] of Object.entries(packages)) {
    assertEquals(address, project[name], name);
  }
});

Deno.test("the module graph of the executable has the shim and Windows, and nothing of Linux or tests", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...graphArguments],
    cwd: root,
    stdin: "null",
  }).output();
  assertEquals(judgeGraph(new TextDecoder().decode(stdout)), []);
});

Deno.test("judgeGraph() names a module that is missing, and what must not be there", () => {
  const specifiers = ["shim/main.ts", "ffi/windows/host.ts", "guest/main.ts"];
  const modules = [
    ...specifiers.map((name) => ({ specifier: new URL(name, root).href })),
    { specifier: "npm:/smol-toml@1.9.1" },
    { specifier: new URL("shim/x.ts", root).href, error: "Module not found" },
  ];
  assertEquals(judgeGraph(JSON.stringify({ modules })), [
    "Module not found",
    "guest/main.ts is embedded and must not be",
  ]);
});

Deno.test("embeddedFiles() reads the tree that deno compile prints", () => {
  const output = `Compile shim/main.ts to x

Embedded Files

x
├── bin (0B)
├─┬ ffi (419.8KB - 419.25KB unique)
│ └─┬ windows (419.8KB - 419.25KB unique)
│   ├─┬ io (128.46KB)
│   │ └── pipe.ts (9.85KB)
│   └── system/* (64.88KB)
├── hcs/documents.gen.ts (39.02KB)
└─┬ shim (279.85KB)
  ├── args.ts (12.08KB)
  └─┬ services (59.01KB)
    └── task.ts (20.08KB)

Files: 22.2MB
`;
  assertEquals(embeddedFiles(output), [
    "bin",
    "ffi/windows/io/pipe.ts",
    "ffi/windows/system/*",
    "hcs/documents.gen.ts",
    "shim/args.ts",
    "shim/services/task.ts",
  ]);
  assertEquals(judgeFiles(embeddedFiles(output)), []);
});

Deno.test("judgeFiles() names what is missing and what is too much", () => {
  assertEquals(judgeFiles(["shim/main.ts", "sim/*", "ffi/linux/fifo.ts"]), [
    "nothing of ffi/windows/ is embedded",
    "sim/* is embedded and must not be",
    "ffi/linux/fifo.ts is embedded and must not be",
  ]);
  assertEquals(judgeFiles([]).length, 2);
});

Deno.test("lacksImage() tells a failed download from other failures", () => {
  assert(lacksImage("Caused by:\n    0: Setting up base binary.\n"));
  assertEquals(lacksImage('error: Module not found "file:///x.ts".'), false);
});
