/**
 * What the guest image holds (`spec/guest-runtime.md` 17.4), as entries of its
 * archive.
 *
 * @module
 */

import { ShimError } from "../base/errors.ts";
import type { Entry } from "./cpio.ts";
import { needsOf } from "./elf.ts";
import { moduleTables, selectModules, wantedModules } from "./modules.ts";

/** Where the parts come from. */
export interface Sources {
  /** Root folder of the unpacked packages. */
  readonly packages: string;
  /** Folder of the unpacked kernel package's modules, ends in the release. */
  readonly modules: string;
  /** Deno for Linux on x86-64. */
  readonly deno: string;
  /** Folder of the bundled programs, for example `init.js`. */
  readonly programs: string;
}

/** Permissions of programs and folders, and of other files. */
const executable = 0o755;
const plain = 0o644;

/** Folders that are mount points, or that programs expect. */
const folders = [
  ...["dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "var"],
];

/** Programs of the packages: where they stand there, and in the image. */
const programs: readonly (readonly [source: string, path: string])[] = [
  ["bin/busybox", "bin/busybox"],
  ["usr/bin/crun", "bin/crun"],
  ["sbin/mke2fs", "sbin/mkfs.ext4"],
];

/** Applets that other programs start by name. */
const applets = [
  "bin/sh",
  "bin/cat",
  "bin/ls",
  "bin/ps",
  "bin/mount",
  "bin/ip",
  "bin/dmesg",
  "bin/poweroff",
  "sbin/modprobe",
  "sbin/udhcpc",
];

/** Deno's variables: its folder of notes lies in memory that is mounted later. */
const denoVariables = "DENO_DIR=/tmp/deno DENO_NO_UPDATE_CHECK=1";

/** Deno's flags: offline, silent, nothing written beside the programs. */
const denoFlags = [
  ...["run", "-q", "-A", "--no-prompt", "--no-config", "--no-lock"],
  ...["--no-check", "--cached-only", "--no-code-cache", "--unstable-vsock"],
].join(" ");

/**
 * Programs of ours. The kernel hands all words behind `#!` to an interpreter as
 * one, so that Deno cannot be one: a shell line becomes it.
 */
const scripts: readonly (readonly [path: string, program: string])[] = [
  ["init", "init.js"],
  ["bin/gcs", "agent.js"],
  ["bin/vsockexec", "vsockexec.js"],
  ["bin/generichook", "generichook.js"],
  ["bin/wait-paths", "wait-paths.js"],
];

/** Nodes that are needed before `/dev` is mounted. */
const devices: readonly (readonly [
  path: string,
  mode: number,
  number: readonly [major: number, minor: number],
])[] = [
  ["dev/console", 0o600, [5, 1]],
  ["dev/null", 0o666, [1, 3]],
];

/** Where libraries stand in Debian's packages. */
const libraryFolders = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];

/** What busybox' DHCP client calls when its lease changes. */
const leaseScript = `#!/bin/sh
case "$1" in
  deconfig)
    ip addr flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
      ip route replace default via "$gateway" dev "$interface"
      break
    done
    [ -z "$dns" ] && exit 0
    {
      [ -n "$domain" ] && echo "search $domain"
      for server in $dns; do echo "nameserver $server"; done
    } >/etc/resolv.conf
    ;;
esac
`;

const encoder = new TextEncoder();

function file(path: string, text: string, mode = plain): Entry {
  return { path, mode, what: { kind: "file", content: encoder.encode(text) } };
}

function copy(path: string, source: string, mode: number): Entry {
  return { path, mode, what: { kind: "copy", source } };
}

function link(path: string, target: string): Entry {
  return { path, mode: 0o777, what: { kind: "link", target } };
}

