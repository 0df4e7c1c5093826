/**
 * Command lines of the shim's program in recorded traces: what each answered, or
 * with what it failed. Which stream an error goes to, and which exit code but 0 it
 * has, is free.
 *
 * @module
 */

import { FakeClock } from "../../base/clock.ts";
import { ShimError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { requirePipeName } from "../../ffi/windows/io/pipe.ts";
import { endpointPipe } from "../../ffi/windows/platform.ts";
import { type Arguments, parseArguments } from "../../shim/args.ts";
import { parseBootstrap } from "../../shim/bootstrap.ts";
import { deleteTask } from "../../shim/delete.ts";
import { FakePlatform } from "../../shim/fake_platform.ts";
import { runtimeInfo } from "../../shim/info.ts";
import { start } from "../../shim/start.ts";
import { versionText } from "../../shim/version.ts";
import { RuntimeInfo } from "../../ttrpc/api/runtime_info.gen.ts";
import { DeleteResponse } from "../../ttrpc/api/task.gen.ts";
import { errorOf } from "./errors.ts";
import { listOf, objectOf, objectsOf, textOf } from "./json.ts";
import { recordedMessage } from "./trace_messages.ts";

/** The containerd that the recorder's client stands for. */
const containerdMajor = 2;

/** A command of a trace and its result. */
interface Command {
  readonly args: readonly string[];
  readonly result: JsonObject;
}

/** The commands of a trace with their results, in their order. */
function commandsOf(trace: JsonObject): Command[] {
  const events = objectsOf(trace.events).filter(({ log }) => log === "binary");
  const calls = events.filter(({ kind }) => kind === "exec");
  const results = events.filter(({ kind }) => kind === "exec-result");
  return calls.map(({ args }, index) => ({
    args: listOf(args).map(textOf),
    result: results[index] ?? {},
  }));
}

/** True for a trace with command lines. */
export function hasCommands(trace: JsonObject): boolean {
  return commandsOf(trace).length > 0;
}

/** The name of a program, as `-v` begins. */
function programOf(text: string): string {
  return text.split("\n")[0]!.replace(/\.exe:$|:$/, "");
}

/** What the peer said when it failed, without its name and without its usage. */
function failureOf({ stdout, stderr }: JsonObject): string {
  const [line] = (textOf(stderr) || textOf(stdout)).split("\n");
  return line!.replace(/^containerd-shim-lcow-v2: /, "");
}

/** What the peer's answer means. */
function recordedAnswer({ stdout, decoded }: JsonObject): JsonObject {
  if (decoded !== undefined) return { name: objectOf(decoded).name! };
  const text = textOf(stdout);
  return text.startsWith("{")
    ? objectOf(JSON.parse(text) as Json)
    : { name: programOf(text) };
}

/** The recorded results, laid out as ours are. */
export function recordedCommands(trace: JsonObject): JsonObject {
  const commands = commandsOf(trace).map(({ args, result }) => ({
    args: [...args],
    ...(Number(result.exitCode ?? 0) === 0
      ? { answer: recordedAnswer(result) }
      : { error: failureOf(result) }),
  }));
  return { commands };
}

/** A platform with the endpoints of Windows. */
class WindowsPlatform extends FakePlatform {
  override endpoint(namespace: string, key: string): Promise<string> {
    return Promise.resolve(endpointPipe(namespace, key));
  }
}

async function started(args: Arguments, bundle: string): Promise<JsonObject> {
  const platform = new WindowsPlatform();
  const bytes = await start(args, {
    platform,
    bundle,
    readInput: () => Promise.resolve(new Uint8Array()),
    env: (name) => name === "MAX_SHIM_VERSION" ? "4" : undefined,
    containerdMajor: () => Promise.resolve(containerdMajor),
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
  });
  const answer = JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
  const [served] = platform.children.map(({ started: [args] }) =>
    parseArguments(args).socket
  );
  if (served !== answer.address) {
    throw new ShimError("Internal", `"${served}" is served instead`);
  }
  return answer;
}

async function deleted(args: Arguments, bundle: string): Promise<JsonObject> {
  const warnings: string[] = [];
  const bytes = await deleteTask({ ...args, bundle }, {
    platform: new WindowsPlatform(),
    compute: () =>
      Promise.resolve({
        open: (id) =>
          Promise.reject(new ShimError("NotFound", `no system "${id}"`)),
        enumerate: () => Promise.resolve([]),
      }),
    warn: (line) => void warnings.push(line),
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
  });
  const response = recordedMessage(DeleteResponse.decode(bytes));
  return {
    ...objectOf(response),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

/** What `serve` looks at before and right after it listens. */
function served(args: Arguments, input: Uint8Array): JsonObject {
  requirePipeName(args.socket);
  parseBootstrap(input, args);
  return { serves: args.socket };
}

async function answerOf(
  args: Arguments,
  bundle: string,
  input: Uint8Array,
): Promise<JsonObject> {
  switch (args.mode) {
    case "version":
      return { name: programOf(versionText()) };
    case "info": {
      const info = RuntimeInfo.decode(await runtimeInfo(input));
      return { name: info.name };
    }
    case "start":
      return await started(args, bundle);
    case "delete":
      return await deleted(args, bundle);
    case "serve":
      return served(args, input);
    default:
      throw new ShimError("NotImplemented", `nobody plays "${args.mode}"`);
  }
}

/**
 * The standard input of a command, which is not recorded: the answer tells when it
 * held no message.
 */
function inputOf({ stdout, stderr }: JsonObject): Uint8Array {
  const isNoMessage = /invalid wire-format data/
    .test(`${textOf(stdout)}${textOf(stderr)}`);
  return isNoMessage ? new Uint8Array([0xff]) : new Uint8Array();
}

async function play({ args, result }: Command): Promise<JsonObject> {
  const bundle = await Deno.makeTempDir();
  try {
    const parsed = parseArguments(args);
    return { answer: await answerOf(parsed, bundle, inputOf(result)) };
  } catch (error) {
    return { error: errorOf(error) };
  } finally {
    await Deno.remove(bundle, { recursive: true });
  }
}

/** Runs the command lines of a trace, each in an empty bundle of its own. */
export async function runCommands(trace: JsonObject): Promise<JsonObject> {
  const commands: JsonObject[] = [];
  for (const command of commandsOf(trace)) {
    commands.push({ args: [...command.args], ...await play(command) });
  }
  return { commands };
}

/** Applies a rule to the commands of an output; undefined where it says nothing. */
export function onCommands(
  rule: (command: JsonObject) => JsonObject | undefined,
): ({ output }: { output: JsonObject }) => JsonObject | undefined {
  return ({ output }) => {
    const commands = objectsOf(output.commands);
    const changed = commands.map(rule);
    if (changed.every((command) => command === undefined)) return undefined;
    return {
      ...output,
      commands: commands.map((command, index) => changed[index] ?? command),
    };
  };
}
