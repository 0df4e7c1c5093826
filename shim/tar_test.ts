import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { tarArchive } from "./tar.ts";

const encoder = new TextEncoder();

Deno.test("tar reads what tarArchive() writes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lcow-tar-" });
  try {
    const contents: Record<string, string> = {
      "a/empty": "",
      "a/block": "x".repeat(512),
      "a/odd": "größer\n".repeat(100),
      [`a/${"n".repeat(98)}`]: "long name",
    };
    const files = Object.entries(contents).map(([name, text]) => ({
      name,
      content: encoder.encode(text),
    }));
    const archive = await new Blob([...tarArchive(files, 86_400_999)]).bytes();
    assertEquals(archive.length % 512, 0);
    await Deno.writeFile(`${folder}/archive.tar`, archive);
    const { success, stderr } = await new Deno.Command("tar", {
      args: ["-xf", "archive.tar"],
      cwd: folder,
    }).output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    for (const [name, text] of Object.entries(contents)) {
      const path = `${folder}/${name}`;
      assertEquals(await Deno.readTextFile(path), text);
      const { mode, mtime } = await Deno.stat(path);
      assertEquals([mode! & 0o777, mtime?.getTime()], [0o600, 86_400_000]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a name that does not fit into the header is refused", () => {
  const file = { name: "ü".repeat(51), content: new Uint8Array() };
  assertThrows(() => [...tarArchive([file], 0)], ShimError, "100 bytes");
});