/** The file behind a path of the packages, whose links may be absolute. */
async function resolve(path: string): Promise<string | undefined> {
  try {
    const real = await Deno.realPath(path);
    return (await Deno.stat(real)).isFile ? real : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function findLibrary(packages: string, name: string): Promise<string> {
  for (const folder of libraryFolders) {
    const found = await resolve(`${packages}/${folder}/${name}`);
    if (found !== undefined) return found;
  }
  throw new ShimError(
    "NotFound",
    `Library ${name} is in none of the image's packages`,
  );
}

/** Loaders and libraries of programs, and of those libraries. */
async function libraries(
  packages: string,
  sources: readonly string[],
): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  const add = async (source: string): Promise<void> => {
    const needs = needsOf(await Deno.readFile(source));
    const loader = needs.interpreter?.replace(/^.*\//, "");
    for (const name of [...needs.libraries, ...(loader ? [loader] : [])]) {
      if (entries.has(name)) continue;
      const found = await findLibrary(packages, name);
      const isLoader = name.startsWith("ld-linux");
      const folder = isLoader ? "lib64" : libraryFolders[0];
      entries.set(name, copy(`${folder}/${name}`, found, executable));
      await add(found);
    }
  };
  for (const source of sources) await add(source);
  return [...entries.values()];
}

/** A kernel's modules, the tables of `modprobe` and what init loads. */
async function moduleEntries(folder: string): Promise<{
  entries: Entry[];
  absent: readonly string[];
}> {
  const names = wantedModules.map(({ name }) => name);
  const { modules, absent } = await selectModules(folder, names);
  const release = folder.slice(folder.lastIndexOf("/") + 1);
  const base = `lib/modules/${release}`;
  const tables = moduleTables(modules);
  const boot = wantedModules.filter(({ name, boot }) =>
    boot && !absent.includes(name)
  );
  const entries = modules.map(({ path }) =>
    copy(`${base}/${path}`, `${folder}/${path}`, plain)
  );
  entries.push(
    file(`${base}/modules.dep`, tables.dependencies),
    file(`${base}/modules.alias`, tables.aliases),
    file("etc/modules", boot.map(({ name }) => `${name}\n`).join("")),
  );
  return { entries, absent };
}

/** The folders above the entries that no entry makes. */
function parents(entries: readonly Entry[]): Entry[] {
  const paths = new Set(folders);
  for (const { path } of entries) {
    const parts = path.split("/").slice(0, -1);
    parts.forEach((_, i) => paths.add(parts.slice(0, i + 1).join("/")));
  }
  return [...paths].map((path) => ({
    path,
    mode: path === "tmp" ? 0o1777 : executable,
    what: { kind: "folder" },
  }));
}

/**
 * The entries of the initial RAM disk.
 *
 * @returns The entries, and the wanted kernel modules that are no modules.
 * @throws {ShimError} NotFound naming the library that no package has.
 */
export async function imageTree(
  sources: Sources,
): Promise<{ entries: readonly Entry[]; absent: readonly string[] }> {
  const { packages, deno } = sources;
  const binaries = programs.map(([source]) => `${packages}/${source}`);
  const kernel = await moduleEntries(sources.modules);
  const entries: Entry[] = [
    ...programs.map(([source, path]) =>
      copy(path, `${packages}/${source}`, executable)
    ),
    copy("bin/deno", deno, executable),
    ...applets.map((path) => link(path, "/bin/busybox")),
    ...scripts.flatMap(([path, program]) => [
      copy(`lib/lcow/${program}`, `${sources.programs}/${program}`, plain),
      file(
        path,
        `#!/bin/sh\n${denoVariables} exec /bin/deno ${denoFlags} /lib/lcow/${program} "$@"\n`,
        executable,
      ),
    ]),
    ...await libraries(packages, [deno, ...binaries]),
    ...devices.map(([path, mode, [major, minor]]): Entry => ({
      path,
      mode,
      what: { kind: "character device", major, minor },
    })),
    file("sbin/udhcpc_config.script", leaseScript, executable),
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    file("etc/group", "root:x:0:\n"),
    ...kernel.entries,
  ];
  return { entries: [...entries, ...parents(entries)], absent: kernel.absent };
}
