import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import type { Spec } from "../../oci/spec.gen.ts";
import {
  applyCoreLimit,
  applyLogMount,
  applyShmAndDevices,
  applyUser,
  useHostNetwork,
} from "./annotations.ts";
import { deviceNumbers, rewriteMounts } from "./mounts.ts";
import { hostsFile, requireHostname, resolvConf } from "./network_files.ts";
import { pathInFolder } from "./pod_files.ts";
import { resolveUser } from "./users.ts";

function spec(more: Partial<Spec> = {}): Spec {
  return {
    ociVersion: "1.1.0",
    process: { user: { uid: 0, gid: 0 }, cwd: "/" },
    ...more,
  };
}

async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("guest:I10 resolvConf() has searches, servers and options in this order", () => {
  assertEquals(resolvConf([], []), "");
  assertEquals(resolvConf(["a", "b"], []), "search a b\n");
  assertEquals(resolvConf([], ["1", "2"]), "nameserver 1\nnameserver 2\n");
  assertEquals(resolvConf([], [], ["x", "y"]), "options x y\n");
  assertEquals(
    resolvConf(["a"], ["1"], ["x"]),
    "search a\nnameserver 1\noptions x\n",
  );
  const seven = [..."abcdefg"];
  assertThrows(() => resolvConf(seven, []), Error, "7 search domains");
});

Deno.test("guest:I11 requireHostname() takes letters, digits, '-', '.', '_' and nothing", () => {
  for (const name of ["", "a", "A-b_c.9"]) requireHostname(name);
  for (const name of ["a\n", "a@b", "a b", "a,b", "a\0", "a".repeat(1000)]) {
    assertThrows(() => requireHostname(name), Error, "Invalid hostname");
  }
});

Deno.test("guest:I12 hostsFile() names a host, and a qualified one twice", () => {
  const rest = [
    "",
    "# The following lines are desirable for IPv6 capable hosts",
    "::1     ip6-localhost ip6-loopback",
    "fe00::0 ip6-localnet",
    "ff00::0 ip6-mcastprefix",
    "ff02::1 ip6-allnodes",
    "ff02::2 ip6-allrouters",
    "",
  ].join("\n");
  assertEquals(
    hostsFile("box"),
    `127.0.0.1 localhost\n127.0.0.1 box\n${rest}`,
  );
  assertEquals(
    hostsFile("box.a.b"),
    `127.0.0.1 localhost\n127.0.0.1 box.a.b box\n${rest}`,
  );
});

Deno.test("resolveUser() reads names and numbers as the image has them", () =>
  withFolder(async (rootfs) => {
    await Deno.mkdir(`${rootfs}/etc`);
    await Deno.writeTextFile(
      `${rootfs}/etc/passwd`,
      "root:x:0:0::/:/bin/sh\napp:x:10:20::/:\ntwice:x:1:1::/:\ntwice:x:2:2::/:\n",
    );
    await Deno.writeTextFile(`${rootfs}/etc/group`, "staff:x:50:\n");
    const rows: [string, number, number][] = [
      ["app", 10, 20],
      ["10", 10, 20],
      ["11", 11, 0],
      ["app:staff", 10, 50],
      ["app:7", 10, 7],
      ["4294967295:4294967295", 4294967295, 4294967295],
    ];
    for (const [user, uid, gid] of rows) {
      assertEquals(await resolveUser(user, rootfs), { uid, gid });
    }
    for (const user of ["none", "twice", "app:none", "a:b:c", "4294967296"]) {
      await assertRejects(() => resolveUser(user, rootfs), Error);
    }
    await Deno.remove(`${rootfs}/etc`, { recursive: true });
    assertEquals(await resolveUser("10", rootfs), { uid: 10, gid: 0 });
    const given = spec({ root: { path: rootfs } });
    given.process!.user.username = "5";
    await applyUser(given);
    assertEquals(given.process!.user, { uid: 5, gid: 0, username: "5" });
  }));

Deno.test("pathInFolder() stays in its folder, component by component", () => {
  assertEquals(pathInFolder("/r/mounts", "a/b"), "/r/mounts/a/b");
  for (const rest of ["../mountsX", "..", "", "a/../..", "/../x"]) {
    assertThrows(() => pathInFolder("/r/mounts", rest), Error, "leaves");
  }
});

