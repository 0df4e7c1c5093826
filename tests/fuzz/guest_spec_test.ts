/**
 * The guest's rewriting of specifications against hostile paths, images and
 * annotations.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ShimError } from "../../base/errors.ts";
import { expandTemplates } from "../../guest/generic_hook.ts";
import { pathInFolder } from "../../guest/spec/pod_files.ts";
import { resolveUser } from "../../guest/spec/users.ts";
import {
  isInside,
  parentOf,
  resolveInRoot,
} from "../../guest/storage/paths.ts";

const part = fc.constantFrom("a", "b", "c", "d", "..", ".", "");
const path = fc.tuple(
  fc.constantFrom("", "/"),
  fc.array(part, { maxLength: 6 }),
)
  .map(([start, parts]) => start + parts.join("/"));

async function withFolder(
  test: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Takes a refusal as an answer; anything else is a defect. */
async function unlessRefused<T>(
  task: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof ShimError) return undefined;
    throw error;
  }
}

/** True when a path has no link below a folder. */
async function hasNoLinks(root: string, place: string): Promise<boolean> {
  let at = root;
  for (const name of place.slice(root.length).split("/").slice(1)) {
    at += `/${name}`;
    const info = await Deno.lstat(at).catch(() => undefined); // missing
    if (info?.isSymlink) return false;
  }
  return true;
}

Deno.test("whatever links a container makes, a path in its folder leads to no place outside of it", async () => {
  let resolved = 0;
  const links = fc.array(fc.tuple(path, path), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(links, path, async (made, asked) => {
      await withFolder(async (root) => {
        await Deno.mkdir(`${root}/a/b`, { recursive: true });
        for (const [place, target] of made) {
          const inside = pathOrNothing(root, place);
          if (inside === undefined) continue;
          // One that is made through another one could lie anywhere.
          if (!await hasNoLinks(root, parentOf(inside))) continue;
          // Some have a parent that is missing, or are taken.
          await Deno.symlink(target, inside).catch(() => {});
        }
        const found = await unlessRefused(() => resolveInRoot(root, asked));
        if (found === undefined) return;
        resolved++;
        assert(isInside(found, root), found);
        assert(await hasNoLinks(root, found), found);
        assertEquals(
          await resolveInRoot(root, found.slice(root.length)),
          found,
        );
      });
    }),
    { numRuns: 300 },
  );
  assert(resolved > 100);
});

function pathOrNothing(root: string, place: string): string | undefined {
  try {
    return pathInFolder(root, place);
  } catch {
    return undefined; // it leaves the folder
  }
}

Deno.test("whatever an image says of its users, ids are 32 bits wide or the user is refused", async () => {
  const word = fc.oneof(
    fc.constantFrom("root", "0", "app", "4294967295", "4294967296", "-1", ""),
    fc.string(),
  );
  const file = fc.array(fc.array(word, { maxLength: 6 }), { maxLength: 5 })
    .map((lines) => lines.map((words) => words.join(":")).join("\n"));
  await withFolder(async (rootfs) => {
    await Deno.mkdir(`${rootfs}/etc`);
    await fc.assert(
      fc.asyncProperty(file, file, word, word, async (users, groups, u, g) => {
        await Deno.writeTextFile(`${rootfs}/etc/passwd`, users);
        await Deno.writeTextFile(`${rootfs}/etc/group`, groups);
        for (const user of [u, `${u}:${g}`]) {
          const found = await unlessRefused(() => resolveUser(user, rootfs));
          for (const id of Object.values(found ?? {})) {
            assert(Number.isInteger(id) && id >= 0 && id <= 0xffff_ffff);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

Deno.test("whatever a hook is told to expand, it is expanded or refused", async () => {
  const piece = fc.oneof(
    fc.constantFrom("{{id}}", "{{pid}}", '{{annotation "k"}}', "{{", "}}"),
    fc.string(),
  );
  const state = { id: "c", pid: 1, annotations: { k: "{{id}}" } };
  await fc.assert(
    fc.asyncProperty(fc.array(piece), async (pieces) => {
      await unlessRefused(() => expandTemplates(pieces.join(""), state));
    }),
  );
});
