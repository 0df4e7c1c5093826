import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { defaultTimeouts } from "../../base/timeouts.ts";
import { VirtualMachineStatistics } from "../../ttrpc/api/runhcs_stats.gen.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { FakeCall, FakeShim } from "../fake_shim.ts";
import { withBundle } from "../testing.ts";
import { SandboxClient, ServiceClient } from "./fake_client.ts";
import { sandboxHandlers } from "./sandbox.ts";
import { withSandbox } from "./sandbox_scene.ts";
import { refuses } from "./task_scene.ts";

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

Deno.test("host:B21 host:B22 WaitSandbox of a VM whose end cannot be read counts it as failed", async () => {
  await withSandbox(async (scene, client) => {
    const waited = client.wait("pod1");
    scene.vm.die(new ShimError("Unavailable", "the service is gone"));
    const { exitStatus, exitedAt } = await waited;
    assertEquals([exitStatus, exitedAt?.seconds], [1359, 1_700_000_060n]);
  });
});

Deno.test("WaitSandbox ends when its client goes away", async () => {
  await withSandbox(async (scene, client) => {
    const call = new FakeCall();
    const waited = client.wait("pod1", call);
    waited.catch(() => {});
    await scene.clock.advance(0); // it waits for the end of the VM
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
    const { state, createdAt, exitedAt } = await client.status("pod1");
    assertEquals(
      [state, createdAt?.seconds, exitedAt?.seconds],
      ["SANDBOX_NOTREADY", 1_700_000_000n, 1_700_000_060n],
    );
  });
});

Deno.test("SandboxStatus tells the network namespace that CreateSandbox was given", async () => {
  await withBundle({}, async (bundlePath) => {
    const scene = new FakeShim();
    const client = new ServiceClient(Sandbox, sandboxHandlers(scene.shim));
    const netnsPath = "/var/run/netns/cni-1";
    await client.call("CreateSandbox", {
      sandboxId: "pod1",
      bundlePath,
      netnsPath,
    });
    const { info } = await client.call("SandboxStatus", {
      sandboxId: "pod1",
      verbose: true,
    });
    assertEquals(info["networkSandboxPath"], netnsPath);
    await scene.shim.end("test");
  });
});

Deno.test("host:B28 SandboxStatus of a VM that failed tells why to who asks for details", async () => {
  await withSandbox(async (scene, client) => {
    await client.start("pod1");
    scene.vm.die(new Error("crashed"));
    const { state, info } = await client.status("pod1", true);
    assertEquals(
      [state, info],
      ["SANDBOX_NOTREADY", {
        pid: String(Deno.pid),
        state: "Terminated",
        error: "crashed",
      }],
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
  await withSandbox(async (scene, client) => {
    await client.start("pod1");
    const { metrics } = await client.metrics("pod1");
    assertEquals(
      [metrics?.id, metrics?.timestamp?.seconds],
      ["pod1", BigInt(scene.clock.now() / 1000)],
    );
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

Deno.test("pains:7 a shim without a sandbox ends itself", async () => {
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
    assert(scene.eventsClosed);
  });
});
