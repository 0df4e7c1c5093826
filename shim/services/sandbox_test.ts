import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { PodSandboxConfig } from "../../ttrpc/api/cri.gen.ts";
import { Options } from "../../ttrpc/api/runhcs_options.gen.ts";
import { VirtualMachineStatistics } from "../../ttrpc/api/runhcs_stats.gen.ts";
import { FakeCall, FakeShim } from "../fake_shim.ts";
import { noOptions } from "../options.ts";
import { withBundle } from "../testing.ts";
import { readVmRecord } from "../vm_record.ts";
import { SandboxClient } from "./fake_client.ts";

/** A sandbox service with one created sandbox, unless told otherwise. */
async function withSandbox(
  task: (
    scene: FakeShim,
    client: SandboxClient,
    bundle: string,
  ) => Promise<void>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withBundle(files, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    await client.create("pod1", bundle);
    try {
      await task(scene, client, bundle);
    } finally {
      await scene.shim.end("test");
    }
  });
}

async function refuses(
  call: Promise<unknown>,
  code: string,
  message: string,
): Promise<void> {
  const error = await assertRejects(() => call, ShimError, message);
  assertEquals((error as ShimError).code, code);
}

Deno.test("host:B4 CreateSandbox creates one VM of the sandbox's id and records it before", async () => {
  await withSandbox(async (scene, _client, bundle) => {
    assertEquals(scene.vm.calls, ["create"]);
    assertEquals(scene.vm.created?.id, "pod1@vm");
    assertEquals(scene.vm.created?.owner, "containerd-shim-lcow-v2");
    const record = await readVmRecord(bundle);
    assertEquals(
      [record?.systemId, record?.runtimeId, record?.shimPid],
      ["pod1@vm", scene.vm.runtimeId, Deno.pid],
    );
  });
});

Deno.test("CreateSandbox writes vm.json before the VM exists", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    const held = Promise.withResolvers<() => void>();
    scene.onVm = (vm) => held.resolve(vm.holdNext("create"));
    const created = client.create("pod1", bundle);
    const release = await held.promise;
    while (scene.vm.calls.length === 0) await scene.clock.advance(0);
    const record = await readVmRecord(bundle);
    assertEquals([record?.systemId, record?.runtimeId], ["pod1@vm", undefined]);
    release();
    await created;
    await scene.shim.end("test");
  });
});

Deno.test("host:B1 a second CreateSandbox is refused with AlreadyExists", async () => {
  await withSandbox(async (_scene, client, bundle) => {
    for (const id of ["pod1", "pod2"]) {
      await refuses(
        client.create(id, bundle),
        "AlreadyExists",
        "sandbox already exists",
      );
    }
  });
});

Deno.test("host:B2 CreateSandbox works without config.json and without options", async () => {
  await withSandbox((scene) => {
    assertEquals(scene.vm.created?.annotations, {});
    assertEquals(scene.vm.created?.options?.sandboxPlatform, "linux/amd64");
    return Promise.resolve();
  });
});

Deno.test("CreateSandbox refuses a config.json that is no JSON", async () => {
  await withBundle({ "config.json": "{" }, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    await refuses(
      client.create("pod1", bundle),
      "InvalidArgument",
      "config.json",
    );
    assertEquals(scene.vms.length, 0);
    await scene.shim.end("test");
  });
});

Deno.test("CreateSandbox takes annotations and devices of config.json", async () => {
  const config = {
    annotations: { a: "b" },
    devices: [{ id: "PCIP\\1", idType: "vpci" }],
  };
  await withSandbox((scene) => {
    assertEquals(scene.vm.created?.annotations, { a: "b" });
    assertEquals(scene.vm.created?.devices, config.devices);
    return Promise.resolve();
  }, { "config.json": JSON.stringify(config) });
});

Deno.test("CreateSandbox takes annotations of CRI's pod config, and options of start", async () => {
  await withBundle({}, async (bundle) => {
    const options = Promise.resolve({ ...noOptions(), vmProcessorCount: 3 });
    const scene = new FakeShim({ options });
    const client = new SandboxClient(scene.shim);
    await client.create("pod1", bundle, {
      typeUrl: PodSandboxConfig.typeName,
      value: PodSandboxConfig.encode({ annotations: { pod: "yes" } }),
    });
    assertEquals(scene.vm.created?.annotations, { pod: "yes" });
    assertEquals(scene.vm.created?.options?.vmProcessorCount, 3);
    await scene.shim.end("test");
  });
});

Deno.test("CreateSandbox takes typed options and ignores foreign ones", async () => {
  const typed = {
    typeUrl: Options.typeName,
    value: Options.encode({ vmMemorySizeInMb: 64 }),
  };
  const foreign = { typeUrl: "nope", value: new Uint8Array([1]) };
  for (const [options, memory] of [[typed, 64], [foreign, 0]] as const) {
    await withBundle({}, async (bundle) => {
      const scene = new FakeShim();
      await new SandboxClient(scene.shim).create("pod1", bundle, options);
      assertEquals(scene.vm.created?.options?.vmMemorySizeInMb, memory);
      await scene.shim.end("test");
    });
  }
});

