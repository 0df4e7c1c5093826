import { assert, assertEquals, assertRejects } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import type { MountRequest } from "../../ffi/linux/mount.ts";
import {
  bundleOnScratch,
  combineLayers,
  isInside,
  mountOverlay,
  type OverlayPorts,
} from "./overlay.ts";

Deno.test("guest:G1 guest:G2 guest:G3 guest:G4 guest:G5 guest:G6 a bundle lies on its scratch unless the scratch lies in it", () => {
  const rows: [string, string, boolean][] = [
    ["/run/gcs/c/abc", "", false],
    ["/run/gcs/c/abc", "/run/gcs/c/abc/scratch/abc", false],
    ["/run/gcs/c/workload", "/run/gcs/c/sandbox/scratch/workload", true],
    [
      "/run/gcs/pods/pod/ctr",
      "/run/mounts/scsi/0_2_0/scratch/pod/ctr",
      true,
    ],
    ["/run/gcs/c/abc", "/run/gcs/c/abc", false],
    ["/run/gcs/c/abc", "/run/gcs/c/abcdef/scratch/abcdef", true],
  ];
  for (const [bundle, scratch, bound] of rows) {
    const source = bundleOnScratch(bundle, scratch);
    assertEquals(source, bound ? `${scratch}/bundle` : undefined);
  }
});

Deno.test("isInside() compares components", () => {
  assert(isInside("/a/b", "/a/"));
  assert(isInside("/a", "/a"));
  assert(!isInside("/ab", "/a"));
});

function ports(failure?: Error): {
  mounts: MountRequest[];
  binds: string[];
  ports: OverlayPorts;
} {
  const mounts: MountRequest[] = [];
  const binds: string[] = [];
  return {
    mounts,
    binds,
    ports: {
      mount: (request) => {
        mounts.push(request);
        return failure ? Promise.reject(failure) : Promise.resolve();
      },
      bind: (source, target) =>
        Promise.resolve(void binds.push(`${source} ${target}`)),
    },
  };
}

async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("guest:O1 mountOverlay() makes upper, work and root, and mounts them in order", () =>
  withFolder(async (folder) => {
    const { mounts, ports: fake } = ports();
    await mountOverlay(["/l1", "/l2"], `${folder}/root`, folder, fake);
    assertEquals(mounts, [{
      source: "overlay",
      target: `${folder}/root`,
      type: "overlay",
      flags: 0n,
      data: `lowerdir=/l1:/l2,upperdir=${folder}/upper,workdir=${folder}/work`,
    }]);
    assertEquals(await namesIn(folder), ["root", "upper", "work"]);
  }));

Deno.test("guest:O2 mountOverlay() without scratch makes only the root, read-only", () =>
  withFolder(async (folder) => {
    const { mounts, ports: fake } = ports();
    await mountOverlay(["/a:b,c"], `${folder}/root`, "", fake);
    assertEquals(mounts[0]?.data, "lowerdir=/a\\:b\\,c");
    assertEquals(mounts[0]?.flags, 1n);
    assertEquals(await namesIn(folder), ["root"]);
  }));

Deno.test("mountOverlay() removes what it made when the mount fails", () =>
  withFolder(async (folder) => {
    const { ports: fake } = ports(new Error("invalid argument"));
    await assertRejects(
      () => mountOverlay([], `${folder}/root`, folder, fake),
      Error,
      "invalid argument",
    );
    assertEquals(await namesIn(folder), []);
    await assertRejects(() => mountOverlay([], "", "", fake), Error, "empty");
  }));

Deno.test("combineLayers() binds the bundle to the scratch before the overlay", () =>
  withFolder(async (folder) => {
    const { mounts, binds, ports: fake } = ports();
    await combineLayers(
      {
        ContainerRootPath: `${folder}/bundle/rootfs`,
        ScratchPath: `${folder}/scratch`,
        Layers: [{ Path: "/layer" }],
      },
      log,
      fake,
    );
    assertEquals(binds, [`${folder}/scratch/bundle ${folder}/bundle`]);
    assertEquals(mounts.length, 1);
    await assertRejects(() => combineLayers({}, log, fake), Error, "empty");
  }));
