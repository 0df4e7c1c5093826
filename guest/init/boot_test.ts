import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseInitArguments } from "./arguments.ts";
import { bootMachine, programEnvironment } from "./boot.ts";
import { fakeMachine } from "./fake_machine.ts";

const gcs = parseInitArguments(["-e", "1", "/bin/gcs", "-v4"]);

Deno.test("bootMachine() makes the machine usable, in its order, and ends as its program", async () => {
  const { ports, notes } = fakeMachine({
    hostPorts: { 1: new Uint8Array(512) },
    exits: { "/bin/gcs": 7 },
  });
  assertEquals(await bootMachine(gcs, ports), 7);
  assertEquals(notes, [
    "limit 1024 1048576",
    "mount dev /dev devtmpfs 10", // nosuid, noexec
    "mount proc /proc proc 14", // nodev, nosuid, noexec
    "link /dev/fd /proc/self/fd",
    "link /dev/stdin /proc/self/fd/0",
    "link /dev/stdout /proc/self/fd/1",
    "link /dev/stderr /proc/self/fd/2",
    "mount tmpfs /run tmpfs 14 mode=0755",
    "mount tmpfs /tmp tmpfs 14",
    "folder /dev/shm 755",
    "mount shm /dev/shm tmpfs 14",
    "folder /dev/pts 755",
    "mount devpts /dev/pts devpts 10",
    "mount sysfs /sys sysfs 14",
    "mount cgroup2 /sys/fs/cgroup cgroup2 14",
    "write /sys/fs/cgroup/cgroup.subtree_control +cpu +memory +pids",
    "up lo",
    "start /sbin/modprobe: modprobe -a hv_sock sd_mod",
    "entropy 512",
    "start /bin/gcs: /bin/gcs -v4 (session)",
  ]);
});

Deno.test("bootMachine() makes /etc and /var writable when it is told so", async () => {
  const { ports, notes } = fakeMachine();
  await bootMachine(parseInitArguments(["-w", "/bin/gcs"]), ports);
  const at = notes.indexOf(
    "mount tmpfs /run/over tmpfs 14 size=40%,mode=0755",
  );
  assertEquals(notes.slice(at + 1, at + 9), [
    "folder /run/over/etc 755",
    "folder /run/over/etc/upper 755",
    "folder /run/over/etc/work 755",
    "mount overlay /etc overlay 14 " +
    "lowerdir=/etc,upperdir=/run/over/etc/upper,workdir=/run/over/etc/work",
    "folder /run/over/var 755",
    "folder /run/over/var/upper 755",
    "folder /run/over/var/work 755",
    "mount overlay /var overlay 6 " +
    "lowerdir=/var,upperdir=/run/over/var/upper,workdir=/run/over/var/work",
  ]);
});

Deno.test("bootMachine() survives a /dev that the kernel has mounted", async () => {
  const { ports } = fakeMachine({
    failures: { "mount dev /dev devtmpfs 10": 16 },
  });
  assertEquals(await bootMachine(gcs, ports), 0);
});

Deno.test("bootMachine() fails when a mount fails", async () => {
  for (
    const note of ["mount proc /proc proc 14", "mount sysfs /sys sysfs 14"]
  ) {
    const { ports, notes } = fakeMachine({ failures: { [note]: 16 } });
    await assertRejects(() => bootMachine(gcs, ports), Error, "EBUSY");
    assertEquals(notes.at(-1), note);
  }
});

Deno.test("bootMachine() goes on without loopback, modules and entropy, and says so", async () => {
  const { ports, log } = fakeMachine({
    failures: { "up lo": 19 },
    files: { "/etc/modules": "hv_sock" },
  });
  const without = {
    ...ports,
    find: (name: string) =>
      Promise.resolve(name === "modprobe" ? undefined : name),
  };
  assertEquals(await bootMachine(gcs, without), 0);
  const text = log.join("");
  for (const what of ["ENODEV", "no modprobe", "Cannot dial 1"]) {
    assert(text.includes(what), text);
  }
});

Deno.test("bootMachine() lives as long as its shell, whatever becomes of the program", async () => {
  const { ports, notes, log } = fakeMachine({
    failures: { "start /bin/gcs: /bin/gcs (session)": 2 },
    exits: { "/bin/sh": 5 },
  });
  const options = parseInitArguments(["-d", "/bin/sh", "/bin/gcs"]);
  assertEquals(await bootMachine(options, ports), 5);
  assertEquals(notes.at(-1), "start /bin/sh: /bin/sh (session)");
  assert(log.join("").includes("Cannot run the program"));
});

Deno.test("bootMachine() names the program that the image lacks", async () => {
  const { ports } = fakeMachine();
  await assertRejects(
    () => bootMachine(parseInitArguments(["nothing"]), ports),
    Error,
    '"nothing"',
  );
});

Deno.test("bootMachine() starts the services of accelerators that the image has", async () => {
  const path = "/bin/nvidia-persistenced";
  const { ports, notes } = fakeMachine({
    programs: { "nvidia-persistenced": path },
  });
  await bootMachine(gcs, ports);
  assert(notes.includes(`start ${path}: nvidia-persistenced`));
  assert(!notes.some((note) => note.includes("nv-fabricmanager")));
});

Deno.test("bootMachine() gives the interface an address where TCP stands for Hyper-V sockets", async () => {
  const { ports, notes } = fakeMachine({
    environment: { LCOW_NIC: "eth0=10.0.2.15/24" },
  });
  await bootMachine(gcs, ports);
  const at = notes.indexOf("up eth0 10.0.2.15/24");
  assert(at > notes.findIndex((note) => note.includes("modprobe")));
});

Deno.test("programEnvironment() has the path, and how the host is reached", () => {
  const PATH = "/sbin:/usr/sbin:/bin:/usr/bin";
  assertEquals(programEnvironment({ get: () => undefined }), { PATH });
  const variables: Record<string, string> = {
    HOME: "/",
    LCOW_VSOCK_TCP: "1.2.3.4:5",
  };
  assertEquals(programEnvironment({ get: (name) => variables[name] }), {
    PATH,
    LCOW_VSOCK_TCP: "1.2.3.4:5",
  });
});
