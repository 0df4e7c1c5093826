/**
 * `deno task install`: makes this checkout runnable as a containerd shim, by
 * recording which Deno runs it and fetching what it imports.
 *
 * @module
 */

const root = new URL("../", import.meta.url).pathname;

/** The programs that run without a network. */
const programs = ["shim/main.ts", "guest/main.ts"] as const;

async function deno(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

/** True when the file is there. */
async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Fetches the dependencies and writes `.cache/deno-path`: the executable and the
 * cache folder, a line each.
 *
 * @returns Path of the shim for containerd.
 */
export async function install(): Promise<string> {
  const present = [];
  for (const program of programs) {
    if (await exists(root + program)) present.push(program);
  }
  await deno("cache", "-q", ...present);
  const { denoDir } = JSON.parse(await deno("info", "--json"));
  if (typeof denoDir !== "string") throw new Error("deno info names no cache");
  await Deno.mkdir(`${root}.cache`, { recursive: true });
  const file = `${root}.cache/deno-path`;
  const text = `${Deno.execPath()}\n${denoDir}\n`;
  // As a whole: containerd may be starting a shim, or another install run.
  const written = await Deno.makeTempFile({ dir: `${root}.cache` });
  try {
    await Deno.writeTextFile(written, text);
    await Deno.chmod(written, 0o644);
    await Deno.rename(written, file);
  } catch (error) {
    await Deno.remove(written);
    throw error;
  }
  return `${root}bin/containerd-shim-lcow-v2`;
}

if (import.meta.main) {
  const shim = await install();
  console.log(`Installed ${shim}`);
  console.log(
    `Use it with: ctr run --runtime ${shim} … or put ${root}bin on containerd's PATH`,
  );
}
