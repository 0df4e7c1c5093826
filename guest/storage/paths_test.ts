import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import {
  isInside,
  joinPath,
  makeFolder,
  parentOf,
  refuseLinks,
  requirePath,
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
