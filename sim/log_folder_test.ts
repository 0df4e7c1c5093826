import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { findLogFolder, openLogFolder } from "./log_folder.ts";

const ignore = Deno.uid() !== 0;
if (ignore) console.log("skip: folders of others: only root can make one");

Deno.test({
  name: "a log folder of somebody else is refused, to write and to read",
  ignore,
  fn: async () => {
    const root = await Deno.makeTempDir({ prefix: "lcow-log-" });
    try {
      await Deno.chown(root, 12345, 12345);
      await assertRejects(
        () => openLogFolder(root),
        ShimError,
        "it belongs to user 12345; remove it",
      );
      await assertRejects(
        () => findLogFolder(root),
        ShimError,
        "it belongs to user 12345, not to root",
      );
    } finally {
      await Deno.remove(root);
    }
  },
});

Deno.test("openLogFolder() makes a folder for its owner only, and refuses one that is not", async () => {
  const root = await Deno.makeTempDir({ prefix: "lcow-log-" });
  const refused = async (path: string, why: string): Promise<void> => {
    const error = await assertRejects(
      () => openLogFolder(path),
      ShimError,
      why,
    );
    assertEquals((error as ShimError).code, "FailedPrecondition");
  };
  try {
    const path = `${root}/state/log`;
    for (let time = 0; time < 2; time++) {
      assertEquals(await openLogFolder(path), path);
      assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o700);
    }
    await Deno.symlink(path, `${root}/link`);
    await refused(`${root}/link`, "it is a link");
    await Deno.chmod(path, 0o750);
    await refused(path, `others may enter it; run chmod 700 ${path}`);
    await Deno.writeTextFile(`${root}/file`, "");
    await refused(`${root}/file`, `Cannot keep log files in ${root}/file`);
    await refused(`${root}/file/log`, "Not a directory");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("findLogFolder() makes nothing, and takes a folder that others may enter", async () => {
  const root = await Deno.makeTempDir({ prefix: "lcow-log-" });
  try {
    const path = `${root}/log`;
    assertEquals(await findLogFolder(path), path);
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    await Deno.mkdir(path, { mode: 0o755 });
    assertEquals(await findLogFolder(path), path);
    await Deno.symlink(path, `${root}/link`);
    await assertRejects(
      () => findLogFolder(`${root}/link`),
      ShimError,
      "it is no folder",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
