import { assert, assertEquals, assertRejects } from "@std/assert";
import { HResult, HResultError } from "../../base/hresult.ts";
import { nullGuid } from "../../base/guid.ts";
import type { GuestProcess } from "../../bridge/guest.ts";
import { assertHResult, guestTest } from "./guest_case.ts";
import { readText, readUntil } from "./guest_fixture.ts";

const all = { stdin: true, stdout: true, stderr: true };
const terminal = { stdin: true, stdout: true, stderr: false };

function text(bytes: string): Uint8Array {
  return new TextEncoder().encode(bytes);
}

guestTest(
  "a standalone container runs, tells its output and exit code, and leaves nothing",
  async (vm) => {
    const container = {
      id: "one",
      args: ["sh", "-c", "cat; echo err >&2; exit 3"],
    };
    await vm.create(container);
    const init = await vm.start("one", all);
    await init.stdin!.write(text("hello\n"));
    await init.stdin!.closeWrite();
    const output = await Promise.all([
      readText(init.stdout),
      readText(init.stderr),
    ]);
    assertEquals(output, ["hello\n", "err\n"]);
    await init.close();
    assertEquals(await init.exited, 3);
    await vm.remove(container);
    await assertHResult(
      () => vm.guest.deleteContainerState("one"),
      HResult.SystemNotFound,
    );
  },
);

guestTest(
  "signals reach processes that live, and are refused for others",
  async (vm) => {
    const container = {
      id: "sig",
      args: [
        "sh",
        "-c",
        "trap 'exit 9' TERM; echo on; while :; do sleep 0.01; done",
      ],
    };
    const settings = await vm.layers(container);
    await vm.createOn(container, String(settings.ScratchPath));
    const init = await vm.start("sig");
    await readUntil(init.stdout!, "on");
    const process = await vm.exec("sig", ["sleep", "1000"]);
    assert(await process.signal(15));
    await process.close();
    assertEquals(await process.exited, 143);
    assertEquals(await process.signal(9), false);
    assert(await init.signal(0) || true);
    await init.close();
    const code = await init.exited;
    assert(code === 9 || code === 137);
    assertEquals(await init.signal(), false);
    await vm.remove(container);
  },
);

guestTest(
  "exec knows the users of the image and the limits of the container",
  async (vm) => {
    const container = {
      id: "users",
      args: ["sleep", "1000"],
    };
    await vm.create(container);
    const init = await vm.start("users");
    const run = async (username: string): Promise<string> => {
      const process = await vm.exec("users", ["id"], undefined, {
        user: { uid: 0, gid: 0, username },
      });
      const output = await readText(process.stdout);
      await process.close();
      await process.exited;
      return output.split(" groups=")[0]!.trim();
    };
    assertEquals(await run("app"), "uid=1000(app) gid=1001");
    assertEquals(await run("app:staff"), "uid=1000(app) gid=50(staff)");
    assertEquals(await run("7"), "uid=7 gid=0(root)");
    await assertRejects(() => run("nobody"), Error, '"nobody"');
    await init.signal();
    await init.close();
    await init.exited;
    await vm.remove(container);
  },
);

