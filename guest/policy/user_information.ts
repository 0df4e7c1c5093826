/**
 * Who a process runs as, by the names of its image: what a policy speaks of.
 *
 * @module
 */

import type { User } from "../../oci/spec.gen.ts";
import { rowsOf } from "../spec/users.ts";
import type { NamedId, UserInformation } from "./questions.ts";

/** Nothing is known; nobody asks. */
export const unknownUser: UserInformation = {
  user: { id: "", name: "" },
  groups: [],
  umask: "",
};

/** The kernel's own (`init_fs`), which a process has when nobody says another. */
const defaultUmask = 0o022;

/**
 * Looks a user up. Ids without exactly one name have none.
 *
 * @param user Its ids.
 * @param rootfs Root file system, whose `/etc/passwd` and `/etc/group` count.
 */
export async function userInformation(
  user: User,
  rootfs: string,
): Promise<UserInformation> {
  const { uid, gid, additionalGids = [], umask = defaultUmask } = user;
  const named = async (file: string, ids: number[]): Promise<NamedId[]> => {
    const rows = await rowsOf(rootfs, `/etc/${file}`);
    return ids.map((id) => {
      const [row, second] = rows.filter((row) => row.id === id);
      const name = second === undefined ? row?.name ?? "" : "";
      return { id: String(id), name };
    });
  };
  const [first] = await named("passwd", [uid]);
  return {
    user: first!,
    groups: await named("group", [gid, ...additionalGids]),
    umask: umask.toString(8).padStart(4, "0"),
  };
}
