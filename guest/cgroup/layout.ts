/**
 * How the control groups of this machine are mounted.
 *
 * @module
 */

/** The mounted hierarchies. */
export interface CgroupLayout {
  /** 2 when `/sys/fs/cgroup` is one unified tree, else 1. */
  readonly version: 1 | 2;
  /** v1: mount point of every controller. Empty when none is mounted. */
  readonly controllers: ReadonlyMap<string, string>;
  /** Mount point of the unified tree, if any. */
  readonly unified?: string;
  /** v1 and v2 controllers at once. */
  readonly hybrid: boolean;
}

/** Where everything is mounted. */
export const cgroupRoot = "/sys/fs/cgroup";

/** Options of a cgroup mount that are no controllers. */
const plainOptions = new Set([
  "rw",
  "ro",
  "xattr",
  "noprefix",
  "clone_children",
  "cpuset_v2_mode",
  "nsdelegate",
  "favordynmods",
]);

/**
 * Reads the layout from `/proc/self/mountinfo`. A mount that a later one covers
 * does not count.
 *
 * @param mountinfo The text of that file.
 * @param unifiedControllers What `cgroup.controllers` of the unified tree says.
 */
export function parseLayout(
  mountinfo: string,
  unifiedControllers: string,
): CgroupLayout {
  const mounts = new Map<string, { type: string; options: string }>();
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const place = before?.split(" ")[4];
    const [type, , options = ""] = after?.split(" ") ?? [];
    if (place === undefined || type === undefined) continue;
    const below = place === cgroupRoot || place.startsWith(`${cgroupRoot}/`);
    if (!below) continue;
    // A later mount hides what was mounted below its place before.
    for (const hidden of [...mounts.keys()]) {
      if (hidden.startsWith(`${place}/`)) mounts.delete(hidden);
    }
    mounts.set(place, { type, options });
  }
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const [place, { type, options }] of mounts) {
    if (type === "cgroup2") unified = place;
    if (type !== "cgroup") continue;
    for (const option of options.split(",")) {
      if (plainOptions.has(option) || option.includes("=")) continue;
      controllers.set(option, place);
    }
  }
  const version = unified === cgroupRoot ? 2 : 1;
  const hybrid = controllers.size > 0 && unifiedControllers.trim() !== "";
  const layout = { version, controllers, hybrid } as const;
  return unified === undefined ? layout : { ...layout, unified };
}

/** The layout of this machine. */
export async function readLayout(): Promise<CgroupLayout> {
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
  const { unified } = parseLayout(mountinfo, "");
  if (unified === undefined) return parseLayout(mountinfo, "");
  const controllers = await Deno.readTextFile(`${unified}/cgroup.controllers`);
  return parseLayout(mountinfo, controllers);
}
