/** What the rewriting of specifications does to containers on this kernel. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import { type GuestVm, readText, type TestContainer } from "./guest_fixture.ts";
import { bind, mounts, podTest } from "./pod_fixture.ts";

const project = new URL("../../", import.meta.url).pathname;

const teeLog = "io.microsoft.container.lcow.tee-log-path";
const teeMount = "io.microsoft.container.lcow.tee-log-dir-mount";

podTest(
  "output goes to the host and to the log, which others of the pod can read",
  async (pod) => {
    const script = "echo out; echo err >&2; seq 100000";
    const annotations = { [teeLog]: "app/one.log" };
    const output = await pod.run("one", script, { annotations });
    const log = await Deno.readTextFile(pod.path("logs/app/one.log"));
    assertEquals(log.length, output.length);
    // The two streams stand in the order of their portions.
    assertEquals(`${log.replace("err\n", "")}err\n`, output);
    const shown = await pod.run("two", "cat /logs/app/one.log", {
      annotations: { [teeMount]: "/logs" },
    });
    assertEquals(shown, log);
    const { pid } = pod.vm;
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      const target = await Deno.readLink(`/proc/${pid}/fd/${name}`)
        .catch(() => ""); // closed meanwhile
      assert(!target.includes("one.log"), "the log is still open");
    }
  },
);

podTest(
  "a log gets the output of a terminal, and what no host asks for",
  async (pod) => {
    const annotations = { [teeLog]: "two.log" };
    await pod.create("quiet", "echo quiet; echo err >&2", { annotations });
    const none = { stdin: false, stdout: false, stderr: false };
    const quiet = await pod.vm.start("quiet", none);
    assertEquals(await quiet.exited, 0);
    const log = pod.path("logs/two.log");
    const lines = (await Deno.readTextFile(log)).trim().split("\n").sort();
    assertEquals(lines, ["err", "quiet"]);
    const terminal: TestContainer = {
      id: "tty",
      args: ["sh", "-c", "echo tty"],
      terminal: true,
      annotations: { [teeLog]: "own.log" },
    };
    await pod.vm.create(terminal);
    const tty = await pod.vm.start("tty", {
      ...{ stdin: true, stdout: true, stderr: false },
    });
    assertEquals(await readText(tty.stdout), "tty\r\n");
    await tty.close();
    await tty.exited;
    const own = pod.vm.path("/run/gcs/pods/tty/tty/logs/own.log");
    assertEquals(await Deno.readTextFile(own), "tty\r\n");
    await pod.vm.remove(terminal);
  },
);

podTest(
  "a container cannot lead the log of another one out of the pod",
  async (pod) => {
    await Deno.writeTextFile(pod.vm.path("/run/kept"), "kept");
    const annotations = { [teeMount]: "/logs" };
    await pod.run("evil", "ln -s /run/kept /logs/a; ln -s /run /logs/b", {
      annotations,
    });
    await pod.create("late", "echo no", { annotations: { [teeLog]: "c" } });
    await pod.run("evil2", "ln -s /run/kept /logs/c", { annotations });
    await assertRejects(() => pod.vm.start("late"), Error, "symbolic link");
    const rows = [["w1", "a", "run/kept"], ["w2", "b/kept2", "run/kept2"]];
    for (const [id, name, path] of rows) {
      await pod.run(id!, `echo ${id}`, { annotations: { [teeLog]: name! } });
      const text = await Deno.readTextFile(pod.path(`logs/${path}`));
      assertEquals(text, `${id}\n`);
    }
    const kept = await Deno.readTextFile(pod.vm.path("/run/kept"));
    assertEquals(kept, "kept");
    await assertRejects(() => Deno.lstat(pod.vm.path("/run/kept2")));
  },
);

for (const kind of ["v2", "virtual"] as const) {
  podTest(
    `folders of the sandbox of a ${kind} pod are shared, on disk and in memory; paths of the VM are seen`,
    async (pod) => {
      await Deno.mkdir(pod.vm.path("/run/of-vm"));
      await Deno.writeTextFile(pod.vm.path("/run/of-vm/file"), "vm\n");
      const spec = mounts(
        bind("sandbox://a/b", "/disk"),
        bind("sandbox-tmp://c", "/memory"),
        bind("uvm:///run/of-vm", "/vm", "ro"),
      );
      const write = "echo disk > /disk/f; echo memory > /memory/f";
      await pod.run("w1", write, { spec });
      const output = await pod.run(
        "w2",
        "cat /disk/f /memory/f /vm/file /etc/hostname; stat -f -c %T /memory",
        { spec },
      );
      assertEquals(output, "disk\nmemory\nvm\nuvm\ntmpfs\n");
      const text = await Deno.readTextFile(pod.path("sandboxMounts/a/b/f"));
      assertEquals(text, "disk\n");
    },
    kind,
  );
}

podTest("a link on a disk does not lead a bind into the VM", async (pod) => {
  const disk = `${pod.vm.folder}/disk`;
  await Deno.mkdir(`${disk}/run`, { recursive: true });
  await Deno.writeTextFile(`${disk}/run/file`, "disk\n");
  await Deno.symlink("/run", `${disk}/link`);
  await Deno.writeTextFile(pod.vm.path("/run/file"), "vm\n");
  const settings = {
    MountPath: "/run/mounts/scsi/disk",
    Lun: await pod.vm.attach(disk),
  };
  const ResourceType = "MappedVirtualDisk";
  const Settings = settings;
  await pod.vm.guest.modify({ ResourceType, RequestType: "Add", Settings });
  const table = await Deno.readTextFile(`/proc/${pod.vm.pid}/mounts`);
  if (/ \/run\/mounts\/scsi\/disk tmpfs /.test(table)) {
    console.log(
      "skip: folders for tests are in memory, as those of the VM are",
    );
  } else {
    const spec = mounts(bind(`${settings.MountPath}/link`, "/m"));
    assertEquals(await pod.run("w", "cat /m/file", { spec }), "disk\n");
  }
  await pod.remove();
  await pod.vm.guest.modify({ ResourceType, RequestType: "Remove", Settings });
});

/** A node in the VM that no container may use unasked: an idle loop device. */
async function makeNode(vm: GuestVm, name: string): Promise<void> {
  const path = vm.path(`/dev/${name}`);
  const args = ["-m", "666", path, "b", "7", "0"];
  const { success } = await new Deno.Command("mknod", { args }).output();
  assert(success, `cannot make ${path}`);
}

