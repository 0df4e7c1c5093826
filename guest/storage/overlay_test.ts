import { assertEquals, assertRejects } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import { ShimError } from "../../base/errors.ts";
import type { CombinedLayers } from "../../bridge/messages.gen.ts";
import { ErrnoError } from "../../ffi/linux/errno.ts";
import type { MountRequest } from "../../ffi/linux/mount.ts";
import {
  bundleOnScratch,
  combineLayers,
  type OverlayPorts,
  parseOverlay,
  withShortOptions,
} from "./overlay.ts";
import { makeFolder } from "./paths.ts";
import { removeMountPoint } from "./unmount.ts";
import { namesIn } from "../wait.ts";

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

function ports(overrides: Partial<OverlayPorts> = {}): {
  mounts: MountRequest[];
  calls: string[];
  ports: OverlayPorts;
} {
  const mounts: MountRequest[] = [];
  const calls: string[] = [];
  const ports: OverlayPorts = {
    mount: (request) => Promise.resolve(void mounts.push(request)),
    bind: (source, target) =>
      Promise.resolve(void calls.push(`bind ${source} ${target}`)),
    unmount: (target) => Promise.resolve(void calls.push(`unmount ${target}`)),
    undoMount: (target) => Promise.resolve(calls.push(`undo ${target}`)),
    makeFolder,
    removeFolder: removeMountPoint,
    free: () => Promise.resolve({ bytes: 0, inodes: 0 }),
    ...overrides,
  };
  return { mounts, calls, ports };
}

const failing: Partial<OverlayPorts> = {
  mount: () => Promise.reject(new Error("invalid argument")),
};

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

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

Deno.test("guest:O1 an overlay gets upper, work and root, and its layers in order", () =>
  withFolder(async (folder) => {
    const { mounts, ports: fake } = ports();
    const [root, scratch] = [`${folder}/root`, `${folder}/s`];
    await combineLayers({ root, layers: ["/l1", "/l2"], scratch }, log, fake);
    assertEquals(mounts, [{
      source: "overlay",
      target: root,
      type: "overlay",
      flags: 0n,
      data:
        `lowerdir=/l1:/l2,upperdir=${scratch}/upper,workdir=${scratch}/work`,
    }]);
    for (const path of [root, `${scratch}/upper`, `${scratch}/work`]) {
      assertEquals(await modeOf(path), 0o755);
    }
  }));

Deno.test("guest:O2 an overlay without scratch has only its root, read-only", () =>
  withFolder(async (folder) => {
    const { mounts, calls, ports: fake } = ports();
    const root = `${folder}/root`;
    const overlay = { root, layers: ["/a:b,c"], scratch: "" };
    await combineLayers(overlay, log, fake);
    assertEquals(mounts[0]?.data, "lowerdir=/a\\:b\\,c");
    assertEquals(mounts[0]?.flags, 1n);
    assertEquals(await namesIn(folder), ["root"]);
    assertEquals(calls, []);
  }));

Deno.test("an overlay that cannot be mounted leaves nothing", () =>
  withFolder(async (folder) => {
    const { calls, ports: fake } = ports(failing);
    const bundle = `${folder}/bundle`;
    const overlay = {
      root: `${bundle}/rootfs`,
      layers: ["/layer"],
      scratch: `${folder}/scratch`,
    };
    await Deno.mkdir(overlay.scratch);
    await Deno.writeTextFile(`${overlay.scratch}/kept`, "");
    await assertRejects(
      () => combineLayers(overlay, log, fake),
      Error,
      "invalid argument",
    );
    const bind = `bind ${overlay.scratch}/bundle ${bundle}`;
    assertEquals(calls, [bind, `undo ${bundle}`]);
    assertEquals(await namesIn(folder), ["scratch"]);
    assertEquals(await namesIn(overlay.scratch), ["kept"]);
  }));

Deno.test("the bundle is bound to the scratch before the overlay", () =>
  withFolder(async (folder) => {
    const { mounts, calls, ports: fake } = ports();
    const overlay = parseOverlay({
      ContainerRootPath: `${folder}/./bundle//rootfs`,
      ScratchPath: `${folder}/scratch`,
      Layers: [{ Path: "/layer" }],
    });
    await combineLayers(overlay, log, fake);
    assertEquals(calls, [`bind ${folder}/scratch/bundle ${folder}/bundle`]);
    assertEquals(mounts[0]?.target, `${folder}/bundle/rootfs`);
  }));

Deno.test("a full scratch is told with what is left on it", async () => {
  const { ports: fake } = ports({
    makeFolder: () => Promise.reject(new ErrnoError(28, "mkdir")),
    free: () => Promise.resolve({ bytes: 4096, inodes: 7 }),
  });
  const overlay = { root: "/no/root", layers: ["/l"], scratch: "/no" };
  const error = await assertRejects(
    () => combineLayers(overlay, log, fake),
    ShimError,
    "4096 bytes and 7 inodes",
  );
  assertEquals(error.code, "ResourceExhausted");
});

Deno.test("settings that are not right are refused before anything is made", () =>
  withFolder(async (folder) => {
    const { calls, mounts, ports: fake } = ports();
    const root = `${folder}/root`;
    const bad: [CombinedLayers, string][] = [
      [{}, "empty target"],
      [{ ContainerRootPath: "root" }, "ContainerRootPath"],
      [{ ContainerRootPath: "/" }, "ContainerRootPath"],
      [{ ContainerRootPath: root, ScratchPath: "/a/../b" }, "ScratchPath"],
      [{ ContainerRootPath: root, Layers: [{}] }, "layer"],
      [{ ContainerRootPath: root }, `"${root}": it has no layers`],
    ];
    for (const [settings, message] of bad) {
      const call = async () =>
        await combineLayers(parseOverlay(settings), log, fake);
      await assertRejects(call, ShimError, message);
    }
    // A disk of the host leads out of itself.
    await Deno.mkdir(`${folder}/disk`);
    await Deno.symlink("/", `${folder}/disk/scratch`);
    await Deno.symlink("/etc", `${folder}/disk/upper`);
    const layers = ["/layer"];
    const leading = [
      { root, layers, scratch: `${folder}/disk/scratch/x` },
      { root, layers, scratch: `${folder}/disk` },
      { root, layers: [`${folder}/disk/scratch/etc`], scratch: "" },
      { root: `${folder}/disk/scratch/none/r`, layers, scratch: "" },
    ];
    for (const overlay of leading) {
      await assertRejects(
        () => combineLayers(overlay, log, fake),
        ShimError,
        "symbolic link",
      );
    }
    assertEquals([calls, mounts], [[], []]);
    assertEquals(await namesIn(folder), ["disk"]);
  }));

Deno.test("options that do not fit name links, which are gone afterwards", () =>
  withFolder(async (folder) => {
    const layers = Array.from(
      { length: 80 },
      (_, i) => `/${"l".repeat(60)}${i}`,
    );
    await withShortOptions(layers, ["/u", "/w"], async (data) => {
      const form = /^lowerdir=(.*),upperdir=(.*),workdir=(.*)$/;
      const [, lower = "", upper = "", work = ""] = form.exec(data) ?? [];
      const links = lower.split(":");
      assertEquals(links.length, layers.length);
      for (const [i, link] of [...links, upper, work].entries()) {
        assertEquals(await Deno.readLink(link), [...layers, "/u", "/w"][i]);
      }
    }, folder);
    await assertRejects(
      () =>
        withShortOptions(
          Array(2000).fill("/layer"),
          [],
          async () => {},
          folder,
        ),
      ShimError,
      "2000 layers",
    );
    assertEquals(await namesIn(folder), []);
  }));
