import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { FakePlatform } from "./fake_platform.ts";
import { FakeVm } from "./fake_vm.ts";
import { noOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import { Sandbox } from "./sandbox.ts";
import { withBundle } from "./testing.ts";

Deno.test("a sandbox that is stopped before the controllers are loaded makes no VM", async () => {
  await withBundle({}, async (bundle) => {
    const config = {
      id: "pod1",
      bundle,
      options: noOptions(),
      annotations: {},
      devices: [],
      netnsPath: "",
      implicit: true,
    };
    const sandbox = new Sandbox(config, silentLogger, new FakeClock());
    const runtime = Promise.withResolvers<Runtime>();
    const created = sandbox.create(
      runtime.promise,
      new AbortController().signal,
    );
    await sandbox.stop();
    let vms = 0;
    const unused = (): never => {
      throw new TypeError("a stopped sandbox has no VM");
    };
    runtime.resolve({
      platform: new FakePlatform(),
      newVm: () => {
        vms++;
        return new FakeVm();
      },
      newPod: unused,
      runInVm: unused,
      share: unused,
    });
    const error = await assertRejects(() => created, ShimError, "stopped");
    assertEquals([(error as ShimError).code, vms], ["Aborted", 0]);
  });
});
