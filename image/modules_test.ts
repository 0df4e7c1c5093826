import { assertEquals, assertRejects } from "@std/assert";
import { moduleTables, selectModules } from "./modules.ts";
import { kernelModule } from "./testing.ts";

const drivers: Readonly<Record<string, readonly string[]>> = {
  "kernel/drivers/scsi/sd_mod.ko": ["depends=scsi_mod", "alias=block-8"],
  "kernel/drivers/scsi/scsi_mod.ko": ["depends=scsi-common"],
  "kernel/drivers/scsi/scsi-common.ko": ["depends="],
  "kernel/fs/xfs/xfs.ko": ["depends=", "alias=fs-xfs"],
  "kernel/fs/broken.ko": ["depends=gone"],
};

async function withModules(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, rows] of Object.entries(drivers)) {
      const at = `${folder}/${path}`;
      await Deno.mkdir(at.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(at, kernelModule(...rows));
    }
    await Deno.writeTextFile(`${folder}/modules.order`, "");
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("selectModules() takes what is wanted and all that it needs, in order", () =>
  withModules(async (folder) => {
    const names = ["sd_mod", "xfs", "built_in"];
    const { modules, absent } = await selectModules(folder, names);
    assertEquals(modules.map(({ name }) => name), [
      "scsi_common",
      "scsi_mod",
      "sd_mod",
      "xfs",
    ]);
    assertEquals(modules[2]?.depends, ["scsi_common", "scsi_mod"]);
    assertEquals(absent, ["built_in"]);
  }));

Deno.test("selectModules() names what a module needs and nobody has", () =>
  withModules(async (folder) => {
    await assertRejects(
      () => selectModules(folder, ["broken"]),
      Error,
      '"gone" is missing',
    );
  }));

Deno.test("moduleTables() writes the tables of modprobe", () =>
  withModules(async (folder) => {
    const { modules } = await selectModules(folder, ["sd_mod"]);
    assertEquals(moduleTables(modules), {
      dependencies: "kernel/drivers/scsi/scsi-common.ko:\n" +
        "kernel/drivers/scsi/scsi_mod.ko: kernel/drivers/scsi/scsi-common.ko\n" +
        "kernel/drivers/scsi/sd_mod.ko: kernel/drivers/scsi/scsi_mod.ko" +
        " kernel/drivers/scsi/scsi-common.ko\n",
      aliases: "alias block-8 sd_mod\n",
    });
  }));
