import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type ErrorCode, ShimError } from "../../../base/errors.ts";
import type { LayerSource, RootfsMount } from "../../../hcs/ports.ts";
import { windowsLayerPlan, windowsLayers } from "./layers.ts";

const disk = { type: "VirtualDisk", partition: 0 } as const;

function folders(...layerFolders: string[]): LayerSource {
  return { layerFolders, rootfs: [], rootPath: "", bundle: "C:\\bundle" };
}

function mounts(...rootfs: Partial<RootfsMount>[]): LayerSource {
  const usual = {
    type: "lcow-layer",
    source: "C:\\s",
    target: "",
    options: [],
  };
  return {
    rootfs: rootfs.map((mount) => ({ ...usual, ...mount })),
    layerFolders: [],
    rootPath: "",
    bundle: "C:\\bundle",
  };
}

function layer(...options: string[]): LayerSource {
  return mounts({ options });
}

function partitioned(...options: string[]): LayerSource {
  const type = "lcow-partitioned-layer";
  return mounts({ type, source: "C:\\ignored", options });
}

const scratch = "scratch=C:\\s\\scratch.vhdx";
const layers = `parent-partitioned-layers=[{"Path":"C:\\\\l\\\\a.vhd"}]`;

Deno.test("layerFolders: the last one is the scratch directory, the others are layers, topmost first", () => {
  assertEquals(
    windowsLayerPlan(folders("C:\\top", "C:\\base", "D:\\scratch")),
    {
      readOnly: [
        { ...disk, path: "C:\\top\\layer.vhd" },
        { ...disk, path: "C:\\base\\layer.vhd" },
      ],
      scratch: "D:\\scratch\\sandbox.vhdx",
    },
  );
});

Deno.test("host:K57 lcow-layer: the source is the scratch directory, an option lists the layers", () => {
  const source = mounts({
    source: "C:\\snapshots\\9",
    options: [
      "rw",
      "other=1",
      'parentLayerPaths=["C:\\\\l\\\\2","C:\\\\l\\\\1"]',
    ],
  });
  assertEquals(windowsLayerPlan(source), {
    readOnly: [
      { ...disk, path: "C:\\l\\2\\layer.vhd" },
      { ...disk, path: "C:\\l\\1\\layer.vhd" },
    ],
    scratch: "C:\\snapshots\\9\\sandbox.vhdx",
  });
});

Deno.test("lcow-partitioned-layer: paths are taken as they are, several layers on one disk", () => {
  const rows = [
    { Path: "C:\\l\\a.vhd", Partition: 2 },
    { Path: "C:\\l\\a.vhd", Partition: 1 },
    { Path: "\\\\?\\Volume{1}\\b.vhd" },
  ];
  const source = partitioned(
    scratch,
    `parent-partitioned-layers=${JSON.stringify(rows)}`,
  );
  assertEquals(windowsLayerPlan(source), {
    readOnly: [
      { ...disk, path: "C:\\l\\a.vhd", partition: 2 },
      { ...disk, path: "C:\\l\\a.vhd", partition: 1 },
      { ...disk, path: "\\\\?\\Volume{1}\\b.vhd" },
    ],
    scratch: "C:\\s\\scratch.vhdx",
  });
});

Deno.test("an option's value may hold further equals signs", () => {
  const source = layer('parentLayerPaths=["C:\\\\a=b"]');
  assertEquals(
    windowsLayerPlan(source).readOnly[0]?.path,
    "C:\\a=b\\layer.vhd",
  );
});

