/**
 * The steps that make a Debian 12 machine able to run Windows programs, each
 * from nothing.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import {
  app,
  base,
  boot,
  prefix,
  root,
  run,
  system32,
  windowsPath,
  wine,
} from "./wine.ts";

const packages = ["wine64", "gcc-mingw-w64-x86-64-win32"];

/** The Windows build of Deno. */
export const denoExe = `${app}deno.exe`;

/** Its version: this Deno's. */
export const denoVersion = Deno.version.deno;

/** Packages unpacked at once; the largest takes as long as all others. */
const unpackers = 3;

/**
 * Windows Server 2025, on which the golden data was recorded: the product asks
 * for a minimum build. A version in Wine's own configuration would win.
 */
const registry = `REGEDIT4

[HKEY_CURRENT_USER\\Software\\Wine]
"Version"=-

[HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows NT\\CurrentVersion]
"CurrentVersion"="10.0"
"CurrentMajorVersionNumber"=dword:0000000a
"CurrentMinorVersionNumber"=dword:00000000
"CurrentBuild"="26100"
"CurrentBuildNumber"="26100"
"CSDVersion"=""
`;

async function download(dir: string): Promise<void> {
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
}

/** Unpacks Wine and mingw. */
export async function unpack(): Promise<void> {
  const dir = `${base}deb/`;
  await Deno.mkdir(dir, { recursive: true });
  // apt-get drops its rights to a user that must be able to write here.
  await Deno.chmod(dir, 0o777);
  await download(dir);
  await Deno.mkdir(root, { recursive: true });
  const files: { path: string; size: number }[] = [];
  for await (const { name } of Deno.readDir(dir)) {
    if (!name.endsWith(".deb")) continue;
    files.push({ path: dir + name, size: (await Deno.stat(dir + name)).size });
  }
  files.sort((a, b) => a.size - b.size);
  const unpackRest = async (): Promise<void> => {
    for (let file; (file = files.pop()) !== undefined;) {
      await run("dpkg-deb", ["-x", file.path, root], {
        env: { LD_LIBRARY_PATH: "" },
      });
    }
  };
  await Promise.all(Array.from({ length: unpackers }, unpackRest));
  await Deno.remove(dir, { recursive: true });
  // The packaged script knows only the installed place of the server.
  await Deno.remove(`${root}usr/lib/wine/wineserver`);
  await Deno.symlink("wineserver64", `${root}usr/lib/wine/wineserver`);
}

/** Gets the Windows build of Deno. */
export async function fetchDeno(): Promise<void> {
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
  const bytes = await Deno.readFile(denoExe);
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf("VirtualAlloc2\0");
  if (at < 0 || text.indexOf("VirtualAlloc2\0", at + 1) >= 0) {
    throw new ShimError(
      "DataLoss",
      `Cannot patch deno.exe ${denoVersion}: VirtualAlloc2 is not there exactly once`,
    );
  }
  bytes[at + "VirtualAlloc".length] = "X".charCodeAt(0);
  await Deno.writeFile(denoExe, bytes);
}

/** Makes the Wine prefix. */
export async function makePrefix(): Promise<void> {
  await Deno.mkdir(system32, { recursive: true });
  // user32 needs it; an installed Wine finds it in mingw's own folder.
  await Deno.copyFile(
    `${root}usr/x86_64-w64-mingw32/lib/zlib1.dll`,
    `${system32}zlib1.dll`,
  );
  await boot("wineboot", "-i");
  const file = `${prefix}/lcow.reg`;
  await Deno.writeTextFile(file, registry);
  await run(wine, ["regedit", "/S", windowsPath(file)]);
}
