import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { HResultError } from "../../base/hresult.ts";
import { FakeWindows } from "../mock/windows/machine.ts";
import { WindowsFiles } from "./host_files.ts";
import type { DllOpener } from "./library/dll.ts";
import { windowsParts } from "./platform.ts";

/** A machine without DLLs. */
const nowhere: DllOpener = {
  systemRoot: () => undefined,
  open: () => {
    throw new Error("There are no DLLs here");
  },
};

Deno.test("a machine that is not Windows fails with a reason, at the first native call", () => {
  const error = assertThrows(
    () => windowsParts({ opener: nowhere }),
    ShimError,
    "Cannot find kernel32.dll: the environment variable SystemRoot",
  );
  assertEquals(error.code, "FailedPrecondition");
});

/** A temporary directory whose end the test does not forget. */
async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  const remove = () => Deno.remove(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: remove };
}

Deno.test("WindowsFiles joins in Windows' flavour", () => {
  using windows = new FakeWindows();
  const { libraries } = windows;
  assertEquals(
    new WindowsFiles({ libraries }).join("C:\\a", "..", "b/c"),
    "C:\\b\\c",
  );
});

Deno.test("WindowsFiles tells files from directories, copies and lists", async () => {
  using windows = new FakeWindows();
  const { libraries } = windows;
  await using folder = await temporary();
  const files = new WindowsFiles({ libraries });
  const kernel = `${folder.path}/kernel`;
  await Deno.writeTextFile(kernel, "new");
  await Deno.writeTextFile(`${folder.path}/old`, "to be overwritten");
  await Deno.mkdir(`${folder.path}/sub`);
  assertEquals(await files.stat(kernel), "file");
  assertEquals(await files.stat(folder.path), "directory");
  assertEquals(await files.read(kernel), new TextEncoder().encode("new"));
  await files.copy(kernel, `${folder.path}/old`);
  assertEquals(await Deno.readTextFile(`${folder.path}/old`), "new");
  assertEquals(
    [...await files.bootFiles(folder.path)].sort(),
    ["kernel", "old"],
  );
});

Deno.test("WindowsFiles names the path that does not exist", async () => {
  await using folder = await temporary();
  using windows = new FakeWindows();
  const { libraries } = windows;
  const gone = `${folder.path}/gone`;
  const files = new WindowsFiles({ libraries });
  const calls: (() => Promise<unknown>)[] = [
    () => files.stat(gone),
    () => files.read(gone),
    () => files.copy(gone, `${folder.path}/x`),
    () => files.bootFiles(gone),
  ];
  for (const call of calls) {
    const error = await assertRejects(
      call,
      ShimError,
      `"${gone}": it does not exist`,
    );
    assertEquals(classify(error), "NotFound");
  }
});

Deno.test("WindowsFiles resolves and grants; what the machine refuses is a rejection", async () => {
  using windows = new FakeWindows();
  const { libraries } = windows;
  const files = new WindowsFiles({ libraries });
  const calls = [
    () => files.resolve("C:\\a"),
    () => files.grantVmGroup("C:\\a"),
  ];
  for (const call of calls) {
    const error = await assertRejects(call, HResultError, '"C:\\a"');
    assertEquals(error.code, "NotFound");
  }
  windows.files.add("C:\\a", { [1]: "\\\\?\\Volume{1}\\a" });
  assertEquals(await files.resolve("C:\\a"), "\\\\?\\Volume{1}\\a");
  await files.grantVmGroup("C:\\a");
  assertEquals(
    windows.files.find("C:\\a").access?.map(({ sid }) => sid),
    ["S-1-5-83-0", "S-1-5-18"],
  );
  assertEquals(windows.leftovers(), []);
});

Deno.test("the default boot directory is %ProgramFiles%\\Linux Containers without one beside the executable", async () => {
  using windows = new FakeWindows();
  const { libraries } = windows;
  const executable = "C:\\shim\\lcow.exe";
  const programFiles = "C:\\Program Files";
  const files = new WindowsFiles({
    libraries,
    places: () => ({ executable, programFiles }),
  });
  assertEquals(
    await files.defaultBootDirectory(),
    "C:\\Program Files\\Linux Containers",
  );
  const bare = new WindowsFiles({
    libraries,
    places: () => ({ executable, programFiles: undefined }),
  });
  const error = await assertRejects(
    () => bare.defaultBootDirectory(),
    ShimError,
    "boot_files_root_path",
  );
  assertEquals(error.code, "NotFound");
});
