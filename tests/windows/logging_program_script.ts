/**
 * Runs under Wine: starts logging programs and prints what it saw as one line of
 * JSON.
 *
 * Usage: `logging_program_script.ts URL URL_OF_FAILING URL_OF_CRASHING URL_OF_SILENT`
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { windowsParts, windowsPlatform } from "../../ffi/windows/platform.ts";
import type { LoggingProgram } from "../../hcs/stdio.ts";

const [url = "", failing = "", crashing = "", silent = ""] = Deno.args;
const parts = windowsParts();
const platform = windowsPlatform(parts);
const web = { namespace: "k8s.io", containerId: "web", execId: "" };
const never = new AbortController().signal;

async function close({ stdout, stderr }: LoggingProgram): Promise<void> {
  await Promise.all([stdout.close(), stderr.close()]);
}

/** What `ready` answers, and how the program ends. */
async function refusal(
  url: string,
  signal: AbortSignal,
): Promise<readonly [string, number]> {
  const program = await platform.startLogger(url, web);
  const said = await program.ready(signal).then(() => "ready", messageOf);
  program.kill();
  await close(program);
  return [said, await program.exited];
}

const program = await platform.startLogger(url, web);
await program.ready(never);
const chunk = new TextEncoder().encode("0123456789abcdef".repeat(4096));
for (let times = 0; times < 16; times++) await program.stdout.write(chunk);
await program.stderr.write(new TextEncoder().encode("error\n"));
await close(program);
const code = await program.exited;
const late = await program.stdout.write(chunk).then(() => "taken", messageOf);
const failed = [await refusal(failing, never), await refusal(crashing, never)];
const stop = new AbortController();
setTimeout(() => stop.abort(new Error("enough")), 500);
const [stopped, killed] = await refusal(silent, stop.signal);
const missing = await platform.startLogger("binary:///C:/none.exe", web)
  .then(() => "started", messageOf);
console.log(JSON.stringify({
  code,
  late,
  failed,
  stopped,
  wasKilled: killed !== 0,
  missing,
  pending: parts.io.port.pending,
}));
Deno.exit(0);
