import { assertEquals } from "@std/assert";
import type { Mount } from "../../oci/spec.gen.ts";
import { confineMounts } from "./confined_mounts.ts";

Deno.test("links on what the host mounted do not lead binds out of it; those of the VM do what they say", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    const share = `${folder}/my share`;
    const own = `${folder}/own`;
    for (const path of [`${share}/real/dir`, own]) {
      await Deno.mkdir(path, { recursive: true });
    }
    for (const root of [share, own]) {
      await Deno.symlink("/etc", `${root}/abs`);
      await Deno.symlink("../../..", `${root}/up`);
      await Deno.symlink("real/dir", `${root}/rel`);
    }
    const table = [
      "disk / ext4 rw 0 0",
      `share ${share.replace(" ", "\\040")} 9p rw 0 0`,
      `tmpfs ${own} tmpfs rw 0 0`,
    ].join("\n");
    const rows: [string, string][] = [
      [`${share}/abs/passwd`, `${share}/etc/passwd`],
      [`${share}/up/x`, `${share}/x`],
      [`${share}/rel/f`, `${share}/real/dir/f`],
      [`${share}/../own/abs`, `${share}/../own/abs`],
      [share, share],
      [`${own}/abs/passwd`, `${own}/abs/passwd`],
      [`${folder}/elsewhere`, `${folder}/elsewhere`],
      ["sandbox://abs", "sandbox://abs"],
    ];
    for (const [source, expected] of rows) {
      const mounts: Mount[] = [{ destination: "/m", source, type: "bind" }];
      const spec = { ociVersion: "1.1.0", mounts };
      await confineMounts(spec, () => Promise.resolve(table));
      assertEquals(mounts[0]?.source, expected);
    }
    const untouched: Mount[] = [
      { destination: "blockdev:///d", source: `${share}/abs`, type: "bind" },
      { destination: "/m", source: `${share}/abs`, type: "ext4" },
    ];
    const spec = { ociVersion: "1.1.0", mounts: structuredClone(untouched) };
    await confineMounts(spec, () => Promise.resolve(table));
    assertEquals(spec.mounts, untouched);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
