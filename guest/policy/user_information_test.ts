import { assertEquals } from "@std/assert";
import { userInformation } from "./user_information.ts";

Deno.test("a user is known by the names of the image", async () => {
  const rootfs = await Deno.makeTempDir();
  const named = (id: string, name: string): { id: string; name: string } => ({
    id,
    name,
  });
  try {
    const user = { uid: 1000, gid: 50, additionalGids: [0, 7], umask: 0o7 };
    assertEquals(await userInformation(user, rootfs), {
      user: named("1000", ""),
      groups: [named("50", ""), named("0", ""), named("7", "")],
      umask: "0007",
    });
    await Deno.mkdir(`${rootfs}/etc`);
    await Deno.writeTextFile(
      `${rootfs}/etc/passwd`,
      "root:x:0:0::/:/bin/sh\napp:x:1000:50::/:/bin/sh\n",
    );
    await Deno.writeTextFile(
      `${rootfs}/etc/group`,
      "root:x:0:\nstaff:x:50:\ntwice:x:7:\nagain:x:7:\n",
    );
    assertEquals(await userInformation(user, rootfs), {
      user: named("1000", "app"),
      groups: [named("50", "staff"), named("0", "root"), named("7", "")],
      umask: "0007",
    });
    const { umask } = await userInformation({ uid: 0, gid: 0 }, rootfs);
    assertEquals(umask, "0022");
  } finally {
    await Deno.remove(rootfs, { recursive: true });
  }
});