Deno.test("host:B3 a failed CreateSandbox can be repeated", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    scene.onVm = (vm) =>
      vm.failNext("create", new ShimError("PermissionDenied", "denied"));
    await refuses(client.create("pod1", bundle), "PermissionDenied", "denied");
    scene.onVm = () => {};
    await client.create("pod1", bundle);
    assertEquals(scene.vms.length, 2);
    await scene.shim.end("test");
  });
});

Deno.test("CreateSandbox leaves nothing when its client goes away", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    scene.onVm = (vm) => void vm.holdNext("create");
    const call = new FakeCall();
    const created = client.create("pod1", bundle, undefined, call);
    created.catch(() => {});
    while (scene.vms[0]?.calls.length !== 1) await scene.clock.advance(0);
    call.disconnect();
    await assertRejects(() => created, DOMException, "gone");
    assertEquals(scene.shim.sandboxes.size, 0);
    await scene.shim.end("test");
  });
});

Deno.test("every call before CreateSandbox says that there is no sandbox", async () => {
  const scene = new FakeShim();
  const client = new SandboxClient(scene.shim);
  await refuses(client.start("pod1"), "FailedPrecondition", "not been created");
  const others = [
    client.platform("pod1"),
    client.stop("pod1"),
    client.wait("pod1"),
    client.status("pod1"),
    client.ping("pod1"),
    client.shutdown("pod1"),
    client.metrics("pod1"),
  ];
  for (const call of others) {
    await refuses(call, "NotFound", "sandbox has not been created");
  }
  await scene.shim.end("test");
});

Deno.test("host:B15 Platform while the VM is being created says that it has not been created", async () => {
  const scene = new FakeShim();
  const client = new SandboxClient(scene.shim);
  await refuses(
    client.platform("p"),
    "NotFound",
    "sandbox has not been created",
  );
  await scene.shim.end("test");
});

for (
  const [id, name] of [
    ["B5", "start"],
    ["B6", "platform"],
    ["B7", "stop"],
    ["B8", "wait"],
    ["B9", "status"],
    ["B10", "shutdown"],
    ["B11", "metrics"],
  ] as const
) {
  Deno.test(`host:${id} ${name} of another sandbox is NotFound`, async () => {
    await withSandbox(async (scene, client) => {
      await refuses(client[name]("other"), "NotFound", "sandbox ID mismatch");
      assertEquals(scene.vm.calls, ["create"]);
    });
  });
}

Deno.test("host:B12 StartSandbox returns the VM's start time and a pid, also the second time", async () => {
  await withSandbox(async (_scene, client) => {
    for (let n = 0; n < 2; n++) {
      const { pid, createdAt } = await client.start("pod1");
      assertEquals([pid, createdAt?.seconds], [Deno.pid, 1_700_000_000n]);
    }
  });
});

Deno.test("host:B13 StartSandbox returns the VM's start error", async () => {
  await withSandbox(async (scene, client) => {
    scene.vm.failNext("start", new ShimError("Unavailable", "no boot"));
    await refuses(client.start("pod1"), "Unavailable", "no boot");
  });
});

Deno.test("host:B14 Platform reports linux and the VM's architecture", async () => {
  await withSandbox(async (_scene, client) => {
    const { platform } = await client.platform("pod1");
    assertEquals([platform?.os, platform?.architecture], ["linux", "amd64"]);
  });
});

Deno.test("host:B16 StopSandbox terminates the VM", async () => {
  await withSandbox(async (scene, client) => {
    await client.stop("pod1");
    assertEquals(scene.vm.calls, ["create", "terminate"]);
  });
});

Deno.test("host:B17 StopSandbox returns the terminate error", async () => {
  await withSandbox(async (scene, client) => {
    scene.vm.failNext("terminate", new ShimError("Internal", "stuck"));
    await refuses(client.stop("pod1"), "Internal", "stuck");
  });
});

Deno.test("host:B18 StopSandbox may be repeated", async () => {
  await withSandbox(async (scene, client) => {
    await client.stop("pod1");
    await client.stop("pod1");
    assertEquals(scene.vm.calls, ["create", "terminate", "terminate"]);
  });
});

Deno.test("host:B19 WaitSandbox with a clean exit returns status 0 and the time", async () => {
  await withSandbox(async (_scene, client) => {
    const waited = client.wait("pod1");
    await client.stop("pod1");
    const { exitStatus, exitedAt } = await waited;
    assertEquals([exitStatus, exitedAt?.seconds], [0, 1_700_000_060n]);
  });
});

Deno.test("host:B20 WaitSandbox with an exit error returns the internal-error status", async () => {
  await withSandbox(async (scene, client) => {
    const waited = client.wait("pod1");
    scene.vm.die(new Error("crashed"));
    assertEquals((await waited).exitStatus, 1359);
  });
});

Deno.test("WaitSandbox ends when its client goes away", async () => {
  await withSandbox(async (_scene, client) => {
    const call = new FakeCall();
    const waited = client.wait("pod1", call);
    call.disconnect();
    await assertRejects(() => waited, DOMException, "gone");
  });
});