const refused: [what: string, LayerSource, ErrorCode, message: string][] = [
  ["nothing", folders(), "FailedPrecondition", "found neither"],
  [
    "both",
    { ...layer('parentLayerPaths=["C:\\\\l"]'), layerFolders: ["a", "b"] },
    "FailedPrecondition",
    "found both",
  ],
  [
    "host:K58 one layerFolder",
    folders("C:\\s"),
    "FailedPrecondition",
    "Cannot use 1 windows.layerFolders",
  ],
  [
    "two mounts",
    mounts({}, {}),
    "FailedPrecondition",
    "Cannot use 2 rootfs mounts: expected exactly one",
  ],
  [
    "a target",
    mounts({ target: "/mnt", options: ['parentLayerPaths=["C:\\\\l"]'] }),
    "FailedPrecondition",
    'target "/mnt" must be empty',
  ],
  [
    "a mount of Linux",
    mounts({ type: "overlay" }),
    "InvalidArgument",
    "Cannot use the overlay rootfs mount: this host takes lcow-layer and lcow-partitioned-layer",
  ],
  ["a mount without type", mounts({ type: "" }), "InvalidArgument", "takes"],
  [
    "a type that every object has",
    mounts({ type: "constructor" }),
    "InvalidArgument",
    "Cannot use the constructor rootfs mount",
  ],
  ["no parents", layer("rw"), "InvalidArgument", '"parentLayerPaths" names no'],
  [
    "an empty list of parents",
    layer("parentLayerPaths=[]"),
    "InvalidArgument",
    '"parentLayerPaths" names no layer',
  ],
  [
    "parents that are no JSON",
    layer("parentLayerPaths=[C:\\l]"),
    "InvalidArgument",
    'option "parentLayerPaths"',
  ],
  [
    "parents that are no list",
    layer('parentLayerPaths={"a":1}'),
    "InvalidArgument",
    "is no list",
  ],
  [
    "a parent that is a number",
    layer('parentLayerPaths=["C:\\\\l",7]'),
    "InvalidArgument",
    "holds something that is no path",
  ],
  [
    "a parent that is empty",
    layer('parentLayerPaths=[""]'),
    "InvalidArgument",
    "holds something that is no path",
  ],
  [
    "no source",
    mounts({ source: "", options: ['parentLayerPaths=["C:\\\\l"]'] }),
    "InvalidArgument",
    "it has no source",
  ],
  [
    "a parent that is relative",
    layer('parentLayerPaths=["l"]'),
    "InvalidArgument",
    'Layer "l\\layer.vhd" is not an absolute path',
  ],
  [
    "a scratch directory that is relative",
    folders("C:\\l", "s"),
    "InvalidArgument",
    'Layer "s\\sandbox.vhdx" is not an absolute path',
  ],
  [
    "an option that is not known",
    partitioned(scratch, layers, "other=1"),
    "InvalidArgument",
    'option "other" is not known',
  ],
  [
    "no scratch",
    partitioned(layers),
    "InvalidArgument",
    'option "scratch" is missing',
  ],
  [
    "an empty scratch",
    partitioned("scratch=", layers),
    "InvalidArgument",
    'option "scratch" is missing',
  ],
  [
    "no partitioned layer",
    partitioned(scratch),
    "InvalidArgument",
    'option "parent-partitioned-layers" names no layer',
  ],
];
const rows: [what: string, row: string][] = [
  ["a row that is text", '"C:\\\\l"'],
  ["a row without path", '{"Partition":1}'],
  ["a path that is empty", '{"Path":""}'],
  ["a path that is a number", '{"Path":1}'],
  ["a partition that is text", '{"Path":"C:\\\\l","Partition":"1"}'],
  ["a partition that is negative", '{"Path":"C:\\\\l","Partition":-1}'],
  ["a partition that is no whole number", '{"Path":"C:\\\\l","Partition":1.5}'],
  ["a row that is null", "null"],
];
for (const [what, row] of rows) {
  const source = partitioned(scratch, `parent-partitioned-layers=[${row}]`);
  refused.push([what, source, "InvalidArgument", "a layer is no {"]);
}
for (const [what, source, code, message] of refused) {
  Deno.test(`${what} is refused with ${code}`, async () => {
    const error = assertThrows(() => windowsLayerPlan(source), ShimError);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, message);
    await assertRejects(
      () =>
        windowsLayers(
          source,
          () => Promise.reject(new Error("a disk is made")),
          () => Promise.reject(new Error("a file is looked at")),
        ),
      ShimError,
      message,
    );
  });
}

