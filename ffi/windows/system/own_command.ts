/**
 * How this program is started anew.
 *
 * @module
 */

/** Flags under which Deno prints nothing of its own and fetches nothing. */
const quietFlags = [
  "-q",
  "--no-prompt",
  "--cached-only",
  "--no-lock",
  "--no-check",
];

/** What Deno tells of the program. */
export interface OwnProgram {
  /** Path of the executable. */
  readonly executable: string;
  /** True for an executable that `deno compile` made. */
  readonly standalone: boolean;
  /** URL of the first module. */
  readonly mainModule: string;
}

/** This process' program. */
export function ownProgram(): OwnProgram {
  return {
    executable: Deno.execPath(),
    standalone: Deno.build.standalone,
    mainModule: Deno.mainModule,
  };
}

/** The command that runs the program with other arguments. */
export function ownCommand(
  { executable, standalone, mainModule }: OwnProgram,
  args: readonly string[],
): [string, ...string[]] {
  if (standalone) return [executable, ...args];
  return [executable, "run", ...quietFlags, "-A", mainModule, ...args];
}
