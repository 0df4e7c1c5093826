/**
 * The simulated host with real namespaces, control groups and loop devices.
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
import { HResult, HResultError } from "../../base/hresult.ts";
import { ShimError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import type { ComputeSystem } from "../../hcs/ports.ts";
import { mockVmCompute } from "../../ffi/mock/hcs.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { probeCgroups } from "../../sim/hierarchies.ts";
import { simulatedPlatform } from "../../sim/host.ts";
import {
  controller,
  inLab,
  loopsOf,
  machineDocument,
  processesOf,
  testGuest,
  TestMachine,
} from "./sim_fixture.ts";

function scsi(
  lun: number,
  type: "Add" | "Remove",
  settings?: Json,
): Json {
  return {
    ResourcePath:
      `VirtualMachine/Devices/Scsi/${controller}/Attachments/${lun}`,
    RequestType: type,
    ...(settings === undefined ? {} : { Settings: settings }),
  };
}

async function refused(
  action: () => Promise<unknown>,
  hresult: number,
  text = "",
): Promise<void> {
  const error = await assertRejects(action, HResultError, text) as HResultError;
  assertEquals(error.hresult.toString(16), hresult.toString(16), error.message);
}

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

Deno.test("create() refuses an id that lives and names its owner", () =>
  inLab(async ({ boot, another }) => {
    const machine = await boot("a@vm");
    const other = await another();
    await refused(
      () => other.create("a@vm", machineDocument()),
      HResult.SystemAlreadyExists,
      "sim-test",
    );
    await machine.end();
    await (await other.create("a@vm", machineDocument())).close();
  }));

Deno.test("another process sees a machine and can end it", () =>
  inLab(async ({ boot, another }) => {
    const machine = await boot("a@vm");
    const other = await another();
    const [row] = await other.enumerate({ Ids: ["a@vm"] });
    assertEquals(row?.State, "Running");
    assertEquals(row?.RuntimeId, machine.system.runtimeId);
    const system = await other.open("a@vm");
    const properties = await system.properties({
      PropertyTypes: ["Statistics", "Memory"],
    });
    assertStringIncludes(
      JSON.stringify(
        properties,
        (_, value) => typeof value === "bigint" ? Number(value) : value,
      ),
      "AssignedMemory",
    );
    await refused(() => system.modify(scsi(0, "Remove")), 0x80070032);
    await system.terminate();
    assertEquals((await system.exited).exitType, "ForcedExit");
    assertEquals((await machine.system.exited).exitType, "ForcedExit");
    await system.close();
    await refused(
      () => other.open("a@vm"),
      HResult.SystemNotFound,
    );
    await machine.end();
  }));

Deno.test("a machine that another process only looked at goes on", () =>
  inLab(async ({ boot, another }) => {
    const machine = await boot("a@vm");
    const system = await (await another()).open("a@vm");
    await system.close();
    assertEquals(await machine.sh("echo on"), "on");
    await machine.end();
  }));

/** Starts a process that owns a running machine, and waits until it runs. */
async function owner(state: string): Promise<Deno.ChildProcess> {
  const modules = new URL("./", import.meta.url).href;
  const script = `
    import { machineDocument, TestMachine } from "${modules}sim_fixture.ts";
    import { simulatedHost } from "${modules}../../sim/host.ts";
    const host = await simulatedHost();
    const system = await host.compute.create("a@vm", machineDocument());
    await TestMachine.boot(host.sockets, system);
    await host.platform.listen(await host.platform.endpoint("test", "a"));
    console.log("runs");
    await new Promise(() => setInterval(() => {}, 1000));`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "-q",
      "--no-lock",
      "--cached-only",
      "--config",
      config,
      script,
    ],
    env: { LCOW_STATE: state, LCOW_SIM_GUEST: testGuest },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  assertStringIncludes(new TextDecoder().decode(value), "runs");
  return child;
}

Deno.test("the machine of a killed shim dies, and cleanUp() removes the rest", () =>
  inLab(async ({ dir }) => {
    const state = `${dir}/state`;
    const child = await owner(state);
    assert((await processesOf(dir)).length > 0);
    child.kill("SIGKILL");
    await child.status;
    const platform = simulatedPlatform(state);
    await platform.cleanUp("test", "a");
    await platform.cleanUp("test", "a");
  }));

Deno.test("cleanUp() leaves the machine of a living shim alone", () =>
  inLab(async ({ dir, another }) => {
    const state = `${dir}/state`;
    const child = await owner(state);
    await simulatedPlatform(state).cleanUp("test", "a");
    const rows = await (await another()).enumerate({});
    assertEquals(rows.length, 1);
    child.kill("SIGKILL");
    await child.status;
    await simulatedPlatform(state).cleanUp("test", "a");
  }));

Deno.test("create() removes what a killed shim left", () =>
  inLab(async ({ dir, boot }) => {
    const child = await owner(`${dir}/state`);
    child.kill("SIGKILL");
    await child.status;
    const machine = await boot("a@vm");
    await machine.end();
    await simulatedPlatform(`${dir}/state`).cleanUp("test", "a");
  }));

