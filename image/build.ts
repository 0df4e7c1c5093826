/**
 * Putting the image together.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { cpio, type Entry } from "./cpio.ts";
import { metaTarget, run, textOf, unpackPackages } from "./packages.ts";
import { imageTree } from "./tree.ts";

const root = new URL("../", import.meta.url).pathname;
const cache = `${root}.cache/image`;

/** The kernel without drivers of real machines; it starts fastest. */
export const defaultKernel = "linux-image-cloud-amd64";

/** What is in the image beside the kernel and what npm and we bring. */
const packages = [
  ...["busybox-static", "crun", "e2fsprogs"],
  // Libraries; a missing one is named when the image is built.
  ...["libc6", "libgcc-s1", "libyajl2", "libcap2", "libseccomp2"],
  ...["libsystemd0", "libgcrypt20", "libgpg-error0", "liblzma5", "libzstd1"],
  ...["liblz4-1", "libext2fs2", "libcom-err2", "libblkid1", "libuuid1"],
];

/** Our programs: where they start, and the name of their bundle. */
const programs: readonly (readonly [source: string, bundle: string])[] = [
  ["guest/init/main.ts", "init.js"],
  ["guest/init/vsockexec.ts", "vsockexec.js"],
  ["guest/main.ts", "agent.js"],
  ["guest/generic_hook.ts", "generichook.js"],
  ["guest/wait_paths.ts", "wait-paths.js"],
];

/** Rooms that a guest needs nothing of. */
const unwanted = ["sim/", "shim/", "tests/", "ffi/windows/", "ffi/mock/"];

/** What is built. */
export interface ImageOptions {
  /** Where the files go; it is made. */
  readonly folder: string;
  /** Meta package of the kernel. */
  readonly kernel: string;
  /** Told line by line what was made. */
  readonly say: (line: string) => void;
}

/** The files of an image. */
export interface Image {
  /** Root folder of the packages that it was built from. */
  readonly packages: string;
  /** The kernel. */
  readonly kernel: string;
  /** The initial RAM disk. */
  readonly initrd: string;
}

/**
 * Modules of a program that it must not have.
 *
 * @param graph What `deno info --json` prints.
 * @param base URL of the project's root.
 */
export function foreignModules(graph: string, base: string): string[] {
  const { modules } = JSON.parse(graph) as {
    modules: { specifier: string; error?: string }[];
  };
  return modules.filter(({ specifier, error }) => {
    if (error !== undefined) return true;
    if (!specifier.startsWith(base)) return !specifier.startsWith("node:");
    const path = specifier.slice(base.length);
    return unwanted.some((room) => path.startsWith(room));
  }).map(({ specifier }) => specifier);
}

/** Makes one file of each program and its modules, without comments on types. */
async function bundle(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const deno = Deno.execPath();
  for (const [source, name] of programs) {
    const graph = await run(deno, ["info", "--json", source], root);
    const foreign = foreignModules(graph, `file://${root}`);
    if (foreign.length > 0) {
      throw new ShimError(
        "FailedPrecondition",
        `${source} needs modules that no guest has: ${foreign.join(", ")}`,
      );
    }
    await run(
      deno,
      ["bundle", "-q", "--no-lock", "-o", `${folder}/${name}`, source],
      root,
    );
  }
}

/** Deno for the guest: this one where it is that, else from npm. */
async function guestDeno(): Promise<string> {
  if (Deno.build.target === "x86_64-unknown-linux-gnu") return Deno.execPath();
  const name = `@deno/linux-x64-glibc@${Deno.version.deno}`;
  const folder = `${cache}/deno-${Deno.version.deno}`;
  const deno = `${folder}/package/deno`;
  try {
    await Deno.stat(deno);
    return deno;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(folder, { recursive: true });
  const file = await run("npm", ["pack", "--silent", name], folder);
  await run("tar", ["xzf", file.trim()], folder);
  return deno;
}

/** The only entry of a folder. */
async function onlyIn(folder: string): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const [name, second] = names;
  if (name !== undefined && second === undefined) return `${folder}/${name}`;
  throw new ShimError(
    "DataLoss",
    `"${folder}" holds ${names.length} entries instead of one`,
  );
}

async function kernelFile(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(`${folder}/boot`)) {
    if (name.startsWith("vmlinuz-")) return `${folder}/boot/${name}`;
  }
  throw new ShimError("DataLoss", `There is no kernel in "${folder}/boot"`);
}

/** SHA-256 of an archive, which decides whether it is made again. */
async function digestOf(entries: readonly Entry[]): Promise<string> {
  // Web Crypto takes a whole message: digest the digests of the pieces.
  const digests: Uint8Array[] = [];
  for await (const piece of cpio(entries)) {
    digests.push(
      new Uint8Array(await crypto.subtle.digest("SHA-256", piece)),
    );
  }
  const all = await new Blob(digests as BlobPart[]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all)).toHex();
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Writes the archive, unless the one that is there has the same content. */
async function writeInitrd(
  path: string,
  entries: readonly Entry[],
): Promise<void> {
  const digest = await digestOf(entries);
  const mark = `${path}.sha256`;
  const isThere = await Deno.stat(path).then(() => true, () => false);
  if (isThere && await textOf(mark) === digest) return;
  // Without its mark, a file that is there counts as unfinished.
  await Deno.remove(mark).catch(ignoreMissing);
  const file = await Deno.create(path);
  await ReadableStream.from(cpio(entries))
    .pipeThrough(new CompressionStream("gzip"))
    .pipeTo(file.writable);
  await Deno.writeTextFile(mark, digest);
}

async function mebibytes(path: string): Promise<string> {
  return ((await Deno.stat(path)).size / 2 ** 20).toFixed(1);
}

/**
 * Fetches the packages that an image is built from.
 *
 * @param kernel Meta package of the kernel.
 * @throws {ShimError} Unavailable when a package cannot be had.
 */
export async function fetchPackages(kernel: string): Promise<void> {
  await unpackPackages(
    `${cache}/${kernel}`,
    kernel,
    async (cwd) => [await metaTarget(kernel, cwd)],
  );
  await unpackPackages(
    `${cache}/packages`,
    packages.join(" "),
    () => Promise.resolve(packages),
  );
}

/**
 * Builds the image. The same packages and the same sources make the same bytes.
 *
 * @throws {ShimError} Unavailable when a package cannot be had.
 */
export async function buildImage(options: ImageOptions): Promise<Image> {
  const { folder, kernel, say } = options;
  const kernelRoot = `${cache}/${kernel}`;
  await fetchPackages(kernel);
  await bundle(`${cache}/programs`);
  const modules = await onlyIn(`${kernelRoot}/lib/modules`);
  const { entries, absent } = await imageTree({
    packages: `${cache}/packages`,
    modules,
    deno: await guestDeno(),
    programs: `${cache}/programs`,
  });
  await Deno.mkdir(folder, { recursive: true });
  const image = {
    packages: `${cache}/packages`,
    kernel: `${folder}/kernel`,
    initrd: `${folder}/initrd.img`,
  };
  await Deno.copyFile(await kernelFile(kernelRoot), image.kernel);
  await writeInitrd(image.initrd, entries);
  const release = modules.slice(modules.lastIndexOf("/") + 1);
  say(
    `${image.kernel}: ${await mebibytes(image.kernel)} MiB, Linux ${release}`,
  );
  say(
    `${image.initrd}: ${await mebibytes(image.initrd)} MiB, ` +
      `${entries.length} files, Deno ${Deno.version.deno}`,
  );
  if (absent.length > 0) {
    say(`Built into this kernel or missing: ${absent.join(", ")}`);
  }
  return image;
}
