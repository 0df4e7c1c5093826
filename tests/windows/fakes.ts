/**
 * The fake DLLs: compiled from `native/` when a source is newer, and put where
 * the product looks for the real ones.
 *
 * @module
 */

import { app, base, exists, run, system32, windowsPath } from "./wine.ts";

const sources = new URL("native/", import.meta.url).pathname;
/** Says how they are compiled. */
const recipe = new URL(import.meta.url).pathname;
const folder = `${base}fakes/`;

interface Fake {
  /** Absolute path of the DLL. */
  readonly target: string;
  /** Names in `native/`; headers count for the time only. */
  readonly sources: readonly string[];
  readonly flags?: readonly string[];
}

/** A fake whose calls go to the forwarder. */
function forwarding(name: string, source: string, ...flags: string[]): Fake {
  return {
    target: `${folder}system32/${name}`,
    sources: [source, "forward.c", "forward.h"],
    flags: [...flags, "-lws2_32", "-lole32"],
  };
}

const sockets = `${folder}hyperv_ws2_32.dll`;

const fakes: readonly Fake[] = [
  forwarding("vmcompute.dll", "vmcompute.c"),
  // A version of Windows that lacks a function.
  forwarding("vmcompute_old.dll", "vmcompute.c", "-DWITHOUT_REVOKE"),
  forwarding("computecore.dll", "computecore.c"),
  forwarding("computenetwork.dll", "computenetwork.c"),
  { target: `${folder}system32/virtdisk.dll`, sources: ["virtdisk.c"] },
  {
    target: sockets,
    sources: ["ws2_32.c", "ws2_32.def"],
    flags: ["-lws2_32"],
  },
  // Stands for a DLL that Wine 8 lacks.
  {
    target: `${app}bcryptprimitives.dll`,
    sources: ["bcryptprimitives.c"],
    flags: ["-ladvapi32"],
  },
];

/** Value of the product's `LCOW_DLL_OVERRIDE`: Wine itself needs the real one. */
export const dllOverride = `ws2_32.dll=${windowsPath(sockets)}`;

async function isOlder(target: string, paths: string[]): Promise<boolean> {
  if (!await exists(target)) return true;
  const times = [target, ...paths].map(async (path) =>
    (await Deno.stat(path)).mtime?.getTime() ?? 0
  );
  const [made = 0, ...changed] = await Promise.all(times);
  return changed.some((time) => time > made);
}

/** Puts a file in its place at once: a process that has the old one keeps it. */
async function place(
  target: string,
  make: (path: string) => Promise<unknown>,
): Promise<void> {
  const fresh = `${target}.new`;
  await make(fresh);
  await Deno.rename(fresh, target);
}

async function compile(fake: Fake): Promise<void> {
  const paths = fake.sources.map((name) => sources + name);
  if (!await isOlder(fake.target, [...paths, recipe])) return;
  const inputs = paths.filter((path) => !path.endsWith(".h"));
  await place(fake.target, (path) =>
    run("x86_64-w64-mingw32-gcc-win32", [
      ...["-O2", "-Wall", "-Werror", "-s", "-shared", "-o", path],
      ...inputs,
      ...fake.flags ?? [],
    ]));
}

/** Compiles what is older than its source, in parallel. Needs mingw. */
export async function compileFakes(): Promise<void> {
  await Deno.mkdir(`${folder}system32`, { recursive: true });
  await Promise.all(fakes.map(compile));
}

async function isSame(one: string, other: string): Promise<boolean> {
  if (!await exists(one) || !await exists(other)) return false;
  const [a, b] = await Promise.all([Deno.readFile(one), Deno.readFile(other)]);
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Puts the fakes of System32 into the prefix; Wine has its own of some names. */
export async function installFakes(): Promise<void> {
  for await (const { name } of Deno.readDir(`${folder}system32`)) {
    const source = `${folder}system32/${name}`;
    if (await isSame(system32 + name, source)) continue;
    await place(system32 + name, (path) => Deno.copyFile(source, path));
  }
}