Deno.test("a directory becomes a disk, and goes away again", () =>
  inLab(async ({ dir, boot }) => {
    await Deno.mkdir(`${dir}/layer`);
    await Deno.writeTextFile(`${dir}/layer/hello`, "from the host");
    await Deno.symlink(`${dir}/layer`, `${dir}/link`);
    const machine = await boot("a@vm");
    const entry = "/sys/bus/scsi/devices/0:0:0:5";
    await machine.system.modify(
      scsi(5, "Add", { Type: "VirtualDisk", Path: `${dir}/link` }),
    );
    const name = await machine.sh(`ls ${entry}/block`);
    assertEquals(await machine.sh(`cat /dev/${name}/hello`), "from the host");
    await machine.sh(
      `mkdir /run/l && mount --bind /dev/${name}/. /run/l && cat /run/l/hello && umount /run/l && echo 1 >${entry}/delete`,
    );
    await machine.system.modify(scsi(5, "Remove"));
    assertEquals(
      await machine.sh(`ls ${entry} /dev/${name} 2>&1 || :; :`),
      [
        `ls: cannot access '${entry}': No such file or directory`,
        `ls: cannot access '/dev/${name}': No such file or directory`,
      ].join("\n"),
    );
    await machine.end();
  }));

async function image(dir: string): Promise<string> {
  const path = `${dir}/disk.img`;
  await Deno.mkdir(`${dir}/content`);
  await Deno.writeTextFile(`${dir}/content/hello`, "from the image");
  const { success } = await new Deno.Command("mkfs.ext4", {
    args: ["-q", "-d", `${dir}/content`, path, "8M"],
    stderr: "null",
  }).output();
  assert(success);
  return path;
}

Deno.test("an ext4 image becomes a disk that can be mounted", () =>
  inLab(async ({ dir, boot }) => {
    const path = await image(dir);
    const machine = await boot("a@vm");
    await machine.system.modify(
      scsi(0, "Add", { Type: "VirtualDisk", Path: path, ReadOnly: true }),
    );
    const name = await machine.sh("ls /sys/bus/scsi/devices/0:0:0:0/block");
    assertEquals(name, "sda");
    const content = await machine.sh(
      "mkdir /run/i && mount -t ext4 -o ro,noload /dev/sda /run/i && cat /run/i/hello && umount /run/i",
    );
    assertEquals(content, "from the image");
    await machine.system.modify(scsi(0, "Remove"));
    await machine.end();
  }));

Deno.test("a mounted image does not outlive its machine", () =>
  inLab(async ({ dir, boot }) => {
    const path = await image(dir);
    const machine = await boot(
      "a@vm",
      machineDocument({
        attachments: { "3": { Type: "VirtualDisk", Path: path } },
      }),
    );
    await machine.sh("mkdir /run/i && mount /dev/sda /run/i && touch /run/i/x");
    assertEquals((await loopsOf(dir)).length, 1);
    await machine.end();
  }));

Deno.test("an image that cannot be attached is let go, and can be attached later", () =>
  inLab(async ({ dir, boot }) => {
    const disk = { Type: "VirtualDisk", Path: await image(dir) };
    const machine = await boot("a@vm");
    const add = () => machine.system.modify(scsi(0, "Add", disk));
    const entry = "/sys/bus/scsi/devices/0:0:0:0";
    await machine.sh("touch /dev/sda");
    await assertRejects(add, ShimError, "mknod");
    await machine.sh(`rm /dev/sda && mkdir -p ${entry}`);
    await assertRejects(add, Deno.errors.AlreadyExists);
    await add();
    assertEquals(await machine.sh(`ls ${entry}/block`), "sda");
    await machine.system.modify(scsi(0, "Remove"));
    await machine.end();
  }));

Deno.test("modify() refuses disks that cannot be, and keeps running", () =>
  inLab(async ({ dir, boot }) => {
    const machine = await boot("a@vm");
    const { system } = machine;
    const disk = { Type: "VirtualDisk", Path: dir };
    await system.modify(scsi(1, "Add", disk));
    await refused(() => system.modify(scsi(1, "Add", disk)), 0x800700b7);
    await refused(() => system.modify(scsi(2, "Remove")), 0x80070490);
    await refused(
      () => system.modify(scsi(2, "Add", { ...disk, Path: `${dir}/gone` })),
      0x80070002,
      `${dir}/gone`,
    );
    await refused(
      () =>
        system.modify(
          scsi(2, "Add", { ...disk, Type: "ExtensibleVirtualDisk" }),
        ),
      0x80070032,
    );
    await refused(
      () => system.modify(scsi(2, "Add", { ...disk, Typo: 1 })),
      HResult.InvalidJson,
      "$.Settings",
    );
    await refused(
      () =>
        system.modify({
          ResourcePath: "VirtualMachine/Devices/Plan9/Shares",
          RequestType: "Add",
          Settings: {},
        }),
      0x80070032,
    );
    await refused(
      () => system.modify({ ResourcePath: "VirtualMachine/Nonsense" }),
      HResult.InvalidArgument,
    );
    assertEquals(await machine.sh("echo fine"), "fine");
    await machine.end();
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

Deno.test("a disk of the document that is missing fails the start", () =>
  inLab(async ({ host, dir }) => {
    const attachments = {
      "0": { Type: "VirtualDisk", Path: `${dir}/gone.vhd` },
    };
    const system = await host.create(
      "a@vm",
      machineDocument({ attachments }),
    );
    await refused(() => system.start(), HResult.Fail, `${dir}/gone.vhd`);
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