Deno.test("rewriteMounts() shares folders of the sandbox, and paths of the VM that exist", () =>
  withFolder(async (sandboxRoot) => {
    const mounting = (): void => {};
    const workload = spec({
      mounts: [
        { destination: "/a", source: "sandbox://x/y" },
        { destination: "/b", source: "sandbox-tmp://z" },
        { destination: "/c", source: "uvm:///proc" },
        { destination: "/d", source: "/plain" },
      ],
    });
    await rewriteMounts(workload, { sandboxRoot, mounting });
    const sources = workload.mounts?.map(({ source }) => source);
    assertEquals(sources, [
      `${sandboxRoot}/sandboxMounts/x/y`,
      `${sandboxRoot}/sandboxTmpfsMounts/z`,
      "/proc",
      "/plain",
    ]);
    const { mode } = await Deno.stat(`${sandboxRoot}/sandboxMounts/x/y`);
    assertEquals(mode! & 0o777, 0o777);
    for (
      const source of [
        "sandbox://../sandboxMountsX",
        "uvm:///no/such",
        "hugepages://rest",
      ]
    ) {
      const bad = spec({ mounts: [{ destination: "/a", source }] });
      await assertRejects(
        () => rewriteMounts(bad, { sandboxRoot, mounting }),
        Error,
      );
    }
  }));

Deno.test("rewriteMounts() lets a container use a device behind a link", () =>
  withFolder(async (sandboxRoot) => {
    const link = `${sandboxRoot}/link`;
    await Deno.symlink("/dev/null", link);
    const workload = spec({
      linux: {},
      mounts: [{
        destination: "blockdev:///dev/disk",
        source: link,
        options: ["ro"],
      }],
    });
    await rewriteMounts(workload, { sandboxRoot, mounting: () => {} });
    assertEquals(workload.mounts?.[0]?.destination, "/dev/disk");
    assertEquals(workload.linux?.resources?.devices, [
      { allow: true, type: "c", major: 1n, minor: 3n, access: "r" },
    ]);
  }));

Deno.test("deviceNumbers() reads large numbers as glibc does", () => {
  assertEquals(deviceNumbers(0x0103), { major: 1n, minor: 3n });
  assertEquals(deviceNumbers(0x1_0fff_00), { major: 0xfffn, minor: 0x1000n });
});

Deno.test("annotations set core limits, shared memory, devices, and the log folder", async () => {
  const workload = spec({
    annotations: {
      "io.microsoft.lcow.rlimitcore": "1;18446744073709551615",
      "io.microsoft.lcow.shm.size-kb": "64",
      "io.microsoft.container.lcow.tee-log-dir-mount": "/logs",
    },
    mounts: [{ destination: "/dev/shm", type: "tmpfs" }],
    linux: { devices: [{ path: "/dev/null", type: "c" }] },
  });
  applyCoreLimit(workload);
  assertEquals(workload.process?.rlimits, [
    { type: "RLIMIT_CORE", soft: 1n, hard: 2n ** 64n - 1n },
  ]);
  await applyShmAndDevices(workload, log);
  const folder = await Deno.makeTempDir();
  await applyLogMount(workload, folder);
  assertEquals(workload.mounts, [
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=64k"],
    },
    {
      destination: "/logs",
      type: "bind",
      source: `${folder}/logs`,
      options: ["bind"],
    },
  ]);
  await Deno.remove(folder, { recursive: true });
  const device = workload.linux?.devices?.[0];
  assertEquals([device?.major, device?.minor], [1n, 3n]);
  assertEquals(workload.linux?.resources?.devices?.length, 1);
});

Deno.test("annotations with values that cannot be right are refused", async () => {
  const annotated = (name: string, text: string): Spec =>
    spec({ annotations: { [name]: text } });
  for (const text of ["1", "1;2;3", "a;b", "-1;2", "18446744073709551616;1"]) {
    const bad = annotated("io.microsoft.lcow.rlimitcore", text);
    assertThrows(() => applyCoreLimit(bad), Error, "soft;hard");
  }
  for (const text of ["0", "x", "-5"]) {
    const bad = annotated("io.microsoft.lcow.shm.size-kb", text);
    await assertRejects(() => applyShmAndDevices(bad, log), Error, text);
  }
  const missing = spec({
    linux: { devices: [{ path: "/dev/no-such", type: "c" }] },
  });
  await assertRejects(
    () => applyShmAndDevices(missing, log),
    Error,
    "/dev/no-such",
  );
});

Deno.test("a privileged container gets the devices of the VM", async () => {
  const privileged = spec({
    annotations: { "io.microsoft.virtualmachine.lcow.privileged": "true" },
  });
  await applyShmAndDevices(privileged, log);
  const paths = privileged.linux?.devices?.map(({ path }) => path) ?? [];
  assert(paths.includes("/dev/null"));
  assert(!paths.some((path) => path.startsWith("/dev/pts/")));
  assertEquals(privileged.linux?.resources?.devices, [
    { allow: true, access: "rwm" },
  ]);
});

Deno.test("useHostNetwork() leaves the other namespaces alone", () => {
  const workload = spec({
    linux: { namespaces: [{ type: "pid" }, { type: "network", path: "/x" }] },
  });
  useHostNetwork(workload);
  assertEquals(workload.linux?.namespaces, [{ type: "pid" }]);
});
