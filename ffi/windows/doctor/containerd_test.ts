import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import {
  configVariable,
  type ContainerdPlaces,
  findConfig,
  judgeConfig,
  judgeExecutable,
} from "./containerd.ts";
import type { ConfiguredRuntime } from "./containerd_config.ts";

const programFiles = "C:\\Program Files";
const standard = `${programFiles}\\containerd\\config.toml`;
const shim = "containerd-shim-lcow-v2.exe";

/** A machine with these variables and files. */
function machine(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): ContainerdPlaces {
  return {
    env: (name) => env[name],
    readText: (path) =>
      path in files
        ? Promise.resolve(files[path]!)
        : Promise.reject(new Deno.errors.NotFound()),
    isFile: (path) => Promise.resolve(path in files),
  };
}

function runtime(more: Partial<ConfiguredRuntime> = {}): ConfiguredRuntime {
  const bootDirectory = undefined;
  const snapshotter = "windows-lcow";
  return { name: "lcow", snapshotter, path: "", bootDirectory, ...more };
}

Deno.test("findConfig() reads the standard file, or the one that the variable names", async () => {
  const files = { [standard]: "version = 2", "D:\\c.toml": "version = 3" };
  const env = { ProgramFiles: programFiles };
  assertEquals((await findConfig(machine(env, files))).path, standard);
  const empty = { ...env, [configVariable]: "" };
  assertEquals((await findConfig(machine(empty, files))).path, standard);
  const other = { ...env, [configVariable]: "D:\\c.toml" };
  assertEquals((await findConfig(machine(other, files))).path, "D:\\c.toml");
});

Deno.test("findConfig() tells an absent file from one that cannot be used", async () => {
  const env = { ProgramFiles: programFiles };
  const absent = await findConfig(machine(env));
  assertEquals(absent, { path: standard, config: undefined });
  const broken = machine(env, { [standard]: "version = 2\n= 1" });
  const error = await assertRejects(
    () => findConfig(broken),
    ShimError,
    `Cannot use "${standard}": line 2`,
  );
  assertEquals(error.code, "InvalidArgument");
  await assertRejects(() => findConfig(machine({})), ShimError, "ProgramFiles");
});

Deno.test("judgeConfig() wants a runtime of our type with the snapshotter for Linux", () => {
  const judge = (...runtimes: ConfiguredRuntime[]) =>
    judgeConfig({ path: "c", config: { runtimes, hasImports: true } });
  assertEquals(judge(runtime()), { found: 'runtime "lcow" in "c"' });
  const windows = runtime({ name: "b", snapshotter: "windows" });
  assertEquals(judge(runtime(), windows), {
    state: "gap",
    found: 'runtime "b" in "c" has snapshotter "windows"',
    advice: 'Set snapshotter = "windows-lcow" for it',
  });
  assertEquals(judge(), {
    state: "warning",
    found:
      'no runtime of type io.containerd.lcow.v2 in "c"; what it imports is not looked at',
  });
  assertEquals(judgeConfig({ path: "c", config: undefined }).state, "warning");
});

Deno.test("judgeExecutable() looks on PATH and beside containerd.exe", async () => {
  const env = { PATH: "C:\\a;;C:\\b", ProgramFiles: programFiles };
  const own = `${programFiles}\\containerd`;
  const find = (...files: string[]) =>
    judgeExecutable(
      machine(env, Object.fromEntries(files.map((path) => [path, ""]))),
    );
  const beside = [`${own}\\containerd.exe`, `${own}\\${shim}`];
  assertEquals(await find(...beside, `C:\\b\\${shim}`), {
    found: `"C:\\b\\${shim}"`,
  });
  assertEquals(await find(...beside), { found: `"${own}\\${shim}"` });
  assertEquals((await find(`${own}\\${shim}`)).state, "gap");
});

Deno.test("judgeExecutable() looks where the configuration says", async () => {
  const config = (...paths: string[]) => ({
    runtimes: paths.map((path) => runtime({ path })),
    hasImports: false,
  });
  const places = machine({}, { "D:\\shim.exe": "" });
  assertEquals(await judgeExecutable(places, config("D:\\shim.exe")), {
    found: '"D:\\shim.exe"',
  });
  assertEquals(await judgeExecutable(places, config("D:\\gone.exe")), {
    state: "gap",
    found: 'runtime "lcow" names "D:\\gone.exe", which is no file',
  });
  const both = await judgeExecutable(places, config("D:\\shim.exe", ""));
  assertEquals(both, { state: "gap", found: `no ${shim} on PATH` });
});
