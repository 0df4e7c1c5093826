import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { classify, ShimError } from "../../base/errors.ts";
import { windowsBuild, windowsHost, windowsPlatform } from "./host.ts";
import { WindowsFiles } from "./host_files.ts";

Deno.test("windowsBuild reads the third number of the version", () => {
  assertEquals(windowsBuild("10.0.26100"), 26100);
  assertEquals(windowsBuild("10.0.20348.1"), 20348);
  assertThrows(() => windowsBuild("6.1"), ShimError, '"6.1"');
});

Deno.test("the Windows platform names itself and its endpoint", async () => {
  const platform = windowsPlatform();
  assertEquals(platform.os, "windows");
  assertEquals(
    await platform.endpoint("k8s.io", "pod1"),
    "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\containerd-shim-k8s.io-pod1-pipe",
  );
});

Deno.test("what this version lacks on Windows fails at once and says what it is", async () => {
  const { sockets, platform } = await windowsHost();
  const source = { rootfs: [], layerFolders: [], rootPath: "", bundle: "B" };
  const options = { cwd: "", stdin: new Uint8Array(), env: {} };
  const lacks: [string, () => Promise<unknown>][] = [
    ["Hyper-V sockets", () => sockets.listen("vm", 1)],
    ["named pipes", () => platform.listen("\\\\.\\pipe\\a")],
    ["named pipes", () => platform.connect("\\\\.\\pipe\\a")],
    ["named pipes", () => platform.stdio("\\\\.\\pipe\\a", "stdin")],
    ["named pipes", () => platform.logSink("ns", "id", "B")],
    ["detached processes", () => platform.spawnDetached(["serve"], options)],
    ["lcow-layer mounts", () => platform.layers(source)],
    ["named pipes", () => platform.cleanUp("ns", "key")],
  ];
  for (const [lack, call] of lacks) {
    const error = await assertRejects(
      call,
      ShimError,
      `this version of the shim has no ${lack} on Windows`,
    );
    assertEquals(error.code, "NotImplemented");
  }
});

Deno.test("the compute service of a machine without Windows fails with a reason", async () => {
  if (Deno.env.has("SystemRoot")) return; // a Windows machine
  const { compute } = await windowsHost();
  const error = await assertRejects(
    () => compute.enumerate({}),
    ShimError,
    "Cannot find vmcompute.dll: the environment variable SystemRoot",
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
  assertEquals(new WindowsFiles().join("C:\\a", "..", "b/c"), "C:\\b\\c");
});

Deno.test("WindowsFiles tells files from directories, copies, lists and resolves", async () => {
  await using folder = await temporary();
  const files = new WindowsFiles();
  const kernel = `${folder.path}/kernel`;
  await Deno.writeTextFile(kernel, "new");
  await Deno.writeTextFile(`${folder.path}/old`, "to be overwritten");
  await Deno.mkdir(`${folder.path}/sub`);
  assertEquals(await files.stat(kernel), "file");
  assertEquals(await files.stat(folder.path), "directory");
  await files.copy(kernel, `${folder.path}/old`);
  assertEquals(await Deno.readTextFile(`${folder.path}/old`), "new");
  assertEquals(
    [...await files.bootFiles(folder.path)].sort(),
    ["kernel", "old"],
  );
  const final = await Deno.realPath(kernel);
  assertEquals(await files.resolve(`${folder.path}/sub/../kernel`), final);
});

Deno.test("WindowsFiles names the path that does not exist", async () => {
  await using folder = await temporary();
  const gone = `${folder.path}/gone`;
  const files = new WindowsFiles();
  const calls: (() => Promise<unknown>)[] = [
    () => files.stat(gone),
    () => files.resolve(gone),
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

Deno.test("the default boot directory is %ProgramFiles%\\Linux Containers without one beside the executable", async () => {
  const executable = "C:\\shim\\lcow.exe";
  const programFiles = "C:\\Program Files";
  const files = new WindowsFiles(() => ({ executable, programFiles }));
  assertEquals(
    await files.defaultBootDirectory(),
    "C:\\Program Files\\Linux Containers",
  );
  const bare = new WindowsFiles(() => ({
    executable,
    programFiles: undefined,
  }));
  const error = await assertRejects(
    () => bare.defaultBootDirectory(),
    ShimError,
    "boot_files_root_path",
  );
  assertEquals(error.code, "NotFound");
});
