/**
 * Kernel modules: which ones an image gets, and the tables by which `modprobe`
 * finds them.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import { moduleInfo } from "./elf.ts";

/** A module and why the guest has it. */
interface WantedModule {
  readonly name: string;
  readonly why: string;
  /** True when init loads it; the others are loaded when the kernel asks. */
  readonly boot?: boolean;
}

const hyperV: readonly WantedModule[] = [
  { name: "hv_vmbus", why: "the bus of Hyper-V", boot: true },
  { name: "hv_storvsc", why: "disks", boot: true },
  { name: "hv_netvsc", why: "network adapters", boot: true },
  { name: "hv_sock", why: "sockets to the host", boot: true },
  { name: "hv_utils", why: "the host's clock", boot: true },
  { name: "hv_balloon", why: "memory that is added", boot: true },
  { name: "pci_hyperv", why: "assigned devices" },
];

const qemu: readonly WantedModule[] = [
  { name: "virtio_pci", why: "the bus of QEMU", boot: true },
  { name: "virtio_scsi", why: "disks", boot: true },
  { name: "virtio_net", why: "network adapters", boot: true },
];

const common: readonly WantedModule[] = [
  { name: "sd_mod", why: "disks", boot: true },
  { name: "overlay", why: "layers of containers", boot: true },
  { name: "ext4", why: "layer and scratch disks" },
  { name: "crc32c_generic", why: "checksums of ext4" },
  { name: "xfs", why: "scratch disks" },
  { name: "erofs", why: "layer disks" },
  { name: "loop", why: "image files" },
  { name: "9pnet_fd", why: "file shares" },
  { name: "9p", why: "file shares" },
  { name: "nd_pmem", why: "persistent memory" },
  { name: "nfit", why: "persistent memory" },
  { name: "dm_mod", why: "the device mapper" },
  { name: "dm_verity", why: "verified disks" },
  { name: "dm_crypt", why: "encrypted disks" },
  { name: "dm_integrity", why: "encrypted disks" },
  { name: "xts", why: "encrypted disks" },
  { name: "authenc", why: "encrypted disks" },
  { name: "veth", why: "networks of containers" },
  { name: "bridge", why: "networks of containers" },
  { name: "br_netfilter", why: "networks of containers" },
  { name: "nf_conntrack", why: "networks of containers" },
];

/** Every module that an image gets, if its kernel has it as a module. */
export const wantedModules: readonly WantedModule[] = [
  ...hyperV,
  ...qemu,
  ...common,
];

/** A module of the image. */
export interface KernelModule {
  /** Its name, with underscores. */
  readonly name: string;
  /** From the kernel's folder, for example `kernel/fs/overlayfs/overlay.ko`. */
  readonly path: string;
  /** Modules that must be loaded before it, all of them, in order. */
  readonly depends: readonly string[];
  /** Names by which the kernel asks for it. */
  readonly aliases: readonly string[];
}

/** The name of a module in a path: the kernel takes `-` and `_` for the same. */
function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.ko$/, "")
    .replaceAll("-", "_");
}

/** Paths of all modules below a folder, from it. */
async function pathsIn(folder: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder + below)) {
    const path = `${below}/${name}`;
    if (isDirectory) paths.push(...await pathsIn(folder, path));
    else if (name.endsWith(".ko")) paths.push(path.slice(1));
  }
  return paths;
}

/**
 * The wanted modules with all that they need.
 *
 * @param folder `/lib/modules/<release>` of an unpacked kernel package.
 * @param names Modules that are wanted.
 * @returns The modules, those that others need first, and the names that the
 * kernel does not have as modules: built in, or missing.
 * @throws {ShimError} DataLoss when a module needs one that is not there.
 */
export async function selectModules(
  folder: string,
  names: readonly string[],
): Promise<{ modules: readonly KernelModule[]; absent: readonly string[] }> {
  const paths = new Map<string, string>();
  for (const path of await pathsIn(folder)) paths.set(nameIn(path), path);
  const chosen = new Map<string, KernelModule>();
  const choose = async (name: string): Promise<KernelModule> => {
    const known = chosen.get(name);
    if (known !== undefined) return known;
    const path = paths.get(name);
    if (path === undefined) {
      throw new ShimError("DataLoss", `Kernel module "${name}" is missing`);
    }
    const info = moduleInfo(await Deno.readFile(`${folder}/${path}`));
    const depends: string[] = [];
    for (const needed of info.depends) {
      const other = await choose(needed.replaceAll("-", "_"));
      depends.push(...other.depends, other.name);
    }
    const { aliases } = info;
    const module = { name, path, depends: [...new Set(depends)], aliases };
    chosen.set(name, module);
    return module;
  };
  const absent = names.filter((name) => !paths.has(name));
  for (const name of names) if (paths.has(name)) await choose(name);
  return { modules: [...chosen.values()], absent };
}

/**
 * The files `modules.dep` and `modules.alias` of depmod(8), in their text form.
 */
export function moduleTables(
  modules: readonly KernelModule[],
): { dependencies: string; aliases: string } {
  const paths = new Map(modules.map(({ name, path }) => [name, path]));
  const rows = modules.map(({ path, depends }) => {
    // depmod lists the last one to load first.
    const needed = depends.toReversed().map((name) => ` ${paths.get(name)}`);
    return `${path}:${needed.join("")}\n`;
  });
  const aliases = modules.flatMap(({ name, aliases }) =>
    aliases.map((alias) => `alias ${alias} ${name}\n`)
  );
  return { dependencies: rows.join(""), aliases: aliases.join("") };
}