guestTest(
  "a pod: sandbox and workload share namespaces, files and a group; limits and statistics are its own",
  async (vm) => {
    const sandbox = {
      id: "pod",
      args: ["sleep", "1000"],
      annotations: { "io.kubernetes.cri.container-type": "sandbox" },
      spec: { hostname: "box.example" },
    };
    await vm.create(sandbox);
    const pause = await vm.start("pod");
    const workload = {
      id: "web",
      pod: "pod",
      args: ["sh", "-c", "hostname; cat /etc/hosts; exec sleep 1000"],
      annotations: {
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.sandbox-id": "pod",
      },
      spec: {
        linux: {
          namespaces: [
            ...["ipc", "uts", "network"].map((type) => ({
              type,
              path: `/proc/${pause.pid}/ns/${
                type === "network" ? "net" : type
              }`,
            })),
            { type: "pid" },
            { type: "mount" },
          ],
          resources: { memory: { limit: 134217728 } },
        },
      },
    };
    await vm.create(workload);
    const web = await vm.start("web");
    const output = await readUntil(web.stdout!, "ip6-allrouters");
    assert(output.startsWith("box.example\n127.0.0.1 localhost\n"), output);
    assert(output.includes("127.0.0.1 box.example box\n"), output);
    const { ProcessList, LCOWMetrics } = await vm.guest.properties("web", [
      "ProcessList",
      "Statistics",
      "Network",
    ]);
    assertEquals(ProcessList?.map(({ ProcessId }) => ProcessId), [web.pid]);
    assertEquals(LCOWMetrics?.memory?.usage?.limit, 134217728n);
    assert(LCOWMetrics?.memory?.usage?.usage! > 0n);
    assertEquals(LCOWMetrics?.pids?.current, 1n);
    assert(LCOWMetrics?.cpu?.usage?.total! > 0n);
    await vm.guest.modify({
      ResourceType: "ContainerConstraints",
      RequestType: "Update",
      Settings: { Linux: { memory: { limit: 67108864 } } },
    }, "web");
    const after = await vm.guest.properties("web", ["Statistics"]);
    assertEquals(after.LCOWMetrics?.memory?.usage?.limit, 67108864n);
    for (
      const [process, container] of [[web, workload], [pause, sandbox]] as const
    ) {
      await process.signal();
      await process.close();
      assertEquals(await process.exited, 137);
      await vm.remove(container);
    }
  },
);

guestTest(
  "a pod without its sandbox, and a workload that names its host, are refused and leave nothing",
  async (vm) => {
    const workload = {
      id: "web",
      pod: "none",
      args: ["true"],
      annotations: {
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.sandbox-id": "none",
      },
    };
    await assertRejects(() => vm.create(workload), Error, 'Pod "none"');
  },
);

guestTest(
  "a create that the runtime refuses is undone, and can be repeated",
  async (vm) => {
    const bad = { id: "bad", args: ["/no/such/program"] };
    const settings = await vm.layers(bad);
    const scratch = String(settings.ScratchPath);
    await assertRejects(() => vm.createOn(bad, scratch), Error, "/no/such");
    assertEquals(await vm.leftovers(), []);
    const sandbox = {
      ...bad,
      annotations: { "io.kubernetes.cri.container-type": "sandbox" },
    };
    await vm.guest.modify({
      ResourceType: "CombinedLayers",
      RequestType: "Add",
      Settings: settings,
    });
    await assertRejects(() => vm.createOn(sandbox, scratch), Error, "/no/such");
    assertEquals(await vm.leftovers(), []);
    const good = { ...sandbox, args: ["true"] };
    await vm.guest.modify({
      ResourceType: "CombinedLayers",
      RequestType: "Add",
      Settings: settings,
    });
    await vm.createOn(good, scratch);
    const init = await vm.start("bad");
    await init.close();
    assertEquals(await init.exited, 0);
    await vm.remove(good);
  },
);

guestTest(
  "a container that never started can be deleted",
  async (vm) => {
    for (const id of ["a", "b"]) {
      const container = { id, args: ["true"], terminal: id === "b" };
      await vm.create(container);
      await vm.remove(container);
    }
  },
);

guestTest(
  "peer:vm-processes processes of the VM itself run, with and without a terminal, and take signals",
  async (vm) => {
    const run = await vm.guest.execute(nullGuid, {
      CommandArgs: ["sh", "-c", "echo $NAME; pwd; cat; exit 7"],
      Environment: { PATH: "/bin:/usr/bin", NAME: "value" },
      WorkingDirectory: "/usr",
    }, all);
    await run.stdin!.write(text("in\n"));
    await run.closeStdin();
    assertEquals(await readText(run.stdout), "value\n/usr\nin\n");
    await run.close();
    assertEquals(await run.exited, 7);
    const tty = await vm.guest.execute(nullGuid, {
      CommandLine: "sh -c 'read x; stty size; tty; exit 3'",
      Environment: { PATH: "/bin:/usr/bin" },
      EmulateConsole: true,
    }, terminal);
    await tty.resize(97, 31);
    await tty.stdin!.write(text("\n"));
    const output = await readText(tty.stdout);
    assert(output.includes("31 97") && output.includes("/dev/pts/"), output);
    await tty.close();
    assertEquals(await tty.exited, 3);
    const sleep = await vm.guest.execute(nullGuid, {
      CommandArgs: ["/bin/sleep", "1000"],
    }, { stdin: false, stdout: false, stderr: false });
    await sleep.signal(15);
    assertEquals(await sleep.exited, 143);
    await assertRejects(
      () =>
        vm.guest.execute(nullGuid, { CommandArgs: ["/no/such"] }, {
          stdin: false,
          stdout: true,
          stderr: false,
        }),
      Error,
      "/no/such",
    );
  },
);