/** Says which ways of opening a device work. */
function opens(path: string): string {
  return `( : < ${path} ) 2>/dev/null && echo read; ` +
    `( : >> ${path} ) 2>/dev/null && echo write; true`;
}

podTest(
  "a block device behind a link may be used as its mount says",
  async (pod) => {
    await makeNode(pod.vm, "disk");
    await Deno.symlink("/dev/disk", pod.vm.path("/run/link"));
    const rows: [string, JsonObject, string][] = [
      ["rw", bind("/run/link", "blockdev:///dev/mine"), "read\nwrite\n"],
      ["ro", bind("/run/link", "blockdev:///dev/mine", "ro"), "read\n"],
      ["no", bind("/run/link", "/dev/mine"), ""],
    ];
    for (const [id, mount, expected] of rows) {
      const spec = {
        ...mounts(mount),
        linux: {
          namespaces: ["pid", "mount"].map((type) => ({ type })),
          resources: { devices: [{ allow: false, access: "rwm" }] },
        },
      };
      assertEquals(
        await pod.run(id, opens("/dev/mine"), { spec }),
        expected,
        id,
      );
    }
  },
);

podTest(
  "listed devices are those of the VM, and a privileged container has all",
  async (pod) => {
    await makeNode(pod.vm, "disk");
    const linux = {
      namespaces: ["pid", "mount"].map((type) => ({ type })),
      resources: { devices: [{ allow: false, access: "rwm" }] },
    };
    const script = opens("/dev/disk");
    assertEquals(await pod.run("none", script, { spec: { linux } }), "write\n");
    const devices = [{ path: "/dev/disk", type: "c", major: 5, minor: 5 }];
    const listed = { linux: { ...linux, devices } };
    const both = "read\nwrite\n";
    assertEquals(await pod.run("listed", script, { spec: listed }), both);
    const annotations = {
      "io.microsoft.virtualmachine.lcow.privileged": "true",
    };
    const more = { spec: { linux }, annotations };
    assertEquals(await pod.run("privileged", script, more), both);
  },
);

podTest(
  "shared memory and core files are as large as annotations say",
  async (pod) => {
    const output = await pod.run(
      "limited",
      "grep /dev/shm /proc/mounts; grep core /proc/self/limits; " +
        "head -c 70000 /dev/zero > /dev/shm/f || wc -c < /dev/shm/f",
      {
        annotations: {
          "io.microsoft.lcow.shm.size-kb": "64",
          "io.microsoft.lcow.rlimitcore": "1024;2048",
        },
      },
    );
    const [shm = "", core = "", ...rest] = output.split("\n");
    assert(/^shm \/dev\/shm tmpfs .*\bsize=64k\b/.test(shm), shm);
    assert(shm.includes("nosuid,nodev,noexec"), shm);
    assert(/core file size +1024 +2048 +bytes/.test(core), core);
    assertEquals(rest[0], "65536");
  },
);

