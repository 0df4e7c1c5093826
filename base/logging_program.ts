/**
 * Output of a task that goes to a program of the host: `binary://` addresses, as
 * containerd's clients give them (`ctr run --log-uri`, `nerdctl --log-driver`).
 *
 * @module
 */

import type { Duplex } from "./duplex.ts";
import { messageOf, ShimError } from "./errors.ts";
import { joinWindowsPath } from "./windows_path.ts";

const scheme = /^binary:/i;

/** Authority and path, without query and fragment; a drive may stand as the authority. */
const hierarchy = /^(?:\/\/(?![A-Za-z]:)([^/\\?#]*)|\/\/)?([^?#]*)/;

/** A server and a share, or a name of the device space. */
const remote = /^[\\/]{2}[^\\/]+[\\/]+[^\\/]/;

/** What is run. */
export interface LoggingCommand {
  /** The program; no search path is looked at. */
  readonly path: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/** True when a stream's address names a program that takes logs. */
export function namesLoggingProgram(url: string): boolean {
  return scheme.test(url);
}

/**
 * The command that an address names: its path is the program, each parameter of
 * its query gives the key, then the first value unless it is empty, in the
 * order in which the keys come.
 *
 * @param url What containerd gave for the output.
 * @param os The operating system of the host: `windows` or another.
 * @throws {ShimError} InvalidArgument when there is no path, or one that leads to
 * another machine.
 *
 * @example A program with two arguments
 * ```ts
 * import { loggingCommand } from "./logging_program.ts";
 * const { path, args } = loggingCommand("binary:///C:/log.exe?--to=web", "windows");
 * console.assert(path === "C:\\log.exe" && args.join(" ") === "--to web");
 * ```
 */
export function loggingCommand(url: string, os: string): LoggingCommand {
  const rest = url.replace(scheme, "").replace(/#.*$/s, "");
  const [, host = "", path = ""] = hierarchy.exec(rest) ?? [];
  const refusal = (why: string, cause?: unknown): ShimError =>
    new ShimError(
      "InvalidArgument",
      `Cannot start logging program "${url}": ${why}`,
      { cause },
    );
  const rooted = os === "windows" ? /^([\\/]|[A-Za-z]:)/ : /^\//;
  if (!rooted.test(path)) throw refusal("no logging driver path provided");
  if (host !== "") throw refusal("path is unsafe: it names another machine");
  const query = new URLSearchParams(rest.slice(rest.indexOf("?") + 1));
  const args = new Map<string, string>();
  if (rest.includes("?")) {
    for (const [key, value] of query) {
      if (!args.has(key)) args.set(key, value);
    }
  }
  try {
    const decoded = decodeURIComponent(path);
    return {
      path: os === "windows" ? windowsProgram(decoded) : decoded,
      args: [...args].flat().filter((text) => text !== ""),
    };
  } catch (error) {
    throw refusal(messageOf(error), error);
  }
}

/** A program that was started, and what it says that it is ready with. */
export interface StartingProgram {
  /** Its path. */
  readonly path: string;
  /** Gives a byte, or ends, when it is ready. */
  readonly wait: Pick<Duplex, "read" | "close">;
  /** Its exit code. Never rejects. */
  readonly exited: Promise<number>;
  /** True once it has begun to end, which closes `wait`, too. */
  isEnding(): boolean | Promise<boolean>;
}

/**
 * Waits until a program says that it is ready, and closes `wait`.
 *
 * @throws {ShimError} Unavailable when it ends before; the signal's reason.
 */
export async function readiness(
  { path, wait, exited, isEnding }: StartingProgram,
  signal: AbortSignal,
): Promise<void> {
  const stop = (): void => void wait.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    if (await wait.read(new Uint8Array(1)) !== null) return;
    signal.throwIfAborted();
    if (!await isEnding()) return;
  } finally {
    signal.removeEventListener("abort", stop);
    await wait.close();
  }
  throw new ShimError(
    "Unavailable",
    `Logging program "${path}" ended with code ${await exited} before it was ready`,
  );
}

function windowsProgram(path: string): string {
  if (remote.test(path)) {
    throw new Error("path is unsafe: it names another machine or a device");
  }
  // The path of a URL begins with a slash; so does that of a drive.
  return joinWindowsPath(path.replace(/^[\\/]+/, "\\"))
    .replace(/^\\(?=[A-Za-z]:\\)/, "");
}
