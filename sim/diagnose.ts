/**
 * What `doctor` looks at on Linux: what simulated virtual machines need of the
 * computer. It leaves nothing behind.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { runChecks, type Verdict } from "../hcs/checks.ts";
import type { Finding } from "../hcs/ports.ts";
import { toolPath } from "./command.ts";
import { ControlGroup } from "./control_group.ts";
import { probeCgroups } from "./hierarchies.ts";
import { stateFolders } from "./state.ts";

/** OCI runtimes that the guest agent runs containers with, the preferred one first. */
const runtimes = ["crun", "runc"];

/** True for a regular file or a link to one. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    // It is not there, or may not be looked at: it cannot be run either.
    return false;
  }
}

function user(): Verdict {
  const id = Deno.uid();
  return { state: id === 0 ? "ok" : "gap", found: `user id ${id}` };
}

/**
 * Looks for an OCI runtime.
 *
 * @param path Folders, as in `PATH`.
 */
export async function findRuntime(path: string): Promise<Verdict> {
  for (const name of runtimes) {
    for (const folder of path.split(":")) {
      if (await isFile(`${folder}/${name}`)) {
        return { found: `${folder}/${name}` };
      }
    }
  }
  return { state: "gap", found: `no ${runtimes.join(" or ")} on PATH` };
}

async function controlGroups(): Promise<Verdict> {
  const layout = await probeCgroups();
  const group = new ControlGroup(layout, `doctor-${crypto.randomUUID()}`);
  const found = `version ${layout.version}`;
  if (group.directories.length === 0) {
    return { state: "gap", found: "no hierarchy is mounted" };
  }
  try {
    await group.make();
  } finally {
    await group.remove(systemClock);
  }
  return { found };
}

/** The folder itself, or the one in which it would be made. */
async function existingFolder(path: string): Promise<string> {
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await existingFolder(path.slice(0, path.lastIndexOf("/")) || "/");
  }
  throw new ShimError("FailedPrecondition", `"${path}" is not a directory`);
}

/**
 * Looks whether the state folder can be written to.
 *
 * @param root Value of `LCOW_STATE`.
 * @throws {ShimError} InvalidArgument when it is no path for it; FailedPrecondition
 * when something else stands there.
 */
export async function stateFolder(root: string | undefined): Promise<Verdict> {
  const { root: path } = stateFolders(root);
  const dir = await existingFolder(path);
  await Deno.remove(await Deno.makeTempDir({ dir, prefix: "doctor-" }));
  return { found: path };
}

/**
 * Looks whether this computer can simulate virtual machines.
 *
 * @param root Value of `LCOW_STATE`.
 */
export function diagnose(root: string | undefined): AsyncIterable<Finding> {
  return runChecks([
    {
      name: "user",
      advice:
        "Run as root: simulated machines need namespaces, mounts and control groups",
      look: user,
    },
    {
      name: "OCI runtime",
      advice: "Install crun, or add its folder to PATH",
      look: () => findRuntime(toolPath()),
    },
    {
      name: "control groups",
      advice: "Mount /sys/fs/cgroup so that it can be written to",
      look: controlGroups,
    },
    {
      name: "state folder",
      advice: "Name another folder in LCOW_STATE",
      look: () => stateFolder(root),
    },
  ], { clock: systemClock, limit: defaultTimeouts.doctorCheck });
}