/** A file system with these files. */
function files(...paths: string[]): {
  look: (path: string) => Promise<unknown>;
  create: (path: string, bytes: bigint) => Promise<void>;
  created: [string, bigint][];
} {
  const created: [string, bigint][] = [];
  return {
    created,
    look: (path) =>
      paths.includes(path)
        ? Promise.resolve()
        : Promise.reject(new Deno.errors.NotFound("os error 2")),
    create: (path, bytes) => {
      created.push([path, bytes]);
      return Promise.resolve();
    },
  };
}

const source = folders("C:\\top", "C:\\base", "C:\\s");
const layerFiles = ["C:\\top\\layer.vhd", "C:\\base\\layer.vhd"];

Deno.test("disks that are there are used", async () => {
  const { look, create, created } = files(...layerFiles, "C:\\s\\sandbox.vhdx");
  assertEquals(await windowsLayers(source, create, look), {
    readOnly: layerFiles.map((path) => ({ ...disk, path })),
    scratch: { ...disk, path: "C:\\s\\sandbox.vhdx" },
  });
  assertEquals(created, []);
});

Deno.test("a scratch disk that is missing is made, with 20 GiB", async () => {
  const { look, create, created } = files(...layerFiles);
  const { scratch } = await windowsLayers(source, create, look);
  assertEquals(scratch.path, "C:\\s\\sandbox.vhdx");
  assertEquals(created, [["C:\\s\\sandbox.vhdx", 20n * 2n ** 30n]]);
});

Deno.test("a scratch disk that another container has just made is used", async () => {
  const { look } = files(...layerFiles);
  const create = () => Promise.reject(new ShimError("AlreadyExists", "there"));
  const { scratch } = await windowsLayers(source, create, look);
  assertEquals(scratch.path, "C:\\s\\sandbox.vhdx");
});

Deno.test("a scratch disk that cannot be made is an error", async () => {
  const { look } = files(...layerFiles);
  const failure = new ShimError("ResourceExhausted", "the disk is full");
  const error = await assertRejects(
    () => windowsLayers(source, () => Promise.reject(failure), look),
    ShimError,
    "the disk is full",
  );
  assert(error === failure);
});

Deno.test("a layer that is missing is named, and no scratch disk is made", async () => {
  const { look, create, created } = files(layerFiles[0]!);
  const error = await assertRejects(
    () => windowsLayers(source, create, look),
    ShimError,
    'Layer "C:\\base\\layer.vhd" not found',
  );
  assertEquals(error.code, "NotFound");
  assertEquals(created, []);
});

Deno.test("a layer that may not be looked at keeps the reason's class", async () => {
  const cause = new Deno.errors.PermissionDenied("os error 5");
  const error = await assertRejects(
    () =>
      windowsLayers(
        source,
        () => Promise.resolve(),
        () => Promise.reject(cause),
      ),
    ShimError,
    'Cannot look at layer "C:\\top\\layer.vhd"',
  );
  assertEquals([error.code, error.cause], ["PermissionDenied", cause]);
});

Deno.test("files are looked at in the file system of the machine", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // With two slashes it is an absolute path on Windows, too.
    const path = `/${folder}`;
    await Deno.writeTextFile(`${path}/a.vhd`, "");
    const option = JSON.stringify([{ Path: `${path}/a.vhd` }]);
    const made: string[] = [];
    const { readOnly, scratch } = await windowsLayers(
      partitioned(
        `scratch=${path}/s.vhdx`,
        `parent-partitioned-layers=${option}`,
      ),
      (path) => Promise.resolve(void made.push(path)),
    );
    assertEquals(readOnly, [{ ...disk, path: `${path}/a.vhd` }]);
    assertEquals(made, [scratch.path]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
