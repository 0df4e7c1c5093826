import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import type { Any } from "../ttrpc/api/any.gen.ts";
import { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { Options as PackedOptions } from "../ttrpc/api/runtime_options.gen.ts";
import { noOptions, reconnectLimit, unpackOptions } from "./options.ts";
import { withBundle } from "./testing.ts";

function packed(message: Partial<PackedOptions>): Any {
  return {
    typeUrl: PackedOptions.typeName,
    value: PackedOptions.encode(message),
  };
}

function table(text: string): Any {
  return packed({ configBody: new TextEncoder().encode(text) });
}

Deno.test("unpackOptions() takes the typed message, with or without a prefix", async () => {
  const value = Options.encode({ vmMemorySizeInMb: 512, scrubLogs: false });
  const expected = { ...noOptions(), vmMemorySizeInMb: 512, scrubLogs: false };
  const typeUrl = "types.containerd.io/containerd.runhcs.v1.Options";
  assertEquals(await unpackOptions({ typeUrl, value }), expected);
});

Deno.test("unpackOptions() matches keys of a table without case and underscores", async () => {
  const options = await unpackOptions(table(`
SandboxPlatform = "linux/amd64"
vm_processor_count = 4
GPUVHDPath = 'C:\\gpu'
SandboxIsolation = 1
DebugType = "etw"
ScrubLogs = false
SomethingElse = [1]
[default_container_annotations]
"a.b" = "c"
`));
  assertEquals(options, {
    ...noOptions(),
    sandboxPlatform: "linux/amd64",
    vmProcessorCount: 4,
    GPUVHDPath: "C:\\gpu",
    sandboxIsolation: 1,
    debugType: 2,
    scrubLogs: false,
    defaultContainerAnnotations: { "a.b": "c" },
  });
});

Deno.test("unpackOptions() reads the file that the table names", async () => {
  await withBundle({ "o.toml": "LogLevel = 'debug'" }, async (dir) => {
    const options = await unpackOptions(
      packed({ configPath: `${dir}/o.toml` }),
    );
    assertEquals(options?.logLevel, "debug");
  });
});

Deno.test("unpackOptions() ignores what is absent or foreign", async () => {
  const value = new Uint8Array([1, 2, 3]);
  const typeUrl = "containerd.runc.v1.Options";
  assertEquals(await unpackOptions(undefined), undefined);
  assertEquals(await unpackOptions({ typeUrl, value }), undefined);
});

Deno.test.each([[0, 0], [7, 7000], [-1, 0]])(
  "reconnectLimit() of io_retry_timeout_in_sec %d is %d ms",
  (ioRetryTimeoutInSec: number, expected: number) => {
    assertEquals(reconnectLimit({ ioRetryTimeoutInSec }), expected);
  },
);

Deno.test.each([
  [table("VMProcessorCount = 'four'"), "VMProcessorCount"],
  [table("SandboxIsolation = 7"), "PROCESS or HYPERVISOR"],
  [table("= 1"), "line 1"],
  [table('LogLevel = "debug"\nx = [1 2]'), "line 2"],
  [table("DefaultContainerAnnotations = 2026-01-01"), "not of type texts"],
  [table("x = " + "[".repeat(100)), "line 1"],
  [packed({ configPath: "/no/such/options.toml" }), "/no/such/options.toml"],
  [{ typeUrl: Options.typeName, value: new Uint8Array([7]) }, "Options"],
])("unpackOptions() refuses %o", async (any: Any, message: string) => {
  const error = await assertRejects(
    () => unpackOptions(any),
    ShimError,
    message,
  );
  assertEquals((error as ShimError).code, "InvalidArgument");
  assertEquals((error as ShimError).message.split("\n").length, 1);
});
