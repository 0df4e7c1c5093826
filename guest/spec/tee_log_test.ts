import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import { prepareTeeLog } from "./tee_log.ts";

function specWith(path: string): Spec {
  return {
    ociVersion: "1.1.0",
    annotations: { "io.microsoft.container.lcow.tee-log-path": path },
  };
}

Deno.test("the log of an init's output lies in the logs of the pod, in folders for everybody", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    assertEquals(await prepareTeeLog({ ociVersion: "1.1.0" }, root), "");
    assertEquals(await prepareTeeLog(specWith(""), root), "");
    const rows = [
      ["app.log", "app.log"],
      ["/a/b/app.log", "a/b/app.log"],
      ["a/./x/../b/2", "a/b/2"],
    ];
    for (const [given, path] of rows) {
      const found = await prepareTeeLog(specWith(given!), root);
      assertEquals(found, `${root}/logs/${path}`);
    }
    for (const folder of ["logs", "logs/a", "logs/a/b"]) {
      const { mode } = await Deno.stat(`${root}/${folder}`);
      assertEquals(mode! & 0o777, 0o777, folder);
    }
    for (const path of ["..", ".", "/", "../logsX/a", "a/../../b"]) {
      await assertRejects(
        () => prepareTeeLog(specWith(path), root),
        ShimError,
        "leaves",
      );
    }
    await Deno.symlink("/etc", `${root}/logs/out`);
    const inside = await prepareTeeLog(specWith("out/cron.d/x"), root);
    assertEquals(inside, `${root}/logs/etc/cron.d/x`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
