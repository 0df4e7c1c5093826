import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Mount, Spec } from "../../oci/spec.gen.ts";
import { rewriteMounts } from "./mounts.ts";
import { makeOpenFolder, pathInFolder } from "./pod_files.ts";

/** Rewrites one mount. @returns The specification afterwards. */
async function rewrite(sandboxRoot: string, mount: Mount): Promise<Spec> {
  const spec: Spec = { ociVersion: "1.1.0", linux: {}, mounts: [mount] };
  await rewriteMounts(spec, { sandboxRoot, mounting: () => {} });
  return spec;
}

async function sourceOf(root: string, source: string): Promise<string> {
  const { mounts } = await rewrite(root, { destination: "/x", source });
  return mounts![0]!.source!;
}

async function withRoot(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const shared: [prefix: string, folder: string][] = [
  ["sandbox://", "sandboxMounts"],
  ["sandbox-tmp://", "sandboxTmpfsMounts"],
];

for (const [prefix, folder] of shared) {
  Deno.test(`6.1 ${prefix}X is X in ${folder} of the sandbox, made for everybody`, () =>
    withRoot(async (root) => {
      const rows = [["x/y", "x/y"], ["/a//b/../c", "a/c"], ["d/", "d"]];
      for (const [rest, path] of rows) {
        const expected = `${root}/${folder}/${path}`;
        assertEquals(await sourceOf(root, `${prefix}${rest}`), expected);
      }
      for (const made of [folder, `${folder}/x`, `${folder}/x/y`]) {
        const { mode } = await Deno.stat(`${root}/${made}`);
        assertEquals(mode! & 0o777, 0o777, made);
      }
    }));

  Deno.test(`6.1 ${prefix} keeps what exists, be it a file`, () =>
    withRoot(async (root) => {
      await Deno.mkdir(`${root}/${folder}/dir`, { recursive: true });
      await Deno.chmod(`${root}/${folder}/dir`, 0o700);
      await Deno.writeTextFile(`${root}/${folder}/file`, "kept");
      const dir = await sourceOf(root, `${prefix}dir`);
      assertEquals((await Deno.stat(dir)).mode! & 0o777, 0o700);
      const file = await sourceOf(root, `${prefix}file`);
      assertEquals(await Deno.readTextFile(file), "kept");
    }));

  Deno.test(`6.1 ${prefix} does not leave its folder, by text or by links`, () =>
    withRoot(async (root) => {
      const bad = [`../${folder}X`, "..", "", ".", "a/../..", "/../x"];
      for (const rest of bad) {
        await assertRejects(
          () => sourceOf(root, `${prefix}${rest}`),
          Error,
          "leaves",
        );
      }
      await Deno.mkdir(`${root}/${folder}`);
      await Deno.symlink("/", `${root}/${folder}/out`);
      await Deno.symlink("../../../..", `${root}/${folder}/up`);
      await Deno.symlink("real/v1", `${root}/${folder}/current`);
      const rows = [
        ["out/etc", "etc"],
        ["up/proc/x", "proc/x"],
        ["current/sub", "real/v1/sub"],
      ];
      for (const [rest, path] of rows) {
        const expected = `${root}/${folder}/${path}`;
        assertEquals(await sourceOf(root, `${prefix}${rest}`), expected);
      }
      await Deno.symlink("loop", `${root}/${folder}/loop`);
      await assertRejects(
        () => sourceOf(root, `${prefix}loop`),
        Error,
        "symbolic links",
      );
    }));
}

Deno.test("6.2 hugepages://SIZE/X is X in hugepages of the sandbox; what exists stays", () =>
  withRoot(async (root) => {
    const path = `${root}/hugepages/2M/a/b`;
    await Deno.mkdir(path, { recursive: true });
    assertEquals(await sourceOf(root, "hugepages://2M/a/b"), path);
    const bad = ["rest/a", "2M", "", "../2M/a", "2M/../x/a"];
    for (const rest of bad) {
      await assertRejects(() => sourceOf(root, `hugepages://${rest}`), Error);
    }
  }));

const devices: [string[] | undefined, string][] = [
  [["ro"], "r"],
  [["rbind", "rw"], "rwm"],
  [undefined, "rwm"],
];
for (const [options, access] of devices) {
  Deno.test(`6.3 blockdev:// with options ${options} gives access "${access}" to the device behind the link`, () =>
    withRoot(async (root) => {
      const source = `${root}/link`;
      await Deno.symlink("/dev/null", source);
      const destination = "blockdev:///dev/disk";
      const { mounts, linux } = await rewrite(root, {
        ...{ destination, source },
        ...(options && { options }),
      });
      assertEquals(mounts, [{
        ...{ destination: "/dev/disk", source },
        ...(options && { options }),
      }]);
      assertEquals(linux?.resources?.devices, [
        { allow: true, type: "c", major: 1n, minor: 3n, access },
      ]);
    }));
}

Deno.test("6.3 blockdev:// reads one link, which must lead to a device", () =>
  withRoot(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "");
    await Deno.symlink("file", `${root}/to-file`);
    await Deno.symlink("/dev/null", `${root}/to-device`);
    await Deno.symlink("to-device", `${root}/two`);
    const rows = [
      ["file", "no symbolic link"],
      ["to-file", `"${root}/file" is none`],
      ["two", `"${root}/to-device" is none`],
      ["missing", "No such file"],
    ];
    for (const [name, message] of rows) {
      await assertRejects(
        () =>
          rewrite(root, {
            destination: "blockdev:///dev/disk",
            source: `${root}/${name}`,
          }),
        Error,
        message,
      );
    }
  }));

Deno.test("6.4 uvm://X is the path X of the VM, which must lead somewhere", () =>
  withRoot(async (root) => {
    await Deno.symlink("/no/such", `${root}/dangling`);
    assertEquals(await sourceOf(root, "uvm:///proc"), "/proc");
    assertEquals(await sourceOf(root, `uvm://${root}`), root);
    for (const path of ["/no/such", `${root}/dangling`]) {
      await assertRejects(() => sourceOf(root, `uvm://${path}`), Error, path);
    }
    await assertRejects(() => sourceOf(root, "uvm://proc"), Error, "absolute");
  }));

Deno.test("mounts of other sources stay as they are", () =>
  withRoot(async (root) => {
    const rows: Mount[] = [
      { destination: "/a", source: "/plain" },
      { destination: "/b", type: "tmpfs" },
      { destination: "/c", source: "other://x" },
    ];
    for (const mount of rows) {
      assertEquals((await rewrite(root, { ...mount })).mounts, [mount]);
    }
  }));

Deno.test("pathInFolder() stays in its folder, component by component", () => {
  assertEquals(pathInFolder("/r/mounts", "a/b"), "/r/mounts/a/b");
  for (const rest of ["../mountsX", "..", "", "a/../..", "/../x", "a\0b"]) {
    assertThrows(() => pathInFolder("/r/mounts", rest), Error, "leaves");
  }
});

Deno.test("makeOpenFolder() may be called by several containers at once", () =>
  withRoot(async (root) => {
    const path = `${root}/a/b/c`;
    await Promise.all(Array.from({ length: 8 }, () => makeOpenFolder(path)));
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o777);
  }));
