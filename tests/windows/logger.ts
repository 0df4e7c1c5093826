/**
 * A logging program for Windows, as others write them: it knows the pipes by its
 * environment alone, and uses nothing of this repository. It keeps what it gets,
 * and its environment, in files.
 *
 * Usage: `logger.ts FOLDER`, or `logger.ts fails`, `crashes` or `silent`
 *
 * @module
 */

const [what = ""] = Deno.args;
if (what === "fails") Deno.exit(7);

function openPipe(variable: string): Deno.FsFile {
  const name = Deno.env.get(variable);
  if (name === undefined) throw new Error(`${variable} is not set`);
  return Deno.openSync(name, { read: true, write: true });
}

async function keep(pipe: Deno.FsFile, name: string): Promise<void> {
  const file = await Deno.open(`${what}\\${name}`, {
    create: true,
    write: true,
  });
  await pipe.readable.pipeTo(file.writable);
}

if (what === "silent") {
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
const pipes = [openPipe("CONTAINER_STDOUT"), openPipe("CONTAINER_STDERR")];
const wait = openPipe("CONTAINER_WAIT");
if (what === "crashes") Deno.exit(8);
await Deno.writeTextFile(
  `${what}\\env`,
  JSON.stringify(Deno.env.toObject()),
);
wait.writeSync(Uint8Array.of(0));
wait.close();
await Promise.all(pipes.map((pipe, at) => keep(pipe, `${at + 1}`)));
Deno.exit(3);
