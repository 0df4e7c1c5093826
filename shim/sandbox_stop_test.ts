import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { FakePlatform } from "./fake_platform.ts";
import { FakeVm } from "./fake_vm.ts";
import { noOptions } from "./options.ts";
import type { Runtime } from "./runtime.ts";
import { Sandbox, type SandboxConfig } from "./sandbox.ts";
import { withBundle } from "./testing.ts";

function configOf(bundle: string): SandboxConfig {
  return {
    id: "pod1",
    bundle,
    options: noOptions(),
    annotations: {},
    devices: [],
    netnsPath: "",
    implicit: true,
  };
}

function runtimeOf(newVm: () => FakeVm): Runtime {
  const unused = (): never => {
    throw new TypeError("a stopped sandbox has no VM");
  };
  return {
    platform: new FakePlatform(),
    newVm,
    newPod: unused,
    newNetwork: unused,
    runInVm: unused,
    share: unused,
  };
}

Deno.test("a sandbox that is stopped before the controllers are loaded makes no VM", async () => {
  await withBundle({}, async (bundle) => {
    const sandbox = new Sandbox(
      configOf(bundle),
      silentLogger,
      new FakeClock(),
    );
    const runtime = Promise.withResolvers<Runtime>();
    const created = sandbox.create(
      runtime.promise,
      new AbortController().signal,
    );
    await sandbox.stop();
    let vms = 0;
    runtime.resolve(runtimeOf(() => {
      vms++;
      return new FakeVm();
    }));
    const error = await assertRejects(() => created, ShimError, "stopped");
    assertEquals([(error as ShimError).code, vms], ["Aborted", 0]);
  });
});

Deno.test("a stop ends although the VM that exists cannot be recorded any more", async () => {
  await withBundle({}, async (bundle) => {
    const sandbox = new Sandbox(
      configOf(bundle),
      silentLogger,
      new FakeClock(),
    );
    const vm = new FakeVm();
    const create = vm.create.bind(vm);
    let stopped: Promise<void> | undefined;
    vm.create = async (request, signal) => {
      await create(request, signal);
      await Deno.remove(bundle, { recursive: true });
      queueMicrotask(() => stopped = sandbox.stop());
    };
    await assertRejects(
      () =>
        sandbox.create(
          Promise.resolve(runtimeOf(() => vm)),
          new AbortController().signal,
        ),
      ShimError,
      "vm.json",
    );
    await stopped;
    assertEquals(vm.state, "Terminated");
    await Deno.mkdir(bundle);
  });
});
