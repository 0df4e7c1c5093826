/**
 * Whether a virtual machine finds its kernel and its root file system.
 *
 * @module
 */

import type { Verdict } from "../../../hcs/checks.ts";
import type { HostFiles } from "../../../hcs/ports.ts";

/** Names of each file, the preferred one first. */
const wanted: readonly (readonly [what: string, names: readonly string[]])[] = [
  ["kernel", ["vmlinux", "kernel"]],
  ["root file system", ["rootfs.vhd", "initrd.img"]],
];

/**
 * Looks into the boot directory.
 *
 * @param files The files of the host.
 * @param named The directory that the runtime's options name, if any.
 * @throws {ShimError} NotFound when there is no such directory.
 */
export async function judgeBootFiles(
  files: Pick<HostFiles, "defaultBootDirectory" | "bootFiles">,
  named?: string,
): Promise<Verdict> {
  const directory = named ?? await files.defaultBootDirectory();
  const there = await files.bootFiles(directory);
  const present: string[] = [];
  const missing: string[] = [];
  for (const [what, names] of wanted) {
    const name = names.find((name) => there.has(name));
    if (name !== undefined) present.push(name);
    else missing.push(`no ${what} (${names.join(" or ")})`);
  }
  return missing.length === 0
    ? { found: `${present.join(" and ")} in "${directory}"` }
    : { state: "gap", found: `${missing.join(", ")} in "${directory}"` };
}
