/**
 * What the tests of the Windows side need on a Debian 12 machine, all under
 * `.cache/windows/` and nothing installed: Wine and mingw unpacked from their
 * packages, the Windows build of Deno from npm, a Wine prefix, the fake DLLs.
 * A step whose result is there is skipped.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { cacheDirectory } from "../debian.ts";

const base = `${cacheDirectory}windows/`;
const root = `${base}root/`;
const app = `${base}app/`;
const prefix = `${base}prefix/`;
const system32 = `${prefix}drive_c/windows/system32/`;
const sources = new URL("native/", import.meta.url).pathname;
const packages = ["wine64", "gcc-mingw-w64-x86-64-win32"];
const wine = `${root}usr/lib/wine/wine64`;
const server = `${root}usr/lib/wine/wineserver64`;
const denoVersion = Deno.version.deno;

const environment = {
  LD_LIBRARY_PATH: `${root}usr/lib/x86_64-linux-gnu`,
  PATH: `${root}usr/bin:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`,
  WINEPREFIX: prefix.slice(0, -1),
  WINEARCH: "win64",
  WINEDEBUG: "-all",
  WINEDLLOVERRIDES: "mscoree,mshtml=;winedbg.exe=",
  WINESERVER: server,
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
};

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; limit?: number } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: options.cwd ?? base,
    env: { ...environment, ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(options.limit ?? 60_000),
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new ShimError(
    "Unavailable",
    `Cannot set up Wine: ${command} ${args.join(" ")} failed: ${
      decoder.decode(stderr).trim() || decoder.decode(stdout).trim()
    }`,
  );
}

async function unpack(): Promise<void> {
  const dir = `${base}deb/`;
  await Deno.mkdir(dir, { recursive: true });
  // apt-get drops its rights to a user that must be able to write here.
  await Deno.chmod(dir, 0o777);
  const apt = { env: { LD_LIBRARY_PATH: "" }, cwd: dir };
  const plan = ["install", "-s", "--no-install-recommends", "--no-remove"];
  const list = async (): Promise<string> =>
    await run("apt-get", [...plan, ...packages], apt);
  const planned = await list().catch(async () => {
    // A fresh machine has no package lists.
    await run("apt-get", ["-q", "update"], apt);
    return await list();
  });
  const names = [...planned.matchAll(/^Inst (\S+)/gm)].map((row) => row[1]!);
  await run(
    "apt-get",
    ["-q", "download", ...new Set([...names, ...packages])],
    apt,
  );
  await Deno.mkdir(root, { recursive: true });
  for await (const { name } of Deno.readDir(dir)) {
    if (name.endsWith(".deb")) {
      await run("dpkg-deb", ["-x", dir + name, root], apt);
    }
  }
  await Deno.remove(dir, { recursive: true });
  // The packaged script knows only the installed place of the server.
  await Deno.remove(`${root}usr/lib/wine/wineserver`);
  await Deno.symlink("wineserver64", `${root}usr/lib/wine/wineserver`);
}

async function compile(
  source: string,
  target: string,
  ...args: string[]
): Promise<void> {
  await run("x86_64-w64-mingw32-gcc-win32", [
    ...["-O2", "-Wall", "-Werror", "-s", "-shared", "-o", target],
    ...[sources + source, ...args],
  ]);
}

async function fetchDeno(): Promise<void> {
  await Deno.mkdir(app, { recursive: true });
  const apart = { cwd: app, env: { LD_LIBRARY_PATH: "" } };
  const name = `deno-win32-x64-${denoVersion}.tgz`;
  await run(
    "npm",
    ["pack", "--silent", `@deno/win32-x64@${denoVersion}`],
    apart,
  );
  await run(
    "tar",
    ["xzf", name, "--strip-components=1", "package/deno.exe"],
    apart,
  );
  await Deno.remove(app + name);
  // V8 asks for VirtualAlloc2, which Wine 8 has without placeholders. Hidden,
  // V8 does without. One byte differs.
  const bytes = await Deno.readFile(`${app}deno.exe`);
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf("VirtualAlloc2\0");
  if (at < 0 || text.indexOf("VirtualAlloc2\0", at + 1) >= 0) {
    throw new ShimError(
      "DataLoss",
      `Cannot patch deno.exe ${denoVersion}: VirtualAlloc2 is not there exactly once`,
    );
  }
  bytes[at + "VirtualAlloc".length] = "X".charCodeAt(0);
  await Deno.writeFile(`${app}deno.exe`, bytes);
  await compile(
    "bcryptprimitives.c",
    `${app}bcryptprimitives.dll`,
    "-ladvapi32",
  );
}

async function makePrefix(): Promise<void> {
  await Deno.mkdir(system32, { recursive: true });
  // user32 needs it; an installed Wine finds it in mingw's own folder.
  await Deno.copyFile(
    `${root}usr/x86_64-w64-mingw32/lib/zlib1.dll`,
    `${system32}zlib1.dll`,
  );
  await run(wine, ["wineboot", "-i"]);
  const version = ["/v", "Version", "/d", "win10", "/f"];
  await run(wine, ["reg", "add", "HKCU\\Software\\Wine", ...version]);
}

/** Makes sure that everything is there. @throws {ShimError} Unavailable saying what cannot be had. */
export async function setUp(): Promise<void> {
  await Deno.mkdir(base, { recursive: true });
  const steps: readonly [string, () => Promise<void>][] = [
    ["unpacked", unpack],
    [`deno-${denoVersion}`, fetchDeno],
    ["prefix-made", makePrefix],
  ];
  for (const [name, step] of steps) {
    const done = `${base}${name}.done`;
    if (await exists(done)) continue;
    await step();
    await Deno.writeTextFile(done, "");
  }
  const libraries = ["-lws2_32", "-lole32"];
  await compile("vmcompute.c", `${system32}vmcompute.dll`, ...libraries);
  await compile(
    "vmcompute.c",
    `${system32}vmcompute_old.dll`,
    "-DWITHOUT_REVOKE",
    ...libraries,
  );
}

/**
 * Runs a script of the checkout with the Windows build of Deno.
 *
 * @param script Absolute path on this machine.
 * @returns Its standard output.
 * @throws {ShimError} Unavailable with its output when it fails.
 */
export async function runWindowsDeno(
  script: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const path = `Z:${script.replaceAll("/", "\\")}`;
  const flags = ["run", "-A", "--no-check", "--no-lock", "--quiet"];
  return await run(wine, [`${app}deno.exe`, ...flags, path, ...args], {
    env,
    limit: 30_000,
  });
}

/** Ends Wine's server and what still runs in the prefix. */
export async function stopWine(): Promise<void> {
  await new Deno.Command(server, { args: ["-k"], env: environment }).output();
}

if (import.meta.main) {
  try {
    await setUp();
  } finally {
    await stopWine();
  }
}
