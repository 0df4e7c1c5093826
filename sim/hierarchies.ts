/**
 * The control group hierarchies of the machine, and which of them a simulated
 * virtual machine sees.
 *
 * @module
 */

/** One mounted hierarchy. */
export interface Hierarchy {
  /** Where the machine has it. */
  readonly mountPoint: string;
  /** File system: version 1 or 2. */
  readonly version: 1 | 2;
  /** Controllers; none for a named hierarchy. */
  readonly controllers: readonly string[];
}

/** What is mounted, and what a guest gets of it. */
export interface CgroupLayout {
  /** Version that the guest sees. */
  readonly version: 1 | 2;
  /** In each of them a machine has a group of its own. */
  readonly hierarchies: readonly Hierarchy[];
}

/** Options of a cgroup mount that are no controllers. */
const otherOptions = /^(rw|ro|noprefix|xattr|clone_children|release_agent=.*)$/;

/** Paths in mountinfo escape white space as octal. */
function unescapePath(text: string): string {
  return text.replaceAll(
    /\\([0-7]{3})/g,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  );
}

/**
 * Reads the mounted hierarchies, each once.
 *
 * @param mountinfo Text of `/proc/self/mountinfo`, proc(5).
 */
export function parseHierarchies(mountinfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.split("\n")) {
    const [mount = "", detail = ""] = line.split(" - ");
    const [type, , options = ""] = detail.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const mountPoint = unescapePath(mount.split(" ")[4] ?? "");
    const names = options.split(",").filter((name) => !otherOptions.test(name));
    const key = type === "cgroup2" ? type : names.join(",");
    if (found.has(key)) continue;
    found.set(key, {
      mountPoint,
      version: type === "cgroup2" ? 2 : 1,
      controllers: type === "cgroup2"
        ? []
        : names.filter((name) => !name.startsWith("name=")),
    });
  }
  return [...found.values()];
}

/**
 * Decides what a guest sees: version 2 when it has the controllers that limits
 * need, else version 1. In a version 1 guest all hierarchies get a group, so
 * that no process of it stands in a group of the machine.
 *
 * @param hierarchies What is mounted.
 * @param unified Text of `cgroup.controllers` of the version 2 hierarchy.
 */
export function chooseLayout(
  hierarchies: readonly Hierarchy[],
  unified: string,
): CgroupLayout {
  const controllers = unified.trim().split(/\s+/).filter((name) => name !== "");
  const second = hierarchies.filter(({ version }) => version === 2)
    .map((hierarchy) => ({ ...hierarchy, controllers }));
  if (controllers.includes("cpu") && controllers.includes("memory")) {
    return { version: 2, hierarchies: second };
  }
  const first = hierarchies.filter(({ version }) => version === 1);
  return { version: 1, hierarchies: [...first, ...second] };
}

/** Looks at the machine. */
export async function probeCgroups(): Promise<CgroupLayout> {
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
  const hierarchies = parseHierarchies(mountinfo);
  const unified = hierarchies.find(({ version }) => version === 2);
  const controllers = unified === undefined
    ? ""
    : await Deno.readTextFile(`${unified.mountPoint}/cgroup.controllers`);
  return chooseLayout(hierarchies, controllers);
}

/**
 * Lets a version 1 guest find controllers that are mounted together under their
 * own names, as every distribution does.
 *
 * @param root The guest's root, seen from outside.
 */
export async function linkJoined(
  root: string,
  { version, hierarchies }: CgroupLayout,
): Promise<void> {
  if (version === 2) return;
  for (const { version, controllers } of hierarchies) {
    if (version === 2 || controllers.length < 2) continue;
    for (const controller of controllers) {
      const link = `${root}/sys/fs/cgroup/${controller}`;
      await Deno.symlink(controllers.join(","), link);
    }
  }
}
