/**
 * The image that containers of the tests run.
 *
 * @module
 */

import { toolEnv } from "../debian.ts";

/**
 * Makes a root file system of busybox.
 *
 * @param folder Where; it is made.
 * @returns The folder.
 */
export async function makeImage(folder: string): Promise<string> {
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  for (const dir of ["proc", "dev", "etc", "tmp", "sys"]) {
    await Deno.mkdir(`${folder}/${dir}`, { recursive: true });
  }
  const busybox = await findBusybox();
  await Deno.copyFile(busybox, `${folder}/bin/busybox`);
  const { stdout } = await new Deno.Command(busybox, { args: ["--list"] })
    .output();
  for (const applet of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (applet !== "busybox") {
      await Deno.symlink("busybox", `${folder}/bin/${applet}`);
    }
  }
  await Deno.writeTextFile(
    `${folder}/etc/passwd`,
    "root:x:0:0:root:/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n",
  );
  await Deno.writeTextFile(`${folder}/etc/group`, "root:x:0:\nstaff:x:50:\n");
  return folder;
}

async function findBusybox(): Promise<string> {
  const { PATH = "" } = await toolEnv();
  for (const dir of PATH.split(":")) {
    try {
      await Deno.stat(`${dir}/busybox`);
      return `${dir}/busybox`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error("busybox is missing");
}
