import { assert, assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../../../base/errors.ts";
import { HResultError } from "../../../base/hresult.ts";
import { FakeIo } from "../../mock/windows/bench.ts";
import { createProcess, type ProcessStart } from "./create_process.ts";
import { childFile, childPipe } from "./inheritable.ts";

const program = "C:\\Program Files\\lcow\\shim.exe";

/** The handles of a child, and their end. */
function handlesOf(
  { io }: FakeIo,
): { handles: [bigint, bigint, bigint]; close(): Promise<void> } {
  const { kernel32 } = io.libraries;
  const stdin = childPipe(io);
  const stdout = childPipe(io);
  const stderr = childFile(io, "C:\\bundle\\panic.log");
  return {
    handles: [stdin.child, stdout.child, stderr],
    close: async () => {
      for (const handle of [stdin.child, stdout.child, stderr]) {
        kernel32.CloseHandle(handle);
      }
      await stdin.stream.close();
      await stdout.stream.close();
    },
  };
}

function start(handles: ProcessStart["handles"]): ProcessStart {
  return {
    command: [program, "serve", "-id", 'a "b"\\'],
    cwd: "C:\\bundle",
    env: { b: "2", A: "1" },
    handles,
  };
}

Deno.test("a process gets program, arguments, folder, environment and exactly three handles", async () => {
  const bench = new FakeIo();
  const { kernel32 } = bench.io.libraries;
  const { handles, close } = handlesOf(bench);
  const unrelated = childPipe(bench.io); // inheritable, but not handed on
  const { handle, pid } = createProcess(kernel32, start(handles));
  const [process] = bench.windows.started;
  assertEquals(process!.pid, pid);
  assertEquals(process!.facts, {
    application: program,
    commandLine:
      '"C:\\Program Files\\lcow\\shim.exe" serve -id "a \\"b\\"\\\\"',
    environment: ["A=1", "b=2"],
    cwd: "C:\\bundle",
    // EXTENDED_STARTUPINFO_PRESENT, CREATE_NO_WINDOW, CREATE_UNICODE_ENVIRONMENT,
    // CREATE_NEW_PROCESS_GROUP
    flags: 0x0808_0600,
    inherited: handles,
  });
  process!.exit(0);
  kernel32.CloseHandle(handle);
  kernel32.CloseHandle(unrelated.child);
  await unrelated.stream.close();
  await close();
  assertEquals(await bench.end(), []);
});

Deno.test("the child's ends stay open in the child when the parent closes its own", async () => {
  const bench = new FakeIo();
  const { kernel32 } = bench.io.libraries;
  const stdin = childPipe(bench.io);
  const stdout = childPipe(bench.io);
  const stderr = childFile(bench.io, "C:\\bundle\\panic.log");
  const handles = [stdin.child, stdout.child, stderr] as const;
  const { handle } = createProcess(kernel32, start(handles));
  for (const child of handles) kernel32.CloseHandle(child);
  const [process] = bench.windows.started;
  await stdin.stream.write(new TextEncoder().encode("input"));
  assertEquals(process!.streams.stdin.text(), "input");
  process!.streams.stdout.write("output");
  const buffer = new Uint8Array(16);
  assertEquals(await stdout.stream.read(buffer), 6);
  await stdin.stream.close();
  assert(process!.streams.stdin.ended);
  process!.exit(0);
  assertEquals(await stdout.stream.read(buffer), null);
  await stdout.stream.close();
  kernel32.CloseHandle(handle);
  assertEquals(await bench.end(), []);
});

Deno.test("a program that cannot be started is named, with the code", async () => {
  const bench = new FakeIo();
  const { handles, close } = handlesOf(bench);
  for (
    const [symbol, code, text] of [
      ["CreateProcessW", 2, "ERROR_FILE_NOT_FOUND"],
      ["CreateProcessW", 5, "E_ACCESSDENIED"],
      ["UpdateProcThreadAttribute", 87, "E_INVALIDARG"],
    ] as const
  ) {
    bench.windows.calls.fail(symbol, code);
    assertThrows(
      () => createProcess(bench.io.libraries.kernel32, start(handles)),
      HResultError,
      `Cannot start "${program}": ${text}`,
    );
  }
  assertEquals(bench.windows.started, []);
  await close();
  assertEquals(await bench.end(), []);
});

Deno.test("a handle that cannot be inherited is refused", async () => {
  const bench = new FakeIo();
  const { kernel32 } = bench.io.libraries;
  const { files, kernel } = bench.windows;
  const { handles: [stdin, stdout], close } = handlesOf(bench);
  files.add("C:\\a");
  const own = kernel.handles.add(files.open("C:\\a", 3, false));
  assertThrows(
    () => createProcess(kernel32, start([stdin, stdout, own])),
    HResultError,
    "E_INVALIDARG",
  );
  kernel32.CloseHandle(own);
  await close();
  assertEquals(await bench.end(), []);
});

Deno.test("whichever call fails, only the caller's handles are left", async () => {
  let isDone = false;
  for (let skip = 0; !isDone; skip++) {
    const bench = new FakeIo();
    const { kernel32 } = bench.io.libraries;
    const { handles, close } = handlesOf(bench);
    const { calls } = bench.windows;
    calls.failAfter(skip, 1450);
    try {
      kernel32.CloseHandle(createProcess(kernel32, start(handles)).handle);
    } catch (error) {
      assert(error instanceof ShimError, String(error));
      assertEquals(bench.windows.started, []);
    }
    isDone = !calls.hasFailed;
    if (isDone) assertEquals(skip, 5);
    for (const process of bench.windows.started) process.exit(0);
    await close();
    assertEquals(await bench.end(), [], `call ${skip} failed`);
  }
});

Deno.test("a pipe to a child has one instance, a name of its own, and is for administrators", async () => {
  const bench = new FakeIo();
  const { io, windows } = bench;
  const pipes = [childPipe(io), childPipe(io)];
  const { names, descriptors } = windows.pipes;
  assertEquals(new Set(names).size, 2);
  assert(names.every((name) => name.startsWith("\\\\.\\pipe\\lcow-child-")));
  assertEquals(new Set(descriptors), new Set(["D:P(A;;GA;;;BA)(A;;GA;;;SY)"]));
  for (const { stream, child } of pipes) {
    assert(windows.kernel.handles.any(child)?.isInheritable);
    io.libraries.kernel32.CloseHandle(child);
    assertEquals(await stream.read(new Uint8Array(1)), null);
    await stream.close();
  }
  assertEquals(await bench.end(), []);
});

Deno.test("whichever call fails, nothing of a pipe is left", async () => {
  let isDone = false;
  for (let skip = 0; !isDone; skip++) {
    const bench = new FakeIo();
    const { calls } = bench.windows;
    calls.failAfter(skip, 1450);
    try {
      const { stream, child } = childPipe(bench.io);
      bench.io.libraries.kernel32.CloseHandle(child);
      await stream.close();
    } catch (error) {
      assert(error instanceof ShimError, String(error));
    }
    isDone = !calls.hasFailed;
    if (isDone) assertEquals(skip, 4);
    assertEquals(await bench.end(), [], `call ${skip} failed`);
  }
});

Deno.test("a file for a child is emptied; a failure names it", async () => {
  const bench = new FakeIo();
  const { windows, io } = bench;
  const path = "C:\\bundle\\panic.log";
  const handle = childFile(io, path);
  assert(windows.kernel.handles.any(handle)?.isInheritable);
  assertEquals(windows.files.text(path), "");
  io.libraries.kernel32.CloseHandle(handle);
  windows.calls.fail("CreateFileW", 3);
  const error = assertThrows(
    () => childFile(io, path),
    HResultError,
    `Cannot write "${path}": ERROR_PATH_NOT_FOUND`,
  );
  assertEquals(error.code, "NotFound");
  assertEquals(await bench.end(), []);
});