guestTest(
  "a disk with a file system is found by its superblock and mounted",
  async (vm) => {
    const image = `${vm.folder}/disk.img`;
    const run = async (program: string, ...args: string[]): Promise<string> => {
      const { success, stdout, stderr } = await new Deno.Command(program, {
        args,
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    };
    await run("truncate", "-s", "16M", image);
    await run("mkfs.ext4", "-q", "-d", await vm.image(), image);
    const loop = await run("losetup", "--find", "--show", image);
    try {
      await run("cp", "--archive", loop, vm.path("/dev/sdz"));
      const device = "/sys/bus/scsi/devices/0:0:0:9";
      const block = vm.path(`${device}/block/sdz`);
      const disk = { MountPath: "/run/mounts/scsi/0_9_0", Lun: 9 };
      const added = vm.guest.modify({
        ResourceType: "MappedVirtualDisk",
        RequestType: "Add",
        Settings: { ...disk, ReadOnly: true },
      });
      // The disk appears while the agent waits for it.
      await Deno.mkdir(block, { recursive: true });
      await Deno.writeTextFile(vm.path(`${device}/delete`), "");
      await added;
      const busybox = vm.path("/run/mounts/scsi/0_9_0/bin/busybox");
      assert((await Deno.stat(busybox)).isFile);
      await vm.guest.modify({
        ResourceType: "MappedVirtualDisk",
        RequestType: "Remove",
        Settings: disk,
      });
      await vm.guest.modify({
        ResourceType: "SCSIDevice",
        RequestType: "Remove",
        Settings: { Lun: 9 },
      });
      const written = await Deno.readTextFile(vm.path(`${device}/delete`));
      assertEquals(written, "1\n");
    } finally {
      await run("losetup", "--detach", loop);
    }
  },
);

guestTest(
  "unknown containers, processes and resources are told as such",
  async (vm) => {
    const { guest } = vm;
    const none = { stdin: false, stdout: false, stderr: false };
    await assertHResult(
      () => guest.execute("nobody", {}, none),
      HResult.SystemNotFound,
    );
    await assertHResult(
      () => guest.properties("nobody", []),
      HResult.SystemNotFound,
    );
    await assertHResult(
      () => guest.properties(nullGuid, ["ProcessList"]),
      HResult.Fail,
    );
    const refusals: [string, string, string][] = [
      ["Nope", "Add", "Invalid ResourceType 'Nope'"],
      ["SecurityPolicyFragment", "Add", "no COSE_Sign1 document"],
      ["Network", "Add", "/sys/bus/vmbus/devices/net"],
      ["Network", "Update", '"Update" is not supported'],
      ["CombinedLayers", "Frobnicate", '"Frobnicate" is not supported'],
      ["CombinedLayers", "Add", "cannot have empty target"],
    ];
    for (const [ResourceType, RequestType, message] of refusals) {
      await assertRejects(
        () => guest.modify({ ResourceType, RequestType, Settings: {} }),
        HResultError,
        message,
      );
    }
    await guest.modify({
      ResourceType: "PodCgroupMemoryLimit",
      RequestType: "Update",
    });
    assert((await guest.dumpStacks()).includes("DumpStacks"));
  },
);

guestTest(
  "orphans of the VM do not stay as zombies",
  async (vm) => {
    const none = { stdin: false, stdout: false, stderr: false };
    const run = (script: string): Promise<GuestProcess> =>
      vm.guest.execute(nullGuid, {
        CommandArgs: ["sh", "-c", script],
        Environment: { PATH: "/bin:/usr/bin" },
      }, none);
    const parent = await run("for i in 1 2 3; do sleep 0.0$i & done; exit 0");
    assertEquals(await parent.exited, 0);
    // Ends after the orphans: what the kernel told before is collected by then.
    const last = await run("sleep 0.1");
    assertEquals(await last.exited, 0);
  },
);
