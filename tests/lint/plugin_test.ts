import { assertEquals, assertStringIncludes } from "@std/assert";
import plugin, { judgeImport } from "./plugin.ts";

const root = new URL("../../", import.meta.url).pathname;

function messages(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, root + file, source)
    .map(({ message }) => message);
}

Deno.test("import rule lets a room import itself and what the table names", () => {
  assertEquals(judgeImport("bridge/frames.ts", "base/duplex.ts"), undefined);
  assertEquals(judgeImport("guest/main.ts", "ffi/linux/mount.ts"), undefined);
  assertEquals(judgeImport("tests/demo.ts", "shim/main.ts"), undefined);
  assertEquals(judgeImport("shim/host.ts", "sim/host.ts"), undefined);
});

Deno.test("import rule refuses an import that runs upward or sideways", () => {
  assertStringIncludes(
    judgeImport("base/json.ts", "bridge/mod.ts") ?? "",
    "may not import",
  );
  assertStringIncludes(
    judgeImport("shim/serve.ts", "sim/host.ts") ?? "",
    "may not import",
  );
  assertStringIncludes(
    judgeImport("guest/main.ts", "ffi/windows/dll.ts") ?? "",
    "may not import",
  );
  assertEquals(
    messages("bridge/x.ts", 'import { a } from "../ttrpc/mod.ts"; a();').length,
    1,
  );
  assertEquals(
    messages("shim/x.ts", 'await import("../sim/host.ts");').length,
    1,
  );
});

Deno.test("native calls are refused outside ffi", () => {
  const source = 'Deno.dlopen("x", {}); Deno.UnsafePointer.of(a);';
  assertEquals(messages("guest/x.ts", source).length, 2);
  assertEquals(messages("ffi/linux/x.ts", source).length, 0);
});

Deno.test("the operating system is asked in one file", () => {
  const source = 'if (Deno.build.os === "windows") f();';
  assertEquals(messages("sim/x.ts", source).length, 1);
  assertEquals(messages("shim/host.ts", source).length, 0);
});