Deno.test("host:B23 SandboxStatus while the VM is being created is not ready", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    const held = Promise.withResolvers<() => void>();
    scene.onVm = (vm) => held.resolve(vm.holdNext("create"));
    const created = client.create("pod1", bundle);
    const release = await held.promise;
    const { state, sandboxId } = await client.status("pod1");
    assertEquals([sandboxId, state], ["pod1", "SANDBOX_NOTREADY"]);
    release();
    await created;
    await scene.shim.end("test");
  });
});

Deno.test("host:B24 host:B25 SandboxStatus of a VM that does not run is not ready", async () => {
  await withSandbox(async (scene, client) => {
    const created = await client.status("pod1");
    assertEquals(
      [created.state, created.createdAt, created.exitedAt],
      ["SANDBOX_NOTREADY", undefined, undefined],
    );
    scene.vm.state = "Invalid";
    assertEquals((await client.status("pod1")).state, "SANDBOX_NOTREADY");
    scene.vm.state = "Created";
  });
});

Deno.test("host:B26 SandboxStatus of a running VM is ready, with pid and created_at", async () => {
  await withSandbox(async (_scene, client) => {
    await client.start("pod1");
    const status = await client.status("pod1", true);
    assertEquals(
      [status.state, status.pid, status.createdAt?.seconds, status.info],
      ["SANDBOX_READY", Deno.pid, 1_700_000_000n, {
        pid: String(Deno.pid),
        state: "Running",
      }],
    );
  });
});

Deno.test("host:B27 SandboxStatus of an ended VM is not ready, with exited_at", async () => {
  await withSandbox(async (scene, client) => {
    await client.start("pod1");
    scene.vm.die();
    const { state, exitedAt } = await client.status("pod1");
    assertEquals(
      [state, exitedAt?.seconds],
      ["SANDBOX_NOTREADY", 1_700_000_060n],
    );
  });
});

Deno.test("host:B29 PingSandbox answers", async () => {
  await withSandbox(async (_scene, client) => {
    assertEquals(await client.ping("pod1"), {});
    await refuses(client.ping("other"), "NotFound", "mismatch");
  });
});

Deno.test("host:B30 ShutdownSandbox on an ended VM does not terminate it again", async () => {
  await withSandbox(async (scene, client) => {
    await client.stop("pod1");
    await client.shutdown("pod1");
    assertEquals(scene.vm.calls, ["create", "terminate"]);
  });
});

Deno.test("host:B31 ShutdownSandbox terminates a running VM and ends the shim after its reply", async () => {
  await withSandbox(async (scene, client) => {
    await client.start("pod1");
    const call = new FakeCall();
    await client.shutdown("pod1", call);
    assertEquals(scene.vm.state, "Terminated");
    assertEquals(scene.eventsClosed, false);
    await call.replied();
    assertEquals(scene.eventsClosed, true);
  });
});

Deno.test("host:B32 ShutdownSandbox ends the shim although the VM cannot be terminated", async () => {
  await withSandbox(async (scene, client) => {
    scene.vm.failNext("terminate", new ShimError("Internal", "stuck"));
    const call = new FakeCall();
    await client.shutdown("pod1", call);
    await call.replied();
    await scene.shim.ended;
  });
});

Deno.test("host:B33 SandboxMetrics returns the VM's statistics", async () => {
  await withSandbox(async (_scene, client) => {
    await client.start("pod1");
    const { metrics } = await client.metrics("pod1");
    const data = metrics?.data;
    assertEquals(data?.typeUrl, VirtualMachineStatistics.typeName);
    const stats = VirtualMachineStatistics.decode(
      data?.value ?? new Uint8Array(),
    );
    assertEquals(stats.processor?.totalRuntimeNs, 5n);
  });
});

Deno.test("host:B34 SandboxMetrics returns a failure", async () => {
  await withSandbox(async (scene, client) => {
    scene.vm.failNext("stats", new ShimError("Unavailable", "lost"));
    await refuses(client.metrics("pod1"), "Unavailable", "lost");
  });
});

Deno.test("a shim without a sandbox ends itself", async () => {
  const scene = new FakeShim();
  await scene.clock.advance(defaultTimeouts.idle - 1);
  assertEquals(scene.eventsClosed, false);
  await scene.clock.advance(1);
  await scene.shim.ended;
});

Deno.test("a shim with a sandbox does not end itself", async () => {
  await withSandbox(async (scene, client) => {
    await scene.clock.advance(10 * defaultTimeouts.idle);
    assertEquals((await client.status("pod1")).sandboxId, "pod1");
    assertEquals(scene.eventsClosed, false);
  });
});

Deno.test("a shim that ends takes no new sandbox", async () => {
  const scene = new FakeShim();
  await scene.shim.end("test");
  const client = new SandboxClient(scene.shim);
  await refuses(client.create("p", "/no/such"), "Unavailable", "shutting down");
});

Deno.test("the end of a shim is bounded when a VM does not stop", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    await new SandboxClient(scene.shim).create("pod1", bundle);
    scene.vm.holdNext("terminate");
    const ended = scene.shim.end("test");
    await scene.clock.advance(defaultTimeouts.shutdown);
    await ended;
  });
});
