/**
 * Output of a task that goes to a program of the host: `binary://` addresses, as
 * containerd's clients give them (`ctr run --log-uri`, `nerdctl --log-driver`).
 *
 * @module
 */

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

function windowsProgram(path: string): string {
  if (remote.test(path)) {
    throw new Error("path is unsafe: it names another machine or a device");
  }
  // The path of a URL begins with a slash; so does that of a drive.
  return joinWindowsPath(path.replace(/^[\\/]+/, "\\"))
    .replace(/^\\(?=[A-Za-z]:\\)/, "");
}
