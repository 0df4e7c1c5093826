import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Entry } from "./cpio.ts";
import { elfWith, kernelModule } from "./testing.ts";
import { imageTree, type Sources } from "./tree.ts";

/** Files of the sources, with content where it matters. */
const files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "packages/bin/busybox": elfWith({}),
  "packages/usr/bin/crun": elfWith({}),
  "packages/sbin/mke2fs": elfWith({}),
  "modules/6.1.0/kernel/overlay.ko": kernelModule("alias=fs-overlay"),
  "modules/6.1.0/kernel/sd_mod.ko": kernelModule("depends=scsi_mod"),
  "modules/6.1.0/kernel/scsi_mod.ko": kernelModule(),
  "deno": elfWith({}),
};

async function withSources(
  test: (sources: Sources, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, content] of Object.entries(files)) {
      const at = `${folder}/${path}`;
      await Deno.mkdir(at.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(at, content);
    }
    await test({
      packages: `${folder}/packages`,
      modules: `${folder}/modules/6.1.0`,
      deno: `${folder}/deno`,
      programs: `${folder}/programs`,
    }, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function textOf(entries: readonly Entry[], path: string): string {
  const { what } = entries.find((entry) => entry.path === path)!;
  assert(what.kind === "file", path);
  return new TextDecoder().decode(what.content);
}

Deno.test("imageTree() has every path once, and the folders above each", () =>
  withSources(async (sources) => {
    const { entries } = await imageTree(sources);
    const paths = entries.map(({ path }) => path);
    assertEquals(paths.length, new Set(paths).size);
    const folders = entries.filter(({ what }) => what.kind === "folder")
      .map(({ path }) => path);
    for (const path of paths) {
      const above = path.split("/").slice(0, -1).join("/");
      assert(above === "" || folders.includes(above), path);
    }
    for (const path of ["proc", "sys", "run", "tmp", "etc", "var"]) {
      assert(folders.includes(path), path);
    }
  }));

Deno.test("imageTree() has what the host's command line starts, as programs", () =>
  withSources(async (sources) => {
    const { entries } = await imageTree(sources);
    for (const path of ["init", "bin/vsockexec", "bin/gcs"]) {
      const { mode } = entries.find((entry) => entry.path === path)!;
      assertEquals(mode, 0o755);
      assert(
        /^#!\/bin\/sh\n.*exec \/bin\/deno run /.test(textOf(entries, path)),
      );
    }
  }));

Deno.test("imageTree() lists for init only modules that the kernel has", () =>
  withSources(async (sources) => {
    const { entries, absent } = await imageTree(sources);
    assertEquals(textOf(entries, "etc/modules"), "sd_mod\noverlay\n");
    assertEquals(
      textOf(entries, "lib/modules/6.1.0/modules.alias"),
      "alias fs-overlay overlay\n",
    );
    assert(absent.includes("hv_vmbus"));
  }));

Deno.test("imageTree() finds the libraries of programs, and names one that is missing", () =>
  withSources(async (sources, folder) => {
    await Deno.copyFile("/bin/sh", `${folder}/deno`);
    await assertRejects(() => imageTree(sources), Error, "libc.so.6");
    const library = `${folder}/packages/lib/x86_64-linux-gnu`;
    await Deno.mkdir(library, { recursive: true });
    for (const name of ["libc.so.6", "ld-linux-x86-64.so.2"]) {
      await Deno.writeFile(`${library}/${name}`, elfWith({}));
    }
    const { entries } = await imageTree(sources);
    const paths = entries.map(({ path }) => path);
    assert(paths.includes("lib/x86_64-linux-gnu/libc.so.6"));
    assert(paths.includes("lib64/ld-linux-x86-64.so.2"));
  }));
