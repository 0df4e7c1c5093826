import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import {
  isInside,
  joinPath,
  makeFolder,
  parentOf,
  refuseLinks,
  requirePath,
  resolveInRoot,
  writeNewFile,
} from "./paths.ts";

Deno.test("joinPath(), parentOf() and isInside() go by components", () => {
  assertEquals(joinPath("/a/./b//", "../c"), "/a/c");
  assertEquals(joinPath("/a/", "./b//c/../d"), "/a/b/d");
  assertEquals(joinPath("/../.."), "/");
  assertEquals(parentOf("/a/b/"), "/a");
  assertEquals(parentOf("/a"), "/");
  assert(isInside("/a/b", "/a/"));
  assert(isInside("/a", "/a"));
  assert(!isInside("/ab", "/a"));
});

Deno.test("requirePath() cleans what is right, and refuses what leads elsewhere", () => {
  assertEquals(requirePath("/run/.//a/", "MountPath"), "/run/a");
  for (const path of ["", "/", "//", "a", "./a", "/a/..", "/a/../b", "/a\0"]) {
    const error = assertThrows(
      () => requirePath(path, "MountPath"),
      ShimError,
      "MountPath",
    );
    assertEquals(error.code, "InvalidArgument");
  }
});

Deno.test("refuseLinks() finds a link anywhere in a path", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/a`);
    await Deno.symlink("/", `${folder}/a/up`);
    await Deno.symlink("/none", `${folder}/a/dangling`);
    await refuseLinks(`${folder}/a`);
    await refuseLinks(`${folder}/none/at/all`);
    for (const path of ["a/up", "a/up/etc", "a/dangling"]) {
      await assertRejects(
        () => refuseLinks(`${folder}/${path}`),
        ShimError,
        "is a symbolic link",
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("makeFolder() tells whether it made something", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assertEquals(await makeFolder(`${folder}/a/b`, 0o700), true);
    assertEquals(await makeFolder(`${folder}/a/b`, 0o700), false);
    await Deno.writeTextFile(`${folder}/file`, "");
    await assertRejects(
      () => makeFolder(`${folder}/file`, 0o700),
      ShimError,
      "it exists",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("resolveInRoot() reads a path as a process whose root the folder is", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${root}/a/b`, { recursive: true });
    await Deno.writeTextFile(`${root}/file`, "");
    const links = [
      ["abs", "/a"],
      ["rel", "a/b"],
      ["a/up", "../.."],
      ["out", "../../../etc"],
      ["chain", "abs/b"],
      ["dangling", "no/such"],
      ["loop", "loop2"],
      ["loop2", "loop"],
    ];
    for (const [name, target] of links) {
      await Deno.symlink(target!, `${root}/${name}`);
    }
    const rows = [
      ["", ""],
      ["/", ""],
      ["../..", ""],
      ["a/./b//c", "/a/b/c"],
      ["abs/x", "/a/x"],
      ["rel", "/a/b"],
      ["rel/../x", "/a/x"],
      ["a/up/a", "/a"],
      ["out/passwd", "/etc/passwd"],
      ["chain/c", "/a/b/c"],
      ["dangling/x", "/no/such/x"],
      ["file/x", "/file/x"],
    ];
    for (const [path, expected] of rows) {
      assertEquals(await resolveInRoot(root, path!), `${root}${expected}`);
    }
    await assertRejects(
      () => resolveInRoot(root, "loop/x"),
      ShimError,
      "too many",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("writeNewFile() replaces a link instead of following it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/kept`, "kept");
    await Deno.symlink("kept", `${folder}/link`);
    await writeNewFile(`${folder}/link`, "new", 0o600);
    await writeNewFile(`${folder}/link`, "newer", 0o600);
    assertEquals(await Deno.readTextFile(`${folder}/kept`), "kept");
    const { isFile, mode } = await Deno.lstat(`${folder}/link`);
    assertEquals([isFile, mode! & 0o777], [true, 0o600]);
    assertEquals(await Deno.readTextFile(`${folder}/link`), "newer");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
