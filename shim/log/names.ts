/**
 * Names of the log files: one log per sandbox in one folder, in generations of
 * limited size that are counted up. The highest is being written.
 *
 * @module
 */

/** Whose log it is. */
export interface LogName {
  /** containerd's namespace. */
  readonly namespace: string;
  /** Id of the sandbox or of the standalone container. */
  readonly id: string;
}

/** A log that a folder holds. */
export interface StoredLog extends LogName {
  /** Its generations, from the oldest. */
  readonly generations: readonly number[];
}

const encoder = new TextEncoder();

/**
 * Capitals are not among them: Windows does not tell them from small letters.
 * With `lcow+` in front no name is one of a device, such as `con`.
 */
const plain = /^[a-z0-9_.-]$/;

const form = /^lcow\+([^+]+)\+([^+]+)\.(\d{1,15})\.jsonl$/;

/** A text as part of a file name, on every file system: others stay others. */
export function fileNamePart(text: string): string {
  return Array.from(encoder.encode(text), (byte) => {
    const char = String.fromCharCode(byte);
    return plain.test(char) ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/**
 * The name of one generation of a log. Every namespace and id that may be part
 * of a command line has one of its own, on every file system.
 *
 * @example
 * ```ts
 * import { logFileName } from "./names.ts";
 * const name = logFileName({ namespace: "k8s.io", id: "Pod:1" }, 3);
 * console.assert(name === "lcow+k8s.io+%50od%3a1.3.jsonl");
 * ```
 */
export function logFileName(
  { namespace, id }: LogName,
  generation: number,
): string {
  return `lcow+${fileNamePart(namespace)}+${
    fileNamePart(id)
  }.${generation}.jsonl`;
}

/** What a file name of {@linkcode logFileName} says; undefined for others. */
export function parseLogFileName(
  name: string,
): (LogName & { readonly generation: number }) | undefined {
  const [, namespace, id, generation] = form.exec(name) ?? [];
  if (namespace === undefined || id === undefined) return undefined;
  try {
    const parsed = {
      namespace: decodeURIComponent(namespace),
      id: decodeURIComponent(id),
      generation: Number(generation),
    };
    return logFileName(parsed, parsed.generation) === name ? parsed : undefined;
  } catch {
    return undefined; // No UTF-8 behind the percent signs: not ours.
  }
}

/** All logs of a folder. @throws What the system says about the folder. */
export async function storedLogs(folder: string): Promise<StoredLog[]> {
  const logs = new Map<string, LogName & { generations: number[] }>();
  for await (const entry of Deno.readDir(folder)) {
    const parsed = parseLogFileName(entry.name);
    if (parsed === undefined || !entry.isFile) continue;
    const { generation, ...name } = parsed;
    const key = logFileName(name, 0);
    const log = logs.get(key) ?? { ...name, generations: [] };
    log.generations.push(generation);
    logs.set(key, log);
  }
  for (const { generations } of logs.values()) {
    generations.sort((a, b) => a - b);
  }
  return [...logs.values()];
}

/** The generations of one log that the folder holds, from the oldest. */
export async function generationsOf(
  folder: string,
  { namespace, id }: LogName,
): Promise<readonly number[]> {
  const log = (await storedLogs(folder)).find((stored) =>
    stored.namespace === namespace && stored.id === id
  );
  return log?.generations ?? [];
}
