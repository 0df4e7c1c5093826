/**
 * Debian packages that demo, tests and benchmarks need and that the machine
 * lacks: fetched and unpacked under `.cache/`, never installed. Binaries on
 * PATH win.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { exclusively } from "../sim/exclusive.ts";

/** A program, the package that has it, and what the program is for. */
interface Tool {
  readonly program: string;
  readonly packages: readonly string[];
  readonly why: string;
}

/** Libraries stand beside the program that needs them; those on the machine win. */
const tools: readonly Tool[] = [
  {
    program: "containerd",
    packages: ["containerd"],
    why: "the caller of the shim",
  },
  {
    program: "crun",
    packages: ["crun", "libyajl2"],
    why: "the OCI runtime in the guest",
  },
  {
    program: "runc",
    packages: ["runc"],
    why: "the OCI runtime of the peer shim",
  },
  {
    program: "busybox",
    packages: ["busybox-static"],
    why: "the image that is run",
  },
];

/** The cache folder of the checkout. */
export const cacheDirectory: string = new URL("../.cache/", import.meta.url)
  .pathname;

/** Sets something up in the cache folder while nobody else does. */
export async function inCache<T>(task: () => Promise<T>): Promise<T> {
  await Deno.mkdir(cacheDirectory, { recursive: true });
  return await exclusively(cacheDirectory, task);
}

const root = `${cacheDirectory}debian/`;
const paths = ["usr/bin", "usr/sbin", "bin", "sbin"].map((dir) => root + dir);
const libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"]
  .map((dir) => root + dir);

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ ok: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return {
    ok: success,
    output: decoder.decode(stdout) + decoder.decode(stderr),
  };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

async function onPath(program: string): Promise<boolean> {
  const own = Deno.env.get("PATH") ?? "";
  for (const dir of own.split(":")) {
    if (dir !== "" && await isFile(`${dir}/${program}`)) return true;
  }
  return false;
}

async function unpacked(program: string): Promise<boolean> {
  for (const dir of paths) {
    if (await isFile(`${dir}/${program}`)) return true;
  }
  return false;
}

async function download(
  packages: readonly string[],
  dir: string,
): Promise<void> {
  const fetch = (): Promise<{ ok: boolean; output: string }> =>
    run("apt-get", ["-q", "download", ...packages], dir);
  let result = await fetch();
  if (!result.ok) {
    // A fresh machine has no package lists, or lists older than the mirror.
    const update = await run("apt-get", ["-q", "update"], dir);
    result = update.ok ? await fetch() : update;
  }
  if (!result.ok) {
    throw new ShimError(
      "Unavailable",
      `Cannot fetch the Debian packages ${packages.join(", ")}: install them ` +
        `yourself and try again\n${result.output.trim()}`,
    );
  }
}

async function unpack(missing: readonly Tool[]): Promise<void> {
  const dir = await Deno.makeTempDir({ dir: cacheDirectory, prefix: "deb-" });
  try {
    // apt-get drops its rights to a user that must be able to write here.
    await Deno.chmod(dir, 0o777);
    await download(missing.flatMap((tool) => tool.packages), dir);
    await Deno.mkdir(root, { recursive: true });
    for await (const { name } of Deno.readDir(dir)) {
      if (!name.endsWith(".deb")) continue;
      const result = await run("dpkg-deb", ["-x", `${dir}/${name}`, root], dir);
      if (!result.ok) {
        throw new ShimError(
          "DataLoss",
          `Cannot unpack ${name}: ${result.output}`,
        );
      }
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function sizeOf(dir: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(dir)) {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory) bytes += await sizeOf(path);
    else if (entry.isFile) bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

async function unpackMissing(say: (line: string) => void): Promise<void> {
  const missing: Tool[] = [];
  for (const tool of tools) {
    if (await onPath(tool.program) || await unpacked(tool.program)) continue;
    missing.push(tool);
  }
  if (missing.length === 0) return;
  const what = missing.map(({ program, why }) => `${program} (${why})`);
  await unpack(missing);
  const mebibytes = Math.round(await sizeOf(root) / 1024 / 1024);
  say(
    `Unpacked Debian packages under .cache/debian (${mebibytes} MiB): ${
      what.join(", ")
    }`,
  );
}

/**
 * Makes sure that containerd, crun, runc and busybox are there, fetching what
 * is missing.
 *
 * @param say Told in one line what is fetched, why and how large it is.
 * @returns Environment variables under which the programs are found: `PATH` and
 * `LD_LIBRARY_PATH`.
 * @throws {ShimError} Unavailable naming the packages when they cannot be had.
 */
export async function toolEnv(
  say: (line: string) => void = (line) => console.error(line),
): Promise<Record<string, string>> {
  await inCache(() => unpackMissing(say));
  const own = Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin";
  const ownLibraries = Deno.env.get("LD_LIBRARY_PATH");
  return {
    PATH: [own, ...paths].join(":"),
    LD_LIBRARY_PATH: [
      ...(ownLibraries ? [ownLibraries] : []),
      ...libraries,
    ].join(":"),
  };
}
