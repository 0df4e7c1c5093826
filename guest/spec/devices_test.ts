import { assert, assertEquals, assertRejects } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import type { LinuxDevice, Spec } from "../../oci/spec.gen.ts";
import { applyShmAndDevices } from "./annotations.ts";
import { addDevice, addSevDevice } from "./devices.ts";
import { deviceNumbers } from "./mounts.ts";

const privileged = "io.microsoft.virtualmachine.lcow.privileged";

function specWith(devices: LinuxDevice[], value?: string): Spec {
  return {
    ociVersion: "1.1.0",
    linux: { devices },
    ...(value !== undefined && { annotations: { [privileged]: value } }),
  };
}

Deno.test("7.3 a privileged container gets every device of the VM, and one rule for all", async () => {
  const spec = specWith(
    [{ path: "/dev/null", type: "b", major: 9n, minor: 9n }],
    "true",
  );
  const old = { allow: false, access: "rwm" };
  spec.linux!.resources = { devices: [old], pids: { limit: 5n } };
  await applyShmAndDevices(spec, log);
  const devices = spec.linux?.devices ?? [];
  const paths = devices.map(({ path }) => path);
  assertEquals(paths.filter((path) => path === "/dev/null").length, 1);
  assertEquals(devices[0]?.type, "c");
  assert(paths.includes("/dev/zero"));
  const own = /^\/dev\/(pts|shm|fd|mqueue|\.lxc|\.udev)\/|console$/;
  assertEquals(paths.filter((path) => own.test(path)), []);
  assertEquals(spec.linux?.resources, {
    devices: [{ allow: true, access: "rwm" }],
    pids: { limit: 5n },
  });
});

for (const value of [undefined, "false", "not a boolean"]) {
  Deno.test(`7.3 a container with privileged=${value} gets the listed devices as this VM numbers them, with rules`, async () => {
    const spec = specWith([
      { path: "/dev/zero", type: "b", major: 9n, minor: 9n, fileMode: 0o600 },
      { path: "/dev/null", type: "c" },
      { path: "/dev/null", type: "c" },
    ], value);
    const old = { allow: false, access: "rwm" };
    spec.linux!.resources = { devices: [old] };
    await applyShmAndDevices(spec, log);
    const device = { type: "c", major: 1n, uid: 0, gid: 0 };
    assertEquals(spec.linux?.devices, [
      { ...device, path: "/dev/zero", minor: 5n },
      { ...device, path: "/dev/null", minor: 3n },
    ]);
    const rule = { allow: true, type: "c", major: 1n, access: "rwm" };
    assertEquals(spec.linux?.resources?.devices, [
      old,
      { ...rule, minor: 5n },
      { ...rule, minor: 3n },
    ]);
  });
}

const wrong = [["/dev/no-such", "No such file"], ["/dev", "it is none"], [
  "/etc/passwd",
  "it is none",
]];
for (const [path, message] of wrong) {
  Deno.test(`7.3 the listed device ${path} is refused`, async () => {
    const spec = specWith([{ path: path!, type: "c" }]);
    await assertRejects(() => applyShmAndDevices(spec, log), Error, message);
  });
}

Deno.test("7.3 a specification without devices and without linux stays as it is", async () => {
  const spec: Spec = { ociVersion: "1.1.0" };
  await applyShmAndDevices(spec, log);
  assertEquals(spec, { ociVersion: "1.1.0" });
});

Deno.test("7.3 addDevice() makes linux and resources, replaces by path, and drops 0:0", () => {
  const spec: Spec = { ociVersion: "1.1.0" };
  const device = { path: "/dev/a", type: "c", major: 1n, minor: 1n };
  addDevice(spec, { ...device, path: "/dev/b", major: 0n, minor: 0n }, true);
  assertEquals(spec, { ociVersion: "1.1.0" });
  addDevice(spec, device, true);
  addDevice(spec, { ...device, minor: 2n }, true);
  assertEquals(spec.linux?.devices, [{ ...device, minor: 2n }]);
  assertEquals(spec.linux?.resources?.devices, [
    { allow: true, type: "c", major: 1n, minor: 1n, access: "rwm" },
  ]);
});

Deno.test("5.2 containers of a confidential VM get the first device for reports, with a rule", async () => {
  const spec: Spec = { ociVersion: "1.1.0" };
  await addSevDevice(spec, log, ["/dev/no-such", "/etc"]);
  assertEquals(spec, { ociVersion: "1.1.0" });
  await addSevDevice(spec, log, ["/dev/no-such", "/dev/null", "/dev/zero"]);
  assertEquals(spec.linux?.devices?.map(({ path }) => path), ["/dev/null"]);
  assertEquals(spec.linux?.resources?.devices, [
    { allow: true, type: "c", major: 1n, minor: 3n, access: "rwm" },
  ]);
});

Deno.test("deviceNumbers() reads large numbers as glibc does", () => {
  assertEquals(deviceNumbers(0x0103), { major: 1n, minor: 3n });
  assertEquals(deviceNumbers(0x1_0fff_00), { major: 0xfffn, minor: 0x1000n });
});
