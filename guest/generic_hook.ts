/**
 * A hook of containers that runs any program with what the runtime tells about
 * the container: `generichook PROGRAM ARGS…` (`spec/guest-runtime.md` 7.5).
 *
 * `{{id}}`, `{{pid}}` and `{{annotation "key"}}` in the arguments and in the
 * environment stand for members of the state that the runtime writes to stdin.
 *
 * @module
 */

import { messageOf, ShimError } from "../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../base/json.ts";

/** Names the file that the program logs to; it is shown when the program fails. */
const debugFileVariable = "GENERIC_HOOK_LOG_DEBUG_FILE";

/** Bytes of one piece of the log that is shown. */
const pieceSize = 8000;

/** What a template may say. */
const templateForm =
  /^\s*(?:(?<member>id|pid)|annotation\s+"(?<annotation>[^"]*)")\s*$/;

/**
 * Puts members of the state into a text.
 *
 * @param text May hold templates.
 * @param state The state of a container (`oci-runtime-spec`, state.md).
 * @throws {ShimError} InvalidArgument for any other template, and for what the
 * state does not have.
 */
export function expandTemplates(text: string, state: JsonObject): string {
  return text.replaceAll(/\{\{(.*?)\}\}/g, (whole, template: string) => {
    const { member, annotation } = templateForm.exec(template)?.groups ?? {};
    const { annotations } = state;
    const value = member !== undefined
      ? state[member]
      : annotation !== undefined && isJsonObject(annotations)
      ? annotations[annotation]
      : undefined;
    if (typeof value === "string" || typeof value === "number") {
      return `${value}`;
    }
    throw new ShimError(
      "InvalidArgument",
      `Cannot expand "${whole}": the state of the container has no such value`,
    );
  });
}

/** How a hook is run. */
export interface HookOptions {
  /** Program and arguments. */
  readonly args: readonly string[];
  /** Environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Text of the state. */
  readonly state: string;
  /** Takes what is told about a failure. */
  readonly tell: (text: string) => void;
}

/**
 * Runs the program to its end.
 *
 * @throws {ShimError} InvalidArgument for a state or a template that is none,
 * Internal when the program fails; its log has been told then.
 */
export async function runHook(options: HookOptions): Promise<void> {
  const state = parseJson(options.state);
  if (!isJsonObject(state)) {
    throw new ShimError("InvalidArgument", "The state is no JSON object");
  }
  const expand = (text: string): string => expandTemplates(text, state);
  const [program, ...args] = options.args.map(expand);
  if (program === undefined) {
    throw new ShimError("InvalidArgument", "generichook: no program is named");
  }
  const env = Object.fromEntries(
    Object.entries(options.env).map(([name, text]) => [name, expand(text)]),
  );
  const { code } = await new Deno.Command(program, {
    args,
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (code === 0) return;
  await tellLog(env[debugFileVariable], options.tell);
  throw new ShimError("Internal", `${program} ended with code ${code}`);
}

async function tellLog(
  path: string | undefined,
  tell: (text: string) => void,
): Promise<void> {
  if (path === undefined) return;
  try {
    const bytes = await Deno.readFile(path);
    for (let at = 0; at < bytes.length; at += pieceSize) {
      tell(new TextDecoder().decode(bytes.subarray(at, at + pieceSize)));
    }
  } catch (error) {
    tell(`Cannot read "${path}": ${messageOf(error)}`);
  }
}

if (import.meta.main) {
  try {
    await runHook({
      args: Deno.args,
      env: Deno.env.toObject(),
      state: await new Response(Deno.stdin.readable).text(),
      tell: (text) => console.error(text),
    });
  } catch (error) {
    console.error(messageOf(error));
    Deno.exit(1);
  }
}
