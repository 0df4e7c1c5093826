import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { scrubText, silentLogger as log } from "../../base/log.ts";
import type { Mount, Spec } from "../../oci/spec.gen.ts";
import {
  applyCoreLimit,
  applyLogMount,
  applyShmAndDevices,
  useHostNetwork,
  wantsHostNetwork,
} from "./annotations.ts";

const rlimitCore = "io.microsoft.lcow.rlimitcore";
const shmSize = "io.microsoft.lcow.shm.size-kb";
const hostNetwork = "io.microsoft.virtualmachine.lcow.hostnetwork";
const logMount = "io.microsoft.container.lcow.tee-log-dir-mount";

function annotated(name: string, text: string, more: Partial<Spec> = {}): Spec {
  return {
    ociVersion: "1.1.0",
    process: { user: { uid: 0, gid: 0 }, cwd: "/" },
    annotations: { [name]: text },
    ...more,
  };
}

const limits: [text: string, soft: bigint, hard: bigint][] = [
  ["0;0", 0n, 0n],
  ["1;18446744073709551615", 1n, 2n ** 64n - 1n],
];
for (const [text, soft, hard] of limits) {
  Deno.test(`7.1 core rlimit "${text}" is appended to the limits`, () => {
    const spec = annotated(rlimitCore, text);
    const first = { type: "RLIMIT_NOFILE", soft: 5n, hard: 6n };
    spec.process!.rlimits = [first];
    applyCoreLimit(spec);
    assertEquals(spec.process?.rlimits, [
      first,
      { type: "RLIMIT_CORE", soft, hard },
    ]);
  });
}

for (
  const text of [
    ...["1", "1;2;3", "a;b", "-1;2", " 1;2", "", ";", "0x1;2"],
    "18446744073709551616;1",
  ]
) {
  Deno.test(`7.1 core rlimit "${text}" is refused`, () => {
    const spec = annotated(rlimitCore, text);
    const error = assertThrows(() => applyCoreLimit(spec), Error);
    assertStringIncludes(error.message, `got "${text}"`);
    assertEquals(
      scrubText(error.message),
      `Invalid annotation ${rlimitCore}: expected soft;hard, both unsigned 64-bit integers, got <scrubbed>`,
    );
  });
}

Deno.test("7.3 shm size replaces every mount at /dev/shm", async () => {
  const shm: Mount = { destination: "/dev/shm", type: "tmpfs" };
  const other: Mount = { destination: "/tmp", type: "tmpfs" };
  const spec = annotated(shmSize, "64", { mounts: [shm, other, shm] });
  await applyShmAndDevices(spec, log);
  assertEquals(spec.mounts, [other, {
    source: "shm",
    type: "tmpfs",
    destination: "/dev/shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=64k"],
  }]);
});

for (const text of ["0", "x", "-5", "", "1.5", "18446744073709551616"]) {
  Deno.test(`7.3 shm size "${text}" is refused`, async () => {
    const spec = annotated(shmSize, text);
    await assertRejects(() => applyShmAndDevices(spec, log), Error, shmSize);
  });
}

Deno.test("the host network takes the network namespaces out, and leaves the others", () => {
  const rows: [string, boolean][] = [
    ["true", true],
    ["1", true],
    ["false", false],
    ["yes", false],
  ];
  for (const [text, expected] of rows) {
    assertEquals(wantsHostNetwork({ [hostNetwork]: text }, log), expected);
  }
  assertEquals(wantsHostNetwork(undefined, log), false);
  const spec: Spec = {
    ociVersion: "1.1.0",
    linux: {
      namespaces: [
        { type: "network" },
        { type: "pid" },
        { type: "network", path: "/x" },
      ],
    },
  };
  useHostNetwork(spec);
  assertEquals(spec.linux?.namespaces, [{ type: "pid" }]);
});

Deno.test("the folder of logs is shown where the annotation says, also without a sandbox", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    const none = annotated(logMount, "");
    await applyLogMount(none, root);
    assertEquals(none.mounts, undefined);
    const spec = annotated(logMount, "/var/logs");
    await applyLogMount(spec, root);
    assertEquals(spec.mounts, [{
      destination: "/var/logs",
      type: "bind",
      source: `${root}/logs`,
      options: ["bind"],
    }]);
    assertEquals((await Deno.stat(`${root}/logs`)).mode! & 0o777, 0o777);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
