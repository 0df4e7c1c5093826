/**
 * Starts this program anew as a process that outlives its parent.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { DetachedProcess, Platform } from "../hcs/ports.ts";
import { projectRoot } from "./project.ts";

/** Folder, input and further environment of the process. */
export type SpawnOptions = Parameters<Platform["spawnDetached"]>[1];

/** Flags under which Deno prints nothing of its own and fetches nothing. */
export const quietFlags: readonly string[] = [
  "-q",
  "--no-prompt",
  "--cached-only",
  "--no-lock",
  "--no-check",
];

/** File in the working directory that gets the process' standard error. */
const panicLog = "panic.log";

/**
 * The shell only moves standard error into a file and is replaced at once; what
 * it says itself when it cannot comes through the pipe.
 */
const launcher = `exec "$@" 2>${panicLog}`;

/** How much of the last words is repeated in an error. */
const lastWords = 4096;

async function panicText(cwd: string): Promise<string> {
  try {
    return (await Deno.readTextFile(`${cwd}/${panicLog}`)).slice(-lastWords);
  } catch {
    // The process did not get as far as opening it.
    return "";
  }
}

async function feed(
  stdin: WritableStream<Uint8Array>,
  bytes: Uint8Array,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // It ended without reading its input, which its readiness reports.
  }
}

/** Reads one stream of the process to its end, or until nobody cares. */
class Words {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #ready = Promise.withResolvers<boolean>();
  /** Everything that came. */
  readonly text: Promise<string>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    this.text = this.#read();
  }

  /** True as soon as the line `ready` came; false when the stream ended without it. */
  get ready(): Promise<boolean> {
    return this.#ready.promise;
  }

  async #read(): Promise<string> {
    let text = "";
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) {
        this.#ready.resolve(text.split("\n").includes("ready"));
        return text;
      }
      text += value;
      if (/^ready$/m.test(text)) this.#ready.resolve(true);
    }
  }

  /** Lets the stream go. */
  forget(): void {
    // The pipe may break at the same time, which then matters to nobody.
    this.#reader.cancel().catch(() => {});
  }
}

async function readiness(
  child: Deno.ChildProcess,
  words: readonly [stdout: Words, stderr: Words],
  fed: Promise<void>,
  cwd: string,
): Promise<void> {
  // The end of the stream cannot be waited for: Deno has a second descriptor of
  // its standard output, which its program cannot close.
  const ready = await words[0].ready;
  await fed;
  if (ready) return;
  const [output = "", complaint = ""] = await Promise.all(
    words.map(({ text }) => text),
  );
  const { code, signal } = await child.status;
  const said = [output, complaint, await panicText(cwd)]
    .map((text) => text.trim()).filter((text) => text !== "").join("\n");
  throw new ShimError(
    "Unavailable",
    `The process ended with ${signal ?? `exit code ${code}`} before it was ` +
      `ready: ${said || "it printed nothing"}`,
  );
}

async function kill(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    const ended = error instanceof TypeError ||
      error instanceof Deno.errors.NotFound;
    if (!ended) throw error;
  }
  await child.status;
}

/**
 * Starts a command in a session of its own, as {@linkcode Platform.spawnDetached}
 * says.
 *
 * @param command The program and its arguments.
 */
export function spawnCommand(
  command: readonly string[],
  options: SpawnOptions,
): DetachedProcess {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", launcher, "sh", ...command],
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const words = [new Words(child.stdout), new Words(child.stderr)] as const;
  const fed = feed(child.stdin, options.stdin);
  return {
    pid: child.pid,
    ready: readiness(child, words, fed, options.cwd),
    kill: () => kill(child),
    release: () => {
      words.forEach((stream) => stream.forget());
      child.unref();
    },
  };
}

/**
 * Starts `shim/main.ts` with these arguments, as
 * {@linkcode Platform.spawnDetached} says.
 */
export function spawnShim(
  args: readonly string[],
  options: SpawnOptions,
): DetachedProcess {
  const command = [
    Deno.execPath(),
    "run",
    ...quietFlags,
    ...["--config", `${projectRoot}/deno.json`],
    "-A",
    `${projectRoot}/shim/main.ts`,
    ...args,
  ];
  return spawnCommand(command, options);
}
