/**
 * The words behind `--` on the kernel command line, which the kernel hands to
 * init (`spec/guest-runtime.md` 17.1).
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";

/** What init is told to do. */
export interface InitArguments {
  /** Port of the host that gives entropy (`-e`). */
  readonly entropyPort?: number;
  /** A shell that the machine lives as long as, instead of the program (`-d`). */
  readonly shell?: string;
  /** `/etc` and `/var` are on a read-only disk and must be writable (`-w`). */
  readonly overlays: boolean;
  /** The program and its arguments. */
  readonly program: readonly string[];
}

/** What runs when the command line names no program. */
const standalone: InitArguments = {
  shell: "/bin/sh",
  overlays: false,
  program: ["/bin/gcs", "-loglevel", "debug", "-logfile=/run/gcs/gcs.log"],
};

/**
 * With a serial console the host writes `sh -c"…"`, and the kernel takes quotes
 * away only around a whole word: shells know `-c` and its text as two words.
 */
function shellWords(word: string): readonly string[] {
  const [, text] = word.match(/^-c"(.*)"$/s) ?? [];
  return text === undefined ? [word] : ["-c", text];
}

/**
 * Reads a port of the host.
 *
 * @throws {ShimError} InvalidArgument naming the option.
 */
export function portOf(option: string, text: string | undefined): number {
  if (text !== undefined && /^\d+$/.test(text) && Number(text) < 2 ** 32) {
    return Number(text);
  }
  throw new ShimError(
    "InvalidArgument",
    `Option ${option} needs a port, not "${text ?? ""}"`,
  );
}

/**
 * Reads init's arguments: options up to the first other word.
 *
 * @throws {ShimError} InvalidArgument naming the option.
 */
export function parseInitArguments(args: readonly string[]): InitArguments {
  if (args.length === 0) return standalone;
  let at = 0;
  let entropyPort: number | undefined;
  let shell: string | undefined;
  let overlays = false;
  for (; args[at]?.startsWith("-"); at++) {
    const option = args[at]!;
    if (option === "-w") overlays = true;
    else if (option === "-e") entropyPort = portOf("-e", args[++at]);
    else if (option === "-d" && args[at + 1] !== undefined) shell = args[++at];
    else {
      throw new ShimError("InvalidArgument", `init has no option "${option}"`);
    }
  }
  const program = args.slice(at).flatMap(shellWords);
  return {
    ...(entropyPort !== undefined && { entropyPort }),
    ...(shell !== undefined && { shell }),
    overlays,
    program: program.length > 0 ? program : standalone.program,
  };
}
