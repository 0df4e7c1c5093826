import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { diagnose, findRuntime, stateFolder } from "./diagnose.ts";

/** A temporary folder with a short path. */
async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ dir: "/tmp", prefix: "d-" });
  const remove = () => Deno.remove(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: remove };
}

Deno.test("findRuntime() prefers crun wherever it stands", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await Deno.mkdir(`${path}/a`);
  await Deno.mkdir(`${path}/b/crun`, { recursive: true });
  await Deno.mkdir(`${path}/c`);
  await Deno.writeTextFile(`${path}/a/runc`, "");
  const dirs = ["a", "b", "c"].map((name) => `${path}/${name}`).join(":");
  assertEquals(await findRuntime(dirs), { found: `${path}/a/runc` });
  await Deno.writeTextFile(`${path}/c/crun`, "");
  assertEquals(await findRuntime(dirs), { found: `${path}/c/crun` });
});

Deno.test("findRuntime() calls a PATH without a runtime a gap", async () => {
  await using folder = await temporary();
  assertEquals((await findRuntime(folder.path)).state, "gap");
});

Deno.test("stateFolder() takes a folder that can be made, and makes nothing", async () => {
  await using folder = await temporary();
  const state = `${folder.path}/x/y`;
  assertEquals(await stateFolder(state), { found: state });
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("stateFolder() refuses a file, and a path that is too long", async () => {
  await using folder = await temporary();
  const file = `${folder.path}/file`;
  await Deno.writeTextFile(file, "");
  await assertRejects(() => stateFolder(file), ShimError, "not a directory");
  const long = `/tmp/${"x".repeat(40)}`;
  await assertRejects(() => stateFolder(long), ShimError, "LCOW_STATE");
});

Deno.test("diagnose() makes a finding of a state folder that cannot be used", async () => {
  const findings = await Array.fromAsync(diagnose("relative"));
  assertEquals(findings.map(({ check }) => check), [
    "user",
    "OCI runtime",
    "control groups",
    "state folder",
  ]);
  assertEquals(findings.at(-1), {
    check: "state folder",
    state: "gap",
    found: 'LCOW_STATE "relative" is not an absolute path',
    advice: "Name another folder in LCOW_STATE",
  });
});
