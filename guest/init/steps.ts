/**
 * What init mounts and links, as data (`spec/guest-runtime.md` 17.1).
 *
 * @module
 */

import { isErrno } from "../../ffi/linux/errno.ts";
import { type mount, MountFlag } from "../../ffi/linux/mount.ts";

/** One thing that init does to the file system. */
export type Step =
  | {
    readonly kind: "mount";
    readonly source: string;
    readonly target: string;
    readonly type: string;
    readonly flags: bigint;
    readonly data?: string;
    /** It may have been mounted already. */
    readonly mayBeBusy?: boolean;
  }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const { NoDev, NoExec, NoSuid } = MountFlag;

/** What nearly every mount forbids. */
const restricted = NoDev | NoSuid | NoExec;

/** The file systems of the kernel, and what programs expect in `/dev`. */
export const baseSteps: readonly Step[] = [
  {
    kind: "mount",
    source: "dev",
    target: "/dev",
    type: "devtmpfs",
    flags: NoSuid | NoExec,
    mayBeBusy: true,
  },
  mounted("proc", "/proc", "proc"),
  { kind: "link", path: "/dev/fd", target: "/proc/self/fd" },
  { kind: "link", path: "/dev/stdin", target: "/proc/self/fd/0" },
  { kind: "link", path: "/dev/stdout", target: "/proc/self/fd/1" },
  { kind: "link", path: "/dev/stderr", target: "/proc/self/fd/2" },
  mounted("tmpfs", "/run", "tmpfs", "mode=0755"),
  mounted("tmpfs", "/tmp", "tmpfs"),
  { kind: "folder", path: "/dev/shm" },
  mounted("shm", "/dev/shm", "tmpfs"),
  { kind: "folder", path: "/dev/pts" },
  {
    kind: "mount",
    source: "devpts",
    target: "/dev/pts",
    type: "devpts",
    flags: NoSuid | NoExec,
  },
  mounted("sysfs", "/sys", "sysfs"),
];

function mounted(
  source: string,
  target: string,
  type: string,
  data?: string,
): Step {
  return {
    kind: "mount",
    source,
    target,
    type,
    flags: restricted,
    ...(data !== undefined && { data }),
  };
}

/** Memory in which a read-only root keeps what is written (`-w`). */
const writable = "/run/over";

function overlaySteps(path: string, flags: bigint): readonly Step[] {
  const upper = `${writable}${path}/upper`;
  const work = `${writable}${path}/work`;
  return [
    { kind: "folder", path: `${writable}${path}` },
    { kind: "folder", path: upper },
    { kind: "folder", path: work },
    {
      kind: "mount",
      source: "overlay",
      target: path,
      type: "overlay",
      flags,
      data: `lowerdir=${path},upperdir=${upper},workdir=${work}`,
    },
  ];
}

/** What makes `/etc` and `/var` of a read-only root writable. */
export const writableSteps: readonly Step[] = [
  { kind: "folder", path: writable },
  mounted("tmpfs", writable, "tmpfs", "size=40%,mode=0755"),
  ...overlaySteps("/etc", restricted),
  ...overlaySteps("/var", NoDev | NoSuid),
];

/** Where control groups are. */
export const cgroupRoot = "/sys/fs/cgroup";

/** The unified tree of control groups. */
export const unifiedSteps: readonly Step[] = [
  mounted("cgroup2", cgroupRoot, "cgroup2"),
];

/** One hierarchy per controller. */
export function hierarchySteps(controllers: readonly string[]): Step[] {
  return [
    mounted("cgroup", cgroupRoot, "tmpfs", "mode=0755"),
    ...controllers.flatMap((name): Step[] => [
      { kind: "folder", path: `${cgroupRoot}/${name}` },
      mounted(name, `${cgroupRoot}/${name}`, "cgroup", name),
    ]),
  ];
}

/** What the steps are done with; tests replace it. */
export interface StepPorts {
  /** mount(2). */
  readonly mount: typeof mount;
  /** Makes a folder; one that is there is an AlreadyExists error. */
  readonly makeFolder: (path: string, mode: number) => Promise<void>;
  /** Makes a link; one that is there is an AlreadyExists error. */
  readonly makeLink: (target: string, path: string) => Promise<void>;
}

/** Folders of init are readable for everybody. */
const folderMode = 0o755;

async function unlessThere(make: Promise<void>): Promise<void> {
  try {
    await make;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/**
 * Does the steps in order.
 *
 * @throws The first failure: a machine without one of them is of no use.
 */
export async function takeSteps(
  steps: readonly Step[],
  ports: StepPorts,
): Promise<void> {
  for (const step of steps) {
    switch (step.kind) {
      case "folder":
        await unlessThere(ports.makeFolder(step.path, folderMode));
        break;
      case "link":
        await unlessThere(ports.makeLink(step.target, step.path));
        break;
      case "mount":
        try {
          await ports.mount(step);
        } catch (error) {
          if (!step.mayBeBusy || !isErrno(error, "EBUSY")) throw error;
        }
    }
  }
}
