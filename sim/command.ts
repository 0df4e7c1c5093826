/**
 * Tools of the machine that the simulated host runs: `losetup`, `mknod`.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";

/** Where tools of the administrator are, which a service's PATH may lack. */
const systemPath =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** PATH of the simulated host and its guests: the own one, then the system's. */
export function toolPath(): string {
  const own = Deno.env.get("PATH");
  return own ? `${own}:${systemPath}` : systemPath;
}

/**
 * Runs a tool to its end.
 *
 * @returns Its standard output, trimmed.
 * @throws {ShimError} NotFound when the tool is missing, Internal with what it
 * printed when it fails.
 */
export async function runTool(
  tool: string,
  args: readonly string[],
): Promise<string> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(tool, {
      args: [...args],
      env: { PATH: toolPath(), LC_ALL: "C" },
      stdin: "null",
    }).output();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ShimError(
      "NotFound",
      `Cannot run "${tool}": it is not installed`,
      { cause },
    );
  }
  const decoder = new TextDecoder();
  if (!output.success) {
    throw new ShimError(
      "Internal",
      `${tool} ${args.join(" ")} failed: ${
        decoder.decode(output.stderr).trim()
      }`,
    );
  }
  return decoder.decode(output.stdout).trim();
}
