/**
 * `-v`: which program this is, for people.
 *
 * @module
 */

import manifest from "../deno.json" with { type: "json" };
import { shimName } from "./args.ts";

/** Version of this program. */
export const shimVersion: string = manifest.version;

/** What `-v` prints. */
export function versionText(): string {
  return `${shimName}:\n  Version: ${shimVersion}\n  Deno version: ${Deno.version.deno}\n\n`;
}
