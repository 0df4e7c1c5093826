/**
 * What is mounted in a simulated virtual machine, as the fstab that its boot
 * script hands to one `mount` call.
 *
 * @module
 */

import type { CgroupLayout } from "./hierarchies.ts";

/** A directory of the computer that the machine has at the same path. */
export interface SharedDirectory {
  /** Absolute path. */
  readonly path: string;
  /** Nothing can be written through it. */
  readonly readOnly: boolean;
}

/** Where the machine finds its sockets; value of `LCOW_VSOCK_DIR`. */
export const guestSockets = "/run/hvsock";

/** fstab separates fields by white space and reads octal escapes. */
function field(text: string): string {
  return text.replaceAll(
    /[\s\\#]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

/** Flags of the system's own mounts, as the real init has them. */
const strict = "nodev,nosuid,noexec";

function cgroupMounts({ version, hierarchies }: CgroupLayout): string[][] {
  const top = "/sys/fs/cgroup";
  if (version === 2) return [["cgroup2", top, "cgroup2", strict]];
  const mounts = [["cgroup", top, "tmpfs", `mode=755,${strict}`]];
  for (const { version, controllers } of hierarchies) {
    if (version === 2 || controllers.length === 0) continue;
    const names = controllers.join(",");
    mounts.push([
      "cgroup",
      `${top}/${names}`,
      "cgroup",
      `${strict},${names},X-mount.mkdir`,
    ]);
  }
  return mounts;
}

/**
 * The fstab of a machine.
 *
 * @param folder The machine's folder, free of white space, commas and colons.
 * @param layout Control groups that it sees.
 * @param shared Directories of the computer.
 */
export function mountTable(
  folder: string,
  layout: CgroupLayout,
  shared: readonly SharedDirectory[],
): string {
  const m = `${folder}/m`;
  const overlay = `lowerdir=/,upperdir=${m}/upper,workdir=${m}/work`;
  const mounts: string[][] = [
    ["root", "", "overlay", overlay],
    ["proc", "/proc", "proc", strict],
    ["sysfs", "/sys", "sysfs", strict],
    // The machine's own vmbus and SCSI devices are files here.
    ["bus", "/sys/bus", "tmpfs", `mode=755,${strict}`],
    ["dev", "/dev", "tmpfs", "mode=755,nosuid,noexec"],
    [
      "devpts",
      "/dev/pts",
      "devpts",
      "nosuid,noexec,newinstance,ptmxmode=0666,X-mount.mkdir",
    ],
    ["shm", "/dev/shm", "tmpfs", `${strict},X-mount.mkdir`],
    ["run", "/run", "tmpfs", "mode=755,nodev,nosuid"],
    ["tmp", "/tmp", "tmpfs", "nodev,nosuid"],
    [`${folder}/v`, guestSockets, "none", "bind,X-mount.mkdir"],
    ...shared.map(({ path, readOnly }) => [
      path,
      path,
      "none",
      `${readOnly ? "bind,ro" : "bind"},X-mount.mkdir`,
    ]),
    ...cgroupMounts(layout),
  ];
  return mounts.map(([source = "", target = "", type = "", options = ""]) =>
    [source, `${m}/root${target}`, type, options, "0 0"]
      .map((text) => text === "0 0" ? text : field(text)).join(" ") + "\n"
  ).join("");
}
