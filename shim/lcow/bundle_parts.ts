/**
 * The parts of a support bundle: each is read within a bound, and one that cannot
 * be had is a reason in the manifest.
 *
 * @module
 */

import { deadline } from "../../base/clock.ts";
import { messageOf, ShimError } from "../../base/errors.ts";
import { parseJson } from "../../base/json.ts";
import { scrubbedJson, scrubbedText } from "../../base/log.ts";
import { readText } from "../../base/read_file.ts";
import { formatFindings } from "../doctor.ts";
import { parseLine } from "../log/line.ts";
import { logFileName } from "../log/names.ts";
import { versionText } from "../version.ts";
import type { Subject, SubjectLog } from "./bundle_subject.ts";
import { metricsTextOf } from "./metrics.ts";
import type { ShimReport } from "./report.ts";
import { stacksOf, stacksText } from "./stacks.ts";
import type { LcowContext } from "./word.ts";

/** A part that may be had. */
export interface Part {
  /** Its name in the bundle. */
  readonly name: string;
  /** Where it comes from; absent when its name says so. */
  readonly source?: string;
  /** Reads it, scrubbed. */
  readonly read: (signal: AbortSignal) => Promise<string>;
}

/** A part that was had. */
export interface Collected {
  /** Its name in the bundle. */
  readonly name: string;
  /** Where it comes from. */
  readonly source?: string;
  /** What is in it. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A part that was not had. */
export interface Missing {
  /** Its name in the bundle. */
  readonly name: string;
  /** Where it would have come from. */
  readonly source?: string;
  /** Why it is not there. */
  readonly why: string;
}

function gone(): ShimError {
  return new ShimError("Unavailable", "Its shim is gone");
}

/** A line of a log, scrubbed again: the shim may have been told not to. */
function scrubbedLine(text: string): string {
  return JSON.stringify(
    JSON.parse(scrubbedJson(JSON.parse(parseLine(text).text))),
  );
}

async function logText(
  { folder, log }: SubjectLog,
  at: number,
): Promise<string> {
  const text = await readText(`${folder}/${logFileName(log, at)}`);
  return text.split("\n").filter((line) => line !== "")
    .map((line) => `${scrubbedLine(line)}\n`).join("");
}

function logParts(log: Subject["log"]): Part[] {
  if (typeof log === "string") {
    const why = new ShimError("NotFound", log);
    return [{ name: "log/", read: () => Promise.reject(why) }];
  }
  return log.log.generations.map((at) => ({
    name: `log/${at}.jsonl`,
    source: `${log.folder}/${logFileName(log.log, at)}`,
    read: () => logText(log, at),
  }));
}

/** Files of a bundle of containerd; those that are not there are not missed. */
const bundleFiles = ["config.json", "vm.json", "panic.log"] as const;

/** Text of one of them without secrets; JSON is laid out. */
async function bundleText(path: string): Promise<string> {
  const text = await readText(path);
  return path.endsWith(".json")
    ? scrubbedJson(parseJson(text, path))
    : scrubbedText(text);
}

async function bundleParts(bundle: string, index: number): Promise<Part[]> {
  const folder = `bundles/${index + 1}`;
  const present: string[] = [];
  try {
    for await (const { name } of Deno.readDir(bundle)) present.push(name);
  } catch (error) {
    const read = (): Promise<string> => Promise.reject(error);
    return [{ name: `${folder}/`, source: bundle, read }];
  }
  return bundleFiles.filter((file) => present.includes(file)).map((file) => ({
    name: `${folder}/${file}`,
    source: `${bundle}/${file}`,
    read: () => bundleText(`${bundle}/${file}`),
  }));
}

/** All parts about a subject, in the order of the manifest. */
export async function partsOf(
  { shim, log, bundles }: Subject,
  context: LcowContext,
): Promise<Part[]> {
  const ofShim = (name: string, read: Part["read"]): Part => ({
    name,
    read: (signal) =>
      shim === undefined ? Promise.reject(gone()) : read(signal),
  });
  const ofServing = (
    name: string,
    read: (shim: ShimReport, signal: AbortSignal) => Promise<string>,
  ): Part =>
    ofShim(name, async (signal) => {
      if (shim?.state === "serving") {
        return scrubbedText(await read(shim, signal));
      }
      throw new ShimError("Unavailable", shim?.problem ?? "It does not answer");
    });
  const inBundles = await Promise.all(bundles.map(bundleParts));
  return [
    { name: "version.txt", read: () => Promise.resolve(versionText()) },
    {
      name: "doctor.txt",
      read: async () => {
        const findings = await Array.fromAsync(context.platform.diagnose());
        return formatFindings(findings).text;
      },
    },
    ofShim("shim.json", () => Promise.resolve(scrubbedJson(shim))),
    ofServing(
      "stacks.txt",
      async (shim, signal) => stacksText(await stacksOf(shim, context, signal)),
    ),
    ofServing(
      "metrics.txt",
      (shim, signal) => metricsTextOf(shim, context, signal),
    ),
    ...logParts(log),
    ...inBundles.flat(),
  ];
}

/** Reads a part within its bound. Rejects only when the signal aborts. */
export async function collect(
  { name, source, read }: Part,
  { clock, timeouts }: Pick<LcowContext, "clock" | "timeouts">,
  signal: AbortSignal,
): Promise<Collected | Missing> {
  const about = { name, ...(source === undefined ? {} : { source }) };
  try {
    const text = await deadline(
      clock,
      timeouts.bundlePart,
      `Part ${name} of the bundle`,
      read,
      signal,
    );
    return { ...about, content: new TextEncoder().encode(text) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...about, why: messageOf(error) };
  }
}
