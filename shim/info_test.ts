import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { Any } from "../ttrpc/api/any.gen.ts";
import { Options } from "../ttrpc/api/runhcs_options.gen.ts";
import { RuntimeInfo } from "../ttrpc/api/runtime_info.gen.ts";
import { runtimeInfo } from "./info.ts";
import { versionText } from "./version.ts";

Deno.test("runtimeInfo() names the shim and its version", async () => {
  const info = RuntimeInfo.decode(await runtimeInfo(new Uint8Array()));
  assertEquals(info.name, "containerd-shim-lcow-v2");
  assertEquals(info.version?.version, "0.1.0");
  assertEquals(info.options, undefined);
});

Deno.test("runtimeInfo() gives our options back and ignores foreign ones", async () => {
  const ours = {
    typeUrl: Options.typeName,
    value: Options.encode({ vmProcessorCount: 2 }),
  };
  const info = RuntimeInfo.decode(await runtimeInfo(Any.encode(ours)));
  assertEquals(info.options, ours);
  const foreign = { typeUrl: "containerd.runc.v1.Options", value: ours.value };
  const other = RuntimeInfo.decode(await runtimeInfo(Any.encode(foreign)));
  assertEquals(other.options, undefined);
});

Deno.test("runtimeInfo() refuses garbage", async () => {
  const garbage = new TextEncoder().encode("garbage");
  await assertRejects(() => runtimeInfo(garbage), ShimError);
  await assertRejects(() => runtimeInfo(new Uint8Array([8, 1])), ShimError);
});

Deno.test("versionText() starts with the shim's name", () => {
  assertEquals(versionText().split("\n")[0], "containerd-shim-lcow-v2:");
});
