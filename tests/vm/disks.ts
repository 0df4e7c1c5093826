/**
 * Disk images for a machine: one with a root file system, and empty ones.
 *
 * @module
 */

import { run } from "../../image/packages.ts";

/** MiB of a layer's disk. */
const layerSize = 16;

/** A root file system of busybox and nothing else. */
async function makeRoot(packages: string, folder: string): Promise<void> {
  for (const name of ["bin", "dev", "etc", "proc", "sys", "tmp"]) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  }
  const busybox = `${folder}/bin/busybox`;
  await Deno.copyFile(`${packages}/bin/busybox`, busybox);
  for (const name of (await run(busybox, ["--list"], folder)).split("\n")) {
    if (name === "" || name === "busybox") continue;
    await Deno.symlink("busybox", `${folder}/bin/${name}`);
  }
  await Deno.writeTextFile(
    `${folder}/etc/passwd`,
    "root:x:0:0:root:/:/bin/sh\n",
  );
  await Deno.writeTextFile(`${folder}/etc/group`, "root:x:0:\n");
}

/**
 * A disk with an ext4 file system that holds busybox.
 *
 * @param packages Root folder of the image's packages.
 * @param folder Where it is made.
 * @returns Its path.
 */
export async function layerDisk(
  packages: string,
  folder: string,
): Promise<string> {
  const content = `${folder}/content`;
  const disk = `${folder}/layer.img`;
  await makeRoot(packages, content);
  const loader = `${packages}/lib64/ld-linux-x86-64.so.2`;
  const libraries = ["lib", "usr/lib"]
    .map((dir) => `${packages}/${dir}/x86_64-linux-gnu`).join(":");
  const tool = `${packages}/sbin/mke2fs`;
  await run(loader, [
    ...["--library-path", libraries, tool],
    ...["-q", "-t", "ext4", "-d", content, disk, `${layerSize}M`],
  ], folder);
  return disk;
}

/**
 * A disk with nothing on it.
 *
 * @param size MiB.
 * @returns Its path.
 */
export async function emptyDisk(
  folder: string,
  name: string,
  size: number,
): Promise<string> {
  const path = `${folder}/${name}.img`;
  using file = await Deno.create(path);
  await file.truncate(size * 2 ** 20);
  return path;
}
