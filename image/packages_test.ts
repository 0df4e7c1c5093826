import { assertEquals, assertRejects } from "@std/assert";
import {
  metaTarget,
  textOf,
  unpackPackages,
  withDependencies,
} from "./packages.ts";

/** Programs of Debian that take notes; the mirror has what `apt-get` knows. */
const programs: Readonly<Record<string, string>> = {
  "apt-get": `#!/bin/sh
echo "apt-get $*" >>"$NOTES"
case "$*" in
  *update) touch "$NOTES.lists" ;;
  *gone*) echo "no package gone" >&2; exit 100 ;;
  install*) echo "Inst liba (1 Debian)"; echo "Inst libb [1] (2 Debian)" ;;
  *download*) [ -e "$NOTES.lists" ] || exit 100; shift 2; for p; do echo >"$p.deb"; done ;;
esac
`,
  "dpkg-deb": `#!/bin/sh
echo unpacked >"$3/$(basename "$2" .deb)"
`,
  "apt-cache": `#!/bin/sh
[ "$2" = linux ] && printf 'linux\\n  Depends: linux-6.1\\n'
exit 0
`,
};

async function withDebian(
  test: (folder: string, notes: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = Deno.env.get("PATH")!;
  try {
    for (const [name, text] of Object.entries(programs)) {
      await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o755 });
    }
    Deno.env.set("PATH", `${folder}:${path}`);
    Deno.env.set("NOTES", `${folder}/notes`);
    await test(
      folder,
      async () => await textOf(`${folder}/notes`) ?? "",
    );
  } finally {
    Deno.env.set("PATH", path);
    Deno.env.delete("NOTES");
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter((name) => !name.startsWith(".")).sort();
}

Deno.test("unpackPackages() fetches once, with fresh lists when it must", () =>
  withDebian(async (folder, notes) => {
    const root = `${folder}/root`;
    const names = () => Promise.resolve(["one", "two"]);
    await unpackPackages(root, "one two", names);
    assertEquals(await namesIn(root), ["one", "two"]);
    assertEquals(
      await notes(),
      [
        "apt-get -q download one two\n",
        "apt-get -q update\n",
        "apt-get -q download one two\n",
      ].join(""),
    );
    await unpackPackages(root, "one two", () => {
      throw new Error("fetched again");
    });
  }));

Deno.test("unpackPackages() empties a folder that holds something else", () =>
  withDebian(async (folder) => {
    const root = `${folder}/root`;
    await unpackPackages(root, "one", () => Promise.resolve(["one"]));
    await unpackPackages(root, "two", () => Promise.resolve(["two"]));
    assertEquals(await namesIn(root), ["two"]);
  }));

Deno.test("unpackPackages() says what cannot be had, and tries again next time", () =>
  withDebian(async (folder) => {
    const root = `${folder}/root`;
    const gone = () =>
      unpackPackages(root, "gone", () => Promise.resolve(["gone"]));
    await assertRejects(gone, Error, "no package gone");
    await assertRejects(gone, Error, "no package gone");
    assertEquals(await namesIn(root), []);
  }));

Deno.test("withDependencies() names what the machine lacks, not what it could renew", () =>
  withDebian(async (folder) => {
    assertEquals(await withDependencies("qemu", folder), ["qemu", "liba"]);
  }));

Deno.test("metaTarget() names the package behind a meta package", () =>
  withDebian(async (folder) => {
    assertEquals(await metaTarget("linux", folder), "linux-6.1");
    await assertRejects(() => metaTarget("other", folder), Error, '"other"');
  }));
