/**
 * Debian packages, unpacked into a folder and never installed.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** Milliseconds until a program is killed: a slow mirror, a large package. */
const limit = 180_000;

/**
 * Runs a program to its end.
 *
 * @returns Its standard output.
 * @throws {ShimError} Unavailable with its output when it fails.
 */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(limit),
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  const text = decoder.decode(stderr).trim() || decoder.decode(stdout).trim();
  throw new ShimError(
    "Unavailable",
    `${command} ${args.join(" ")} failed: ${text}`,
  );
}

/** Runs an apt program again with fresh package lists when it fails. */
async function apt<T>(folder: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch {
    // A fresh machine has no package lists, or lists older than the mirror.
    await run("apt-get", ["-q", "update"], folder);
    return await attempt();
  }
}

/** Text of a file, or undefined. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Unpacks packages into `folder`, unless they are there. Whoever calls while
 * another process does waits for it.
 *
 * @param folder Where; it holds nothing else.
 * @param wanted What is wanted; a folder that holds something else is emptied.
 * @param namesOf Names the packages; called when they are fetched.
 * @throws {ShimError} Unavailable when a package cannot be had.
 */
export async function unpackPackages(
  folder: string,
  wanted: string,
  namesOf: (cwd: string) => Promise<readonly string[]>,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/.lock`, {
    create: true,
    write: true,
  });
  await lock.lock(true);
  const done = `${folder}/.done`;
  if (await textOf(done) === wanted) return;
  for await (const { name } of Deno.readDir(folder)) {
    if (name === ".lock") continue;
    await Deno.remove(`${folder}/${name}`, { recursive: true });
  }
  const debs = await Deno.makeTempDir({ dir: folder, prefix: ".debs-" });
  try {
    // apt-get drops its rights to a user that must be able to write here.
    await Deno.chmod(debs, 0o777);
    await apt(debs, async () => {
      const names = await namesOf(debs);
      await run("apt-get", ["-q", "download", ...names], debs);
    });
    for await (const { name } of Deno.readDir(debs)) {
      if (!name.endsWith(".deb")) continue;
      await run("dpkg-deb", ["-x", `${debs}/${name}`, folder], debs);
    }
  } finally {
    await Deno.remove(debs, { recursive: true });
  }
  await Deno.writeTextFile(done, wanted);
}

/**
 * A package and those that it needs and that this machine lacks.
 *
 * @param name The package.
 * @param cwd A folder to work in.
 */
export async function withDependencies(
  name: string,
  cwd: string,
): Promise<string[]> {
  const plan = ["install", "-s", "--no-install-recommends", "--no-remove"];
  const planned = await run("apt-get", [...plan, name], cwd);
  // "Inst NAME [VERSION] (…" would only be an upgrade of what is there.
  const names = [...planned.matchAll(/^Inst (\S+) \(/gm)].map((row) => row[1]!);
  return [...new Set([name, ...names])];
}

/**
 * The package that a meta package such as `linux-image-cloud-amd64` stands for.
 *
 * @param name The meta package.
 * @param cwd A folder to work in.
 * @throws {ShimError} NotFound when it stands for none.
 */
export async function metaTarget(name: string, cwd: string): Promise<string> {
  const text = await run("apt-cache", ["depends", name], cwd);
  const [, target] = text.match(/^\s*Depends: (\S+)$/m) ?? [];
  if (target !== undefined) return target;
  throw new ShimError("NotFound", `Package "${name}" stands for no other one`);
}
