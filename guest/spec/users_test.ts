import { assertEquals, assertRejects } from "@std/assert";
import type { Spec } from "../../oci/spec.gen.ts";
import { applyUser } from "./annotations.ts";
import { resolveUser } from "./users.ts";

const passwd = [
  "root:x:0:0::/:/bin/sh",
  "app:x:10:20::/:",
  "twice:x:1:1::/:",
  "twice:x:2:2::/:",
  "one:x:30:31::/:",
  "other:x:30:32::/:",
  "large:x:4294967296:1::/:",
  "wide:x:40:4294967296::/:",
].join("\n");
const group = "staff:x:50:\nmany:x:60:\nmany:x:61:\nlarge:x:4294967296:\n";

async function withImage(
  files: Record<string, string>,
  test: (rootfs: string) => Promise<void>,
): Promise<void> {
  const rootfs = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${rootfs}/etc`);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${rootfs}/etc/${name}`, text);
    }
    await test(rootfs);
  } finally {
    await Deno.remove(rootfs, { recursive: true });
  }
}

const right: [why: string, user: string, uid: number, gid: number][] = [
  ["a name has uid and gid of its entry", "app", 10, 20],
  ["a number with one entry has its gid", "10", 10, 20],
  ["a number without an entry has gid 0", "11", 11, 0],
  ["a number with several entries has gid 0", "30", 30, 0],
  ["a group by name", "app:staff", 10, 50],
  ["a group by number", "app:7", 10, 7],
  ["a number and a group by name", "10:staff", 10, 50],
  ["the largest numbers", "4294967295:4294967295", 4294967295, 4294967295],
];
for (const [why, user, uid, gid] of right) {
  Deno.test(`7.2 user "${user}": ${why}`, () =>
    withImage({ passwd, group }, async (rootfs) => {
      assertEquals(await resolveUser(user, rootfs), { uid, gid });
    }));
}

const wrong: [why: string, user: string, message: string][] = [
  ["a name without an entry", "none", "no such entry"],
  ["a name with several entries", "twice", "more than one"],
  ["a group without an entry", "app:none", "no such entry"],
  ["a group with several entries", "app:many", "more than one"],
  ["two colons", "a:b:c", "user[:group]"],
  ["a user beyond 32 bits", "4294967296", "4294967296"],
  ["a negative user", "-1", "-1"],
  ["a group beyond 32 bits", "0:4294967296", "4294967296"],
  ["an entry beyond 32 bits", "large", "4294967296"],
  ["an entry whose group is beyond 32 bits", "wide", "4294967296"],
  ["the same by number", "40", "4294967296"],
  ["a group's entry beyond 32 bits", "app:large", "4294967296"],
];
for (const [why, user, message] of wrong) {
  Deno.test(`7.2 user "${user}" is refused: ${why}`, () =>
    withImage({ passwd, group }, async (rootfs) => {
      await assertRejects(() => resolveUser(user, rootfs), Error, message);
    }));
}

Deno.test("7.2 an image without files knows numbers only", () =>
  withImage({}, async (rootfs) => {
    assertEquals(await resolveUser("10:5", rootfs), { uid: 10, gid: 5 });
    await assertRejects(() => resolveUser("app", rootfs), Error, "no such");
  }));

Deno.test("7.2 only uid and gid of the process change; its name stays", () =>
  withImage({ passwd, group }, async (path) => {
    const spec: Spec = {
      ociVersion: "1.1.0",
      root: { path },
      process: {
        cwd: "/",
        user: { uid: 1, gid: 2, username: "app", additionalGids: [9] },
      },
    };
    await applyUser(spec);
    const user = { uid: 10, gid: 20, username: "app", additionalGids: [9] };
    assertEquals(spec.process?.user, user);
  }));

Deno.test("links of an image are followed in it, not out of it", () =>
  withImage({}, async (rootfs) => {
    await Deno.mkdir(`${rootfs}/nix`);
    await Deno.writeTextFile(`${rootfs}/nix/passwd`, passwd);
    await Deno.symlink("/nix/passwd", `${rootfs}/etc/passwd`);
    assertEquals(await resolveUser("app", rootfs), { uid: 10, gid: 20 });
    await Deno.remove(`${rootfs}/etc/passwd`);
    await Deno.symlink("../../../../etc/passwd", `${rootfs}/etc/passwd`);
    // A loop in the image; the machine's own file has a root.
    await assertRejects(() => resolveUser("root", rootfs), Error, "links");
  }));

Deno.test("what is no file of an image is not read", () =>
  withImage({}, async (rootfs) => {
    await new Deno.Command("mkfifo", { args: [`${rootfs}/etc/passwd`] })
      .output();
    await assertRejects(() => resolveUser("app", rootfs), Error, "no file");
  }));
