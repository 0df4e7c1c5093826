import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { PodSandboxConfig } from "../../ttrpc/api/cri.gen.ts";
import { Options } from "../../ttrpc/api/runhcs_options.gen.ts";
import { FakeCall, FakeShim } from "../fake_shim.ts";
import { noOptions } from "../options.ts";
import { withBundle } from "../testing.ts";
import { readVmRecord } from "../vm_record.ts";
import { SandboxClient } from "./fake_client.ts";
import { withSandbox } from "./sandbox_scene.ts";
import { refuses } from "./task_scene.ts";

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
    const record = await readVmRecord(bundle);
    assertEquals(record?.ended, new Date(scene.clock.now()).toISOString());
    scene.onVm = () => {};
    await client.create("pod1", bundle);
    assertEquals(scene.vms.length, 2);
    await scene.shim.end("test");
  });
});

Deno.test("pains:8 ShutdownSandbox after a failed CreateSandbox ends the shim at once", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    scene.onVm = (vm) =>
      vm.failNext("create", new ShimError("PermissionDenied", "denied"));
    await refuses(client.create("pod1", bundle), "PermissionDenied", "denied");
    const call = new FakeCall();
    await refuses(
      client.shutdown("pod1", call),
      "NotFound",
      "sandbox has not been created",
    );
    assertEquals(scene.eventsClosed, false);
    await call.replied();
    assertEquals(scene.eventsClosed, true);
    await scene.shim.ended;
  });
});

Deno.test("WaitSandbox ends when the create that is under way fails", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    const held = Promise.withResolvers<() => void>();
    scene.onVm = (vm) => {
      held.resolve(vm.holdNext("create"));
      vm.failNext("create", new ShimError("PermissionDenied", "denied"));
    };
    const created = client.create("pod1", bundle);
    created.catch(() => {});
    const release = await held.promise;
    const waited = client.wait("pod1");
    waited.catch(() => {});
    release();
    await refuses(created, "PermissionDenied", "denied");
    await refuses(waited, "PermissionDenied", "denied");
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

Deno.test("CreateSandbox refuses an id that is no name", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    for (const id of ["../x", "", "a/b"]) {
      await refuses(client.create(id, bundle), "InvalidArgument", "sandbox id");
    }
    assertEquals(scene.vms, []);
    await scene.shim.end("test");
  });
});

Deno.test("StartSandbox waits for the create, until its client goes away", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    const held = Promise.withResolvers<() => void>();
    scene.onVm = (vm) => held.resolve(vm.holdNext("create"));
    const created = client.create("pod1", bundle);
    const release = await held.promise;
    const started = client.start("pod1");
    const call = new FakeCall();
    const abandoned = client.start("pod1", call);
    abandoned.catch(() => {});
    await scene.clock.advance(0);
    call.disconnect();
    await assertRejects(() => abandoned, DOMException, "gone");
    release();
    await Promise.all([created, started]);
    assertEquals(scene.vm.calls, ["create", "start"]);
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

Deno.test("host:B15 Platform before a CreateSandbox, and while it is under way, is refused", async () => {
  await withBundle({}, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    await refuses(
      client.platform("p"),
      "NotFound",
      "sandbox has not been created",
    );
    const held = Promise.withResolvers<() => void>();
    scene.onVm = (vm) => held.resolve(vm.holdNext("create"));
    const created = client.create("p", bundle);
    const release = await held.promise;
    await refuses(
      client.platform("p"),
      "FailedPrecondition",
      "sandbox has not been created",
    );
    release();
    await created;
    assertEquals((await client.platform("p")).platform?.os, "linux");
    await scene.shim.end("test");
  });
});

for (
  const [id, name] of [
    ["host:B5", "start"],
    ["host:B6", "platform"],
    ["host:B7", "stop"],
    ["host:B8", "wait"],
    ["host:B9", "status"],
    ["host:B10", "shutdown"],
    ["host:B11", "metrics"],
  ] as const
) {
  Deno.test(`${id} ${name} of another sandbox is NotFound`, async () => {
    await withSandbox(async (scene, client) => {
      await refuses(client[name]("other"), "NotFound", "sandbox ID mismatch");
      assertEquals(scene.vm.calls, ["create"]);
    });
  });
}
