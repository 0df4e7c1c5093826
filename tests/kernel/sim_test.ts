/**
 * The simulated host with real namespaces and control groups.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { HResult } from "../../base/hresult.ts";
import { ShimError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { ComputeSystem } from "../../hcs/ports.ts";
import { mockVmCompute } from "../../ffi/mock/hcs.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { probeCgroups } from "../../sim/hierarchies.ts";
import {
  inLab,
  machineDocument,
  refused,
  scsi,
  TestMachine,
} from "./sim_fixture.ts";

Deno.test("a machine boots, sees only itself, and ends with its agent", () =>
  inLab(async ({ boot }) => {
    const machine = await boot("a@vm");
    assertEquals(await machine.sh("hostname"), "uvm");
    assertEquals(
      await machine.sh("cat /proc/self/cgroup | cut -d: -f3 | sort -u"),
      "/",
    );
    assertEquals(await machine.sh("ls /sys/class/net"), "lo");
    assertEquals(await machine.sh("ls -A /run"), "hvsock");
    const pids = await machine.sh("ls /proc | grep -c '^[0-9]'");
    assert(Number(pids) < 10, `${pids} processes`);
    await machine.say("exit 3");
    assertEquals(await machine.system.exited, {
      status: HResult.UnexpectedExit,
      exitType: "UnexpectedExit",
    });
    assertStringIncludes(await machine.log, "guest runs");
    await refused(
      () => machine.system.properties({}),
      HResult.SystemAlreadyStopped,
    );
    await machine.end();
  }));

Deno.test("a killed agent ends its machine", () =>
  inLab(async ({ boot }) => {
    const machine = await boot("a@vm");
    await machine.say("kill -9 $PPID");
    assertEquals((await machine.system.exited).exitType, "UnexpectedExit");
    await machine.end();
  }));

Deno.test("a power-off from inside is a graceful exit", () =>
  inLab(async ({ boot }) => {
    const machine = await boot("a@vm");
    // reboot(2) in a pid namespace ends only the namespace; the host name says
    // that this is one.
    const script =
      `Deno.dlopen("libc.so.6", { reboot: { parameters: ["i32"], result: "i32" } }).symbols.reboot(0x4321fedc)`;
    await machine.say(
      `[ "$(cat /proc/sys/kernel/hostname)" = uvm ] && ${Deno.execPath()} eval -q '${script}'`,
    );
    assertEquals(await machine.system.exited, {
      status: 0,
      exitType: "GracefulExit",
    });
    await machine.end();
  }));

Deno.test("terminate() ends everything in the machine at once", () =>
  inLab(async ({ boot }) => {
    const machine = await boot("a@vm");
    await machine.sh("setsid sleep 1000 >/dev/null 2>&1 & ");
    await machine.system.terminate();
    assertEquals(await machine.system.exited, {
      status: 0,
      exitType: "ForcedExit",
    });
    await machine.system.terminate();
    await machine.end();
  }));

Deno.test("the last close() ends the machine, an earlier one does not", () =>
  inLab(async ({ boot, host }) => {
    const machine = await boot("a@vm");
    const second = await host.open("a@vm");
    assertEquals(second.runtimeId, machine.system.runtimeId);
    await machine.system.close();
    assertEquals(await machine.sh("echo still here"), "still here");
    await second.close();
    await machine.end();
  }));

Deno.test("a machine that was never started can be closed", () =>
  inLab(async ({ host }) => {
    const system = await host.create("a@vm", machineDocument());
    const rows = await host.enumerate({ Owners: ["sim-test"] });
    assertEquals(rows.map(({ Id, State }) => [Id, State]), [[
      "a@vm",
      "Created",
    ]]);
    await system.close();
    assertEquals(await host.enumerate({}), []);
  }));

Deno.test("memory and processors are limited and can be changed", () =>
  inLab(async ({ boot }) => {
    const machine = await boot("a@vm", machineDocument({ memory: 256 }));
    const memory =
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max";
    assertEquals(await machine.sh(`${memory} 2>/dev/null`), String(256 << 20));
    await machine.system.modify({
      ResourcePath: "VirtualMachine/ComputeTopology/Memory/SizeInMB",
      Settings: 512,
    });
    assertEquals(await machine.sh(`${memory} 2>/dev/null`), String(512 << 20));
    await machine.system.modify({
      ResourcePath: "VirtualMachine/ComputeTopology/Processor/Limits",
      Settings: { Limit: 50000, Weight: 200 },
    });
    const quota =
      "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cut -d' ' -f1 /sys/fs/cgroup/cpu.max";
    assertEquals(await machine.sh(`(${quota}) 2>/dev/null`), "50000");
    await machine.end();
  }));

Deno.test("a guest with version 2 control groups owns the whole tree it sees", async () => {
  const { hierarchies } = await probeCgroups();
  const unified = hierarchies.filter(({ version }) => version === 2);
  if (unified.length === 0) return;
  await inLab(async ({ boot }) => {
    const machine = await boot("a@vm");
    assertEquals(await machine.sh("stat -f -c %T /sys/fs/cgroup"), "cgroup2fs");
    // What an agent does before it can hand controllers down.
    await machine.sh(
      'cd /sys/fs/cgroup && mkdir gcs && for p in $(cat cgroup.procs); do echo $p >gcs/cgroup.procs; done; test -z "$(cat cgroup.procs)"',
    );
    await machine.end();
  }, { version: 2, hierarchies: unified });
});

Deno.test("start() is refused in every state but Created", () =>
  inLab(async ({ boot }) => {
    const machine = await boot("a@vm");
    await refused(() => machine.system.start(), HResult.InvalidState);
    await machine.say("exit 0");
    await machine.system.exited;
    await refused(() => machine.system.start(), HResult.SystemAlreadyStopped);
    await machine.end();
  }));

Deno.test("modify() is refused before the start", () =>
  inLab(async ({ host }) => {
    const system = await host.create("a@vm", machineDocument());
    await refused(
      () => system.modify(scsi(0, "Remove")),
      HResult.InvalidState,
    );
    await system.close();
  }));

Deno.test("a machine that gets too little entropy ends and says so in its log", () =>
  inLab(async ({ host, logged }) => {
    const system = await host.create("a@vm", machineDocument());
    await assertRejects(
      () => TestMachine.boot(host, system, 511),
      Error,
      "511 bytes of entropy",
    );
    assertEquals((await system.exited).exitType, "UnexpectedExit");
    assertStringIncludes(logged.splice(0).join(), "entropy");
    await system.close();
  }));

Deno.test("a machine whose ports nobody serves ends by itself", () =>
  inLab(async ({ host, logged }) => {
    const system = await host.create("a@vm", machineDocument());
    await system.start();
    assertEquals((await system.exited).exitType, "UnexpectedExit");
    assertStringIncludes(logged.splice(0).join(), "port 1");
    await system.close();
  }));

Deno.test("terminate() ends a machine that waits for its host", () =>
  inLab(async ({ host }) => {
    const system = await host.create("a@vm", machineDocument());
    const listener = await host.listen(system.runtimeId, 1);
    await system.start();
    const dialed = await listener.accept();
    await system.terminate();
    assertEquals((await system.exited).exitType, "ForcedExit");
    await Promise.all([dialed.close(), listener.close(), system.close()]);
  }));

Deno.test("a guest program that is missing ends the machine", () =>
  inLab(async ({ another }) => {
    const host = await another('["/no/such/agent"]');
    const system = await host.create("a@vm", machineDocument());
    await assertRejects(
      () => TestMachine.boot(host, system),
      Error,
      "/no/such/agent",
    );
    await system.close();
  }));

Deno.test("a failing boot script fails the start with its words", () =>
  inLab(async ({ host, dir }) => {
    const system = await host.create("a@vm", machineDocument());
    const folder = (await Array.fromAsync(Deno.readDir(`${dir}/state/vm`)))[0]!;
    await Deno.remove(`${dir}/state/vm/${folder.name}/m`);
    await refused(() => system.start(), HResult.Fail, "mount");
    await system.close();
  }));

Deno.test("create() refuses documents with the path of what is wrong", () =>
  inLab(async ({ host }) => {
    const create = (change: (vm: Record<string, Json>) => void) => () => {
      const document = machineDocument() as {
        VirtualMachine: Record<string, Json>;
      };
      change(document.VirtualMachine);
      return host.create("a@vm", document);
    };
    await refused(
      create((vm) => vm["Chipsets"] = {}),
      HResult.InvalidJson,
      "Chipsets",
    );
    await refused(
      create((vm) => vm["StopOnReset"] = "yes"),
      HResult.InvalidJson,
      "$.VirtualMachine.StopOnReset",
    );
  }));

Deno.test("listen() knows only machines of this process, and each port once", () =>
  inLab(async ({ host }) => {
    const system = await host.create("a@vm", machineDocument());
    const listener = await host.listen(
      system.runtimeId.toUpperCase(),
      1,
    );
    const taken = await assertRejects(
      () => host.listen(system.runtimeId, 1),
      ShimError,
      "port 1",
    ) as ShimError;
    assertEquals(taken.code, "AlreadyExists");
    const unknown = await assertRejects(
      () => host.listen(crypto.randomUUID(), 1),
      ShimError,
    ) as ShimError;
    assertEquals(unknown.code, "NotFound");
    await listener.close();
    await (await host.listen(system.runtimeId, 1)).close();
    await system.close();
  }));

Deno.test("grantAccess() checks machine and file", () =>
  inLab(async ({ host, dir }) => {
    const system = await host.create("a@vm", machineDocument());
    await host.grantAccess("a@vm", dir);
    await host.grantAccess(system.runtimeId, dir);
    await refused(() => host.grantAccess("b@vm", dir), 0x80070490);
    await refused(
      () => host.grantAccess("a@vm", `${dir}/gone`),
      0x80070002,
    );
    await system.close();
  }));

Deno.test("serviceProperties() counts the processors", () =>
  inLab(async ({ host }) => {
    const answer = await host.serviceProperties({
      PropertyTypes: ["ProcessorTopology"],
    });
    assertMatch(
      JSON.stringify(answer),
      new RegExp(`"LogicalProcessorCount":${navigator.hardwareConcurrency}`),
    );
  }));

Deno.test("a machine is reached through vmcompute.dll's symbols", () =>
  inLab(async ({ host, boot }) => {
    using library = mockVmCompute(host);
    const compute = new VmCompute(library);
    await refused(
      () => compute.create("a@vm", {}),
      HResult.InvalidJson,
      "$.Owner",
    );
    const machine = await boot("a@vm", machineDocument(), compute);
    assertEquals(await machine.sh("hostname"), "uvm");
    await machine.system.terminate();
    assertEquals((await machine.system.exited).exitType, "ForcedExit");
    await machine.end();
  }));

Deno.test("machines live side by side", () =>
  inLab(async ({ boot, host }) => {
    const machines = await Promise.all(
      ["a@vm", "b@vm", "c@vm"].map((id) => boot(id)),
    );
    await Promise.all(machines.map(async (machine, index) => {
      await machine.sh(`echo ${index} >/tmp/own`);
      assertEquals(await machine.sh("cat /tmp/own"), String(index));
    }));
    assertEquals((await host.enumerate({})).length, 3);
    await Promise.all(machines.map((machine) => machine.end()));
  }));

Deno.test("a start that is given up leaves nothing", () =>
  inLab(async ({ host }) => {
    const system: ComputeSystem = await host.create(
      "a@vm",
      machineDocument(),
    );
    const reason = new Error("enough");
    await assertRejects(
      () => system.start(AbortSignal.abort(reason)),
      Error,
      "enough",
    );
    await system.close();
  }));
