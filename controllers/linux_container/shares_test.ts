import { assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import { silentLogger } from "../../base/log.ts";
import { joinWindowsPath } from "../../base/windows_path.ts";
import type { Mount } from "../../oci/spec.gen.ts";
import { Plan9Controller } from "../device/plan9/mod.ts";
import { DeviceWorld } from "../testing/device_world.ts";
import type { ContainerDependencies, HostShares } from "./dependencies.ts";
import { makeMounts } from "./mounts.ts";
import { ContainerResources } from "./resources.ts";

const injected = new ShimError("Internal", "injected");

function bind(source: string, ...options: string[]): Mount {
  return { destination: "/x", type: "bind", source, options };
}

/** A VM with file shares on a host with some files. */
class ShareWorld {
  readonly devices = new DeviceWorld();
  readonly plan9: Plan9Controller;
  readonly held = new ContainerResources(silentLogger);
  readonly #join: HostShares["files"]["join"];

  constructor(
    join: HostShares["files"]["join"] = joinWindowsPath,
    noWritableFileShares = false,
  ) {
    this.#join = join;
    this.plan9 = new Plan9Controller(this.devices, { noWritableFileShares });
  }

  /** Makes mounts. @returns Their sources in the guest. */
  async mount(...mounts: Mount[]): Promise<(string | undefined)[]> {
    const files: HostShares["files"] = {
      join: this.#join,
      stat: (path) =>
        path.includes("missing")
          ? Promise.reject(new ShimError("NotFound", "it is not there"))
          : Promise.resolve(/\.\w+$/.test(path) ? "file" : "directory"),
    };
    const deps: Partial<ContainerDependencies> = {
      shares: { plan9: this.plan9, files },
    };
    const made = await makeMounts(
      deps as ContainerDependencies,
      "vm",
      mounts,
      this.held,
    );
    for (const { type } of made) assertEquals(type, "bind");
    return made.map(({ source }) => source);
  }
}

Deno.test("host:K63 a directory of the host is shared, read-only when it is mounted so", async () => {
  const world = new ShareWorld();
  assertEquals(
    await world.mount(
      bind("C:\\data", "rbind"),
      bind("C:\\ro\\", "rbind", "RO"),
    ),
    ["/run/mounts/plan9/0", "/run/mounts/plan9/1"],
  );
  assertEquals(
    world.plan9.shares.map(({ config }) => config),
    [
      { hostPath: "C:\\data", readOnly: false },
      { hostPath: "C:\\ro\\", readOnly: true },
    ],
  );
  assertEquals(
    world.plan9.shares.map(({ mount }) => mount?.config.readOnly),
    [false, true],
  );
  await world.held.release();
  assertEquals([world.devices.isEmpty, world.plan9.shares], [true, []]);
});

const files: readonly [
  source: string,
  join: HostShares["files"]["join"],
  hostPath: string,
  name: string,
][] = [
  ["C:\\conf\\app.ini", joinWindowsPath, "C:\\conf\\", "app.ini"],
  ["C:/conf/app.ini", joinWindowsPath, "C:/conf/", "app.ini"],
  ["/conf/a\\b.ini", (...parts) => parts.join("/"), "/conf/", "a\\b.ini"],
];

for (const [source, join, hostPath, name] of files) {
  Deno.test(`host:K63 the single file ${source} is a directory that shows only it`, async () => {
    const world = new ShareWorld(join);
    assertEquals(await world.mount(bind(source, "ro")), [
      // The peer's mount source lacks the name, and is the directory.
      `/run/mounts/plan9/0/${name}`,
    ]);
    assertEquals(world.plan9.shares.map(({ config }) => config), [
      { hostPath, readOnly: true, restrict: true, allowedNames: [name] },
    ]);
  });
}

Deno.test("one directory mounted twice is one share, in two ways it is refused", async () => {
  const world = new ShareWorld();
  const twice = await world.mount(bind("C:\\data"), bind("C:\\data"));
  assertEquals(new Set(twice).size, 1);
  const error = await assertRejects(
    () => world.mount(bind("C:\\data", "ro")),
    ShimError,
    '"C:\\data" with different config',
  );
  assertEquals(error.code, "AlreadyExists");
});

const failures: readonly [
  what: string,
  mount: Mount,
  arrange: (world: ShareWorld) => void,
  code: ErrorCode,
  text: string,
][] = [
  [
    "its source is missing",
    bind("C:\\missing"),
    () => {},
    "NotFound",
    'Cannot mount "C:\\missing" at "/x"',
  ],
  [
    "the host refuses",
    bind("C:\\data"),
    ({ devices }) => devices.script.failNext("vm", injected),
    "Internal",
    "injected",
  ],
  [
    "the guest refuses",
    bind("C:\\data"),
    ({ devices }) => devices.script.failNext("guest", injected),
    "Internal",
    "injected",
  ],
];

for (const [what, mount, arrange, code, text] of failures) {
  Deno.test(`host:K64 a mount fails when ${what}, and leaves nothing after a release`, async () => {
    const world = new ShareWorld();
    await world.mount(bind("C:\\first"));
    arrange(world);
    const error = await assertRejects(
      () => world.mount(mount),
      ShimError,
      text,
    );
    assertEquals(error.code, code);
    await world.held.release();
    assertEquals([world.devices.isEmpty, world.plan9.shares], [true, []]);
  });
}

Deno.test("host:K64 a writable share is denied where the sandbox has none", async () => {
  const world = new ShareWorld(joinWindowsPath, true);
  const error = await assertRejects(
    () => world.mount(bind("C:\\data")),
    ShimError,
    "adding writable shares is denied",
  );
  assertEquals(error.code, "PermissionDenied");
  assertEquals(await world.mount(bind("C:\\data", "ro")), [
    "/run/mounts/plan9/0",
  ]);
});

Deno.test("a VM without file shares refuses directories of the host", async () => {
  const held = new ContainerResources(silentLogger);
  const deps = {} as ContainerDependencies;
  const error = await assertRejects(
    () => makeMounts(deps, "vm", [bind("C:\\data")], held),
    ShimError,
    'Cannot mount "C:\\data" at "/x"',
  );
  assertEquals([error.code, held.isEmpty], ["NotImplemented", true]);
});