podTest("a working directory that an image lacks is made", async (pod) => {
  const process = {
    user: { uid: 0, gid: 0 },
    args: ["sleep", "1000"],
    cwd: "/not/there",
    env: ["PATH=/bin"],
  };
  await pod.create("w", "", { spec: { process } });
  const init = await pod.vm.start("w");
  const none = { stdin: false, stdout: true, stderr: false };
  for (const cwd of ["/not/there", "/nor/there"]) {
    const exec = await pod.vm.exec("w", ["pwd"], none, { cwd });
    assertEquals(await readText(exec.stdout), `${cwd}\n`);
    await exec.close();
  }
  await init.signal();
  await init.close();
  await init.exited;
});

podTest(
  "an assigned device brings its nodes once its driver is there",
  async (pod) => {
    const id = "5C1B5C1B-0000-4000-8000-00000000ABCD";
    const windows = { devices: [{ id, idType: "vpci" }] };
    const running = pod.run("w", "ls /dev; head -c 3 /dev/zero | wc -c", {
      spec: {
        windows,
        linux: {
          namespaces: ["pid", "mount"].map((type) => ({ type })),
          resources: { devices: [{ allow: false, access: "rwm" }] },
        },
      },
    });
    // The device's place in sysfs is that of the kernel's memory devices.
    const bus = `/sys/bus/vmbus/devices/${id.toLowerCase()}/pci1234:00`;
    await Deno.mkdir(pod.vm.path(bus), { recursive: true });
    const place = pod.vm.path(`${bus}/1234:00:00.0`);
    await Deno.symlink("/sys/devices/virtual/mem", place);
    const output = await running;
    for (const name of ["null", "zero", "urandom"]) {
      assert(output.split("\n").includes(name), output);
    }
    assert(output.endsWith("3\n"), output);
  },
);

podTest(
  "a gpu has the runtime call NVIDIA's tool through the hook",
  async (pod) => {
    const bin = `${pod.vm.folder}/bin`;
    const out = `${pod.vm.folder}/tool`;
    await Deno.mkdir(bin);
    const programs = {
      generichook: `exec '${Deno.execPath()}' run -q -A --no-check ` +
        `--cached-only --no-lock '${project}guest/generic_hook.ts' "$@"`,
      "nvidia-container-cli":
        `printf '%s\\n' "$@" "$NVC_INSECURE_MODE" > '${out}'`,
    };
    for (const [name, text] of Object.entries(programs)) {
      const script = `#!/bin/sh\n${text}\n`;
      await Deno.writeTextFile(`${bin}/${name}`, script, { mode: 0o755 });
    }
    const id = "5c1b5c1b-0000-4000-8000-00000000abcd";
    const bus = `/sys/bus/vmbus/devices/${id}/pci1234:00/1234:00:00.0`;
    await Deno.mkdir(pod.vm.path(bus), { recursive: true });
    const windows = { devices: [{ id, idType: "gpu" }] };
    const annotations = {
      "io.microsoft.container.gpu.capabilities": "compute,utility",
    };
    const more = { spec: { windows }, annotations };
    assertEquals(await pod.run("gpu", "echo ran", more), "ran\n");
    const bundle = "/run/gcs/pods/pod/gpu";
    const told = (await Deno.readTextFile(out)).replace(/--pid=\d+/, "--pid=N");
    assertEquals(told.trim().split("\n"), [
      `--debug=${bundle}/nvidia-container.log`,
      "--no-pivot",
      "configure",
      "--ldconfig=@/sbin/ldconfig",
      "--compute",
      "--utility",
      "--device=1234:00:00.0",
      "--pid=N",
      `${bundle}/rootfs`,
      "1",
    ]);
  },
);

const hugepages = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const hasHugepages = await Deno.stat(hugepages).then(() => true, () => false);
if (!hasHugepages) console.log(`skip: there is no ${hugepages}`);

if (hasHugepages) {
  podTest(
    "huge pages are mounted for the pod, and refused sizes leave nothing",
    async (pod) => {
      const spec = mounts(bind("hugepages://2M/a/b", "/huge"));
      for (const id of ["w1", "w2"]) {
        const output = await pod.run(id, "grep /huge /proc/mounts", { spec });
        assert(/^none \/huge hugetlbfs .*pagesize=2M/.test(output), output);
      }
      const bad = mounts(bind("hugepages://3M/x", "/huge"));
      for (let attempt = 0; attempt < 2; attempt++) {
        await assertRejects(
          () => pod.create(`bad${attempt}`, "true", { spec: bad }),
          Error,
          "hugetlbfs",
        );
        await pod.vm.guest.modify({
          ResourceType: "CombinedLayers",
          RequestType: "Remove",
          Settings: {
            ContainerRootPath: `/run/gcs/pods/pod/bad${attempt}/rootfs`,
          },
        });
      }
      await assertRejects(() => Deno.lstat(pod.path("hugepages/3M/x")));
    },
  );
}
