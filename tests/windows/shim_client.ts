/**
 * Runs under Wine and does what containerd does on a Windows host: starts the
 * shim, calls it through its named pipe, serves the pipes of its tasks and takes
 * its events. A test on the Linux side tells it what to do: one JSON command per
 * line on standard input, one JSON answer per line on standard output.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { classify, messageOf, ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { dialPipe } from "../../ffi/windows/io/pipe.ts";
import { PipeListener } from "../../ffi/windows/io/pipe_listener.ts";
import { windowsParts, windowsPlatform } from "../../ffi/windows/platform.ts";
import { lcow } from "../../shim/lcow/run.ts";
import type { LcowContext } from "../../shim/lcow/word.ts";
import { Events } from "../../ttrpc/api/events.gen.ts";
import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import { TtrpcClient } from "../../ttrpc/client.ts";
import { TtrpcServer } from "../../ttrpc/server.ts";
import type { Command, CommandName } from "./shim_commands.ts";

const parts = windowsParts();
const { io } = parts;
const encoder = new TextEncoder();
const dialOptions = { clock: systemClock, busyLimit: 5_000 };
const shimMain = new URL("../../shim/main.ts", import.meta.url).href;

/** One pipe, and what came through it. */
class TaskPipe {
  readonly #listener: PipeListener | undefined;
  readonly #stream: Promise<Duplex>;
  readonly #changed: (() => void)[] = [];
  #text = "";
  #ended = false;

  private constructor(stream: Promise<Duplex>, listener?: PipeListener) {
    this.#listener = listener;
    this.#stream = stream;
    void this.#read();
  }

  /** One that this side serves. */
  static serve(name: string): TaskPipe {
    const listener = PipeListener.open(io, name);
    return new TaskPipe(listener.accept(), listener);
  }

  /** One that the shim serves. */
  static dial(name: string): TaskPipe {
    return new TaskPipe(dialPipe(io, name, dialOptions));
  }

  async #read(): Promise<void> {
    const stream = await this.#stream;
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    for (;;) {
      const n = await stream.read(buffer);
      this.#ended = n === null;
      this.#text += decoder.decode(buffer.subarray(0, n ?? 0), {
        stream: n !== null,
      });
      for (const wake of this.#changed.splice(0)) wake();
      if (n === null) return;
    }
  }

  async write(text: string): Promise<void> {
    await (await this.#stream).write(encoder.encode(text));
  }

  /** What has come, once it holds `until` or has ended. */
  async output(until: string | undefined): Promise<string> {
    for (;;) {
      const found = until !== undefined && this.#text.includes(until);
      if (found || this.#ended) return this.#text;
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  async close(): Promise<void> {
    await (await this.#stream).close();
    await this.#listener?.close();
  }
}

const clients = new Map<string, TtrpcClient>();
const pipes = new Map<string, TaskPipe>();
const topics: string[] = [];

function pipe(name: string): TaskPipe {
  const found = pipes.get(name);
  if (found !== undefined) return found;
  throw new ShimError("NotFound", `No pipe "${name}" is served`);
}

async function clientOf(address: string): Promise<TtrpcClient> {
  const known = clients.get(address);
  if (known !== undefined) return known;
  const client = new TtrpcClient(await dialPipe(io, address, dialOptions));
  clients.set(address, client);
  client.closed.then(() => clients.delete(address));
  return client;
}

/** Bytes travel as `{"base64": …}`. */
function revive(_key: string, value: unknown): unknown {
  const isBytes = typeof value === "object" && value !== null &&
    "base64" in value && typeof value.base64 === "string";
  return isBytes ? Uint8Array.fromBase64(value.base64 as string) : value;
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return { base64: value.toBase64() };
  return value;
}

const commands: {
  readonly [K in CommandName]: (command: Command<K>) => Promise<unknown>;
} = {
  start: async ({ args, bundle, env }) => {
    const flags = ["--no-prompt", "--cached-only", "--no-lock", "--no-check"];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", ...flags, "-A", shimMain, ...args],
      cwd: bundle,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  },
  // Wine cannot list pipes, so that the endpoint is told.
  lcow: async ({ address, args, input }) => {
    const [reader, writer] = memoryPair();
    writer.write(encoder.encode(input)).then(() => writer.closeWrite())
      .catch(() => {}); // the command may not read it
    const texts = { stdout: "", stderr: "" };
    const decoder = new TextDecoder();
    const writeTo = (name: keyof typeof texts) => (bytes: Uint8Array) => {
      texts[name] += decoder.decode(bytes);
      return Promise.resolve();
    };
    const output = { print: writeTo("stdout"), complain: writeTo("stderr") };
    const platform = {
      ...windowsPlatform(parts),
      endpoints: () => Promise.resolve([address]),
    };
    const context: LcowContext = {
      ...output,
      platform,
      compute: () => Promise.reject(new Error("nobody needs it")),
      input: {
        read: (buffer) => reader.read(buffer),
        isTerminal: () => false,
        setRaw: () => {},
      },
      clock: systemClock,
      timeouts: parts.timeouts,
    };
    const { signal } = new AbortController();
    const code = await lcow(
      args,
      () => Promise.resolve(context),
      output,
      signal,
    );
    await reader.close();
    return { code, ...texts };
  },
  call: async ({ address, method, request }) => {
    const client = await clientOf(address);
    return await client.call(TaskV2, method, request);
  },
  closed: async ({ address }) => {
    await clients.get(address)?.closed;
  },
  serve: ({ pipe: name }) => {
    pipes.set(name, TaskPipe.serve(name));
    return Promise.resolve();
  },
  dial: ({ pipe: name }) => {
    pipes.set(name, TaskPipe.dial(name));
    return Promise.resolve();
  },
  input: async ({ pipe: name, text }) => await pipe(name).write(text),
  output: async ({ pipe: name, until }) => await pipe(name).output(until),
  close: async ({ pipe: name }) => {
    await pipe(name).close();
    pipes.delete(name);
  },
  events: ({ pipe: name }) => {
    const server = new TtrpcServer({ log: silentLogger, clock: systemClock });
    server.register(Events, {
      Forward: (request) => {
        topics.push(request.envelope?.topic ?? "");
        return Promise.resolve({});
      },
    });
    void server.serve(PipeListener.open(io, name));
    return Promise.resolve();
  },
  topics: () => Promise.resolve(topics),
};

async function run(line: string): Promise<void> {
  const { call, ...command } = JSON.parse(line, revive);
  const name: CommandName = command.do;
  let answer: unknown;
  try {
    answer = { call, value: await commands[name](command) ?? null };
  } catch (error) {
    answer = { call, error: messageOf(error), code: classify(error) };
  }
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(answer, plain)}\n`));
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
let rest = "";
for await (const text of lines) {
  const [...complete] = (rest + text).split("\n");
  rest = complete.pop() ?? "";
  for (const line of complete) void run(line);
}
Deno.exit(0);
