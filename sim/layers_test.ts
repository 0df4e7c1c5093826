import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ShimError } from "../base/errors.ts";
import type { LayerSource, RootfsMount } from "../hcs/ports.ts";
import { layerPlan, linuxLayers } from "./layers.ts";

function source(
  mounts: Partial<RootfsMount>[],
  more: Partial<LayerSource> = {},
): LayerSource {
  return {
    rootfs: mounts.map((mount) => ({
      type: "overlay",
      source: "overlay",
      target: "",
      options: [],
      ...mount,
    })),
    layerFolders: [],
    rootPath: "",
    bundle: "/bundle",
    ...more,
  };
}

/** A folder with some directories in it, removed at the end. */
async function withFolder(
  names: readonly string[],
  task: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "lcow-layers-" });
  try {
    for (const name of names) {
      await Deno.mkdir(`${dir}/${name}`, { recursive: true });
    }
    await task(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("linuxLayers() keeps the order of lowerdirs and writes to the overlay's workdir", async () => {
  await withFolder(["3", "2", "1", "up", "work"], async (dir) => {
    const options = [
      "index=off",
      `workdir=${dir}/work`,
      `upperdir=${dir}/up`,
      `lowerdir=${dir}/3:${dir}/2:${dir}/1`,
    ];
    const { readOnly, scratch } = await linuxLayers(source([{ options }]));
    assertEquals(
      readOnly.map(({ path }) => path),
      [`${dir}/3`, `${dir}/2`, `${dir}/1`],
    );
    assertEquals(scratch, {
      path: `${dir}/work`,
      type: "VirtualDisk",
      partition: 0,
    });
  });
});

Deno.test("linuxLayers() puts an upperdir that holds something on top", async () => {
  await withFolder(["low", "up/etc", "work"], async (dir) => {
    const options = [
      `lowerdir=${dir}/low`,
      `upperdir=${dir}/up`,
      `workdir=${dir}/work`,
    ];
    const { readOnly } = await linuxLayers(source([{ options }]));
    assertEquals(
      readOnly.map(({ path }) => path),
      [`${dir}/up`, `${dir}/low`],
    );
  });
});

Deno.test("linuxLayers() makes a scratch directory in the bundle for a bind mount", async () => {
  await withFolder(["rootfs", "bundle"], async (dir) => {
    const mounts = [{
      type: "bind",
      source: `${dir}/rootfs`,
      options: ["rbind"],
    }];
    const layers = await linuxLayers(
      source(mounts, { bundle: `${dir}/bundle` }),
    );
    assertEquals(layers.readOnly.map(({ path }) => path), [`${dir}/rootfs`]);
    assertEquals(layers.scratch.path, `${dir}/bundle/scratch`);
    assertEquals((await Deno.stat(layers.scratch.path)).isDirectory, true);
  });
});

Deno.test("layerPlan() takes ext4 and erofs images and an absolute root path", () => {
  assertEquals(
    layerPlan(source([{ type: "erofs", source: "/l.erofs" }])).layers,
    ["/l.erofs"],
  );
  assertEquals(
    layerPlan(source([{ type: "ext4", source: "/l.img" }])).layers,
    ["/l.img"],
  );
  assertEquals(layerPlan(source([], { rootPath: "/srv/root" })).layers, [
    "/srv/root",
  ]);
});

Deno.test("layerPlan() reads an escaped colon as part of the path", () => {
  const options = ["lowerdir=/a\\:b:/c"];
  assertEquals(layerPlan(source([{ options }])).layers, ["/a:b", "/c"]);
});

Deno.test("layerPlan() refuses what it cannot use, with the reason", () => {
  const cases: [LayerSource, string, string][] = [
    [
      source([{ type: "btrfs" }]),
      "InvalidArgument",
      "takes overlay, bind, ext4 and erofs",
    ],
    [source([{}]), "InvalidArgument", '"lowerdir" is missing'],
    [
      source([{ options: ["lowerdir=/a", "lowerdir=/b"] }]),
      "InvalidArgument",
      '"lowerdir" stands twice',
    ],
    [
      source([{ options: ["lowerdir=/a", "upperdir=/b"] }]),
      "InvalidArgument",
      "go together",
    ],
    [
      source([{ target: "sub", options: ["lowerdir=/a"] }]),
      "InvalidArgument",
      'target "sub"',
    ],
    [
      source([{ type: "bind", source: "" }]),
      "InvalidArgument",
      "no source",
    ],
    [source([{}, {}]), "FailedPrecondition", "2 rootfs mounts"],
    [source([]), "FailedPrecondition", "no root file system"],
    [
      source([], { layerFolders: ["C:\\l"] }),
      "FailedPrecondition",
      "layerFolders",
    ],
  ];
  for (const [input, code, text] of cases) {
    const error = assertThrows(() => layerPlan(input), ShimError, text);
    assertEquals((error as ShimError).code, code);
  }
});

Deno.test("linuxLayers() names the directory that is missing", async () => {
  await withFolder(["low"], async (dir) => {
    const options = [`lowerdir=${dir}/low:${dir}/gone`];
    const error = await assertRejects(
      () => linuxLayers(source([{ options }])),
      ShimError,
      `${dir}/gone`,
    ) as ShimError;
    assertEquals(error.code, "NotFound");
    assertStringIncludes(error.message, "not found");
  });
});
