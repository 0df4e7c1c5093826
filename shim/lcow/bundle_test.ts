import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { logFileName } from "../log/names.ts";
import { shimServes } from "../log/open.ts";
import type { TaskScene } from "../services/task_scene.ts";
import { type LcowHost, withHost, withServedShim } from "./lcow_scene.ts";

const secret = "hunter2";

/** A host with a folder for the bundle of a task, the logs and the archive. */
interface Scene {
  readonly host: LcowHost;
  readonly tasks: TaskScene;
  /** The folder above all of them. */
  readonly root: string;
  /** Writes a file; makes its folder. */
  write(path: string, text: string): Promise<void>;
  /** Makes an archive and unpacks it. */
  bundle(...args: string[]): Promise<Bundle>;
}

/** An unpacked archive. */
interface Bundle {
  /** What the command printed. */
  readonly stdout: string;
  /** Its `manifest.json`. */
  readonly manifest: {
    readonly files: { name: string; source?: string; bytes: number }[];
    readonly missing: { name: string; source?: string; why: string }[];
    readonly scrubbed: string;
    readonly about: string;
  };
  /** Text of a file. */
  text(name: string): Promise<string>;
}

async function unpack(archive: string, into: string): Promise<void> {
  await Deno.mkdir(into);
  const { success, stderr } = await new Deno.Command("tar", {
    args: ["-xzf", archive, "-C", into],
  }).output();
  assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
}

function withScene(
  task: (scene: Scene) => Promise<void>,
  on: typeof withHost = withServedShim,
): Promise<void> {
  return on(async (host, tasks) => {
    const root = await Deno.makeTempDir({ prefix: "lcow-bundle-" });
    host.platform.logs = `${root}/log`;
    await Deno.mkdir(`${root}/log`);
    try {
      await task({
        host,
        tasks,
        root,
        write: async (path, text) => {
          const folder = path.slice(0, path.lastIndexOf("/"));
          await Deno.mkdir(`${root}/${folder}`, { recursive: true });
          await Deno.writeTextFile(`${root}/${path}`, text);
        },
        bundle: async (...args) => {
          const file = `${root}/out.tar.gz`;
          const { code, stdout, stderr } = await host.run(
            ["bundle", ...args, file],
          );
          assertEquals([code, stderr], [0, ""]);
          await unpack(file, `${root}/out`);
          const text = (name: string): Promise<string> =>
            Deno.readTextFile(`${root}/out/lcow-bundle/${name}`);
          return {
            stdout,
            manifest: JSON.parse(await text("manifest.json")),
            text,
          };
        },
      });
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** What a shim of `pod1` left: its log and its bundle. */
async function leave({ root, write }: Scene): Promise<void> {
  const served = { level: "info", msg: shimServes, bundle: `${root}/b/pod1` };
  const file = logFileName({ namespace: "n", id: "pod1" }, 4);
  const careless = {
    level: "debug",
    msg: "Creates",
    env: [`PASSWORD=${secret}`],
  };
  await write(
    `log/${file}`,
    `${JSON.stringify(served)}\n${JSON.stringify(careless)}\n{torn`,
  );
  const process = { args: ["sh"], env: [`PASSWORD=${secret}`] };
  const spec = {
    process,
    annotations: { token: secret },
    hooks: { prestart: [{ path: "/hook", env: [`A=${secret}`] }] },
    linux: { resources: { memory: { limit: 2n ** 62n } } },
  };
  const json = JSON.stringify(
    spec,
    (_key, value) => typeof value === "bigint" ? String(value) : value,
  );
  await write("b/pod1/config.json", json);
  await write("b/pod1/vm.json", '{"systemId":"pod1@vm"}');
  await write("b/pod1/panic.log", "panic: no\n");
  await write("b/pod1/rootfs/etc/shadow", "not in the bundle");
  const member = {
    annotations: {
      "io.kubernetes.cri.sandbox-id": "pod1",
      "io.kubernetes.cri.container-type": "container",
    },
    hostname: "web",
  };
  await write("b/web/config.json", JSON.stringify(member));
  await write("b/other/config.json", "{}");
  await write("b/bad/config.json", "{");
}

Deno.test("lcow bundle collects what a shim answers, its log and its bundles, without secrets", async () => {
  await withScene(async (scene) => {
    const { tasks } = scene;
    await tasks.run("pod1");
    await leave(scene);
    for (const file of ["config.json", "panic.log"]) {
      const path = `${scene.root}/b/pod1/${file}`;
      await Deno.copyFile(path, `${tasks.bundle}/${file}`);
    }
    scene.host.platform.findings = [
      { check: "cgroups", state: "ok", found: "version 2", advice: "" },
    ];
    const { manifest, text, stdout } = await scene.bundle("pod1");
    assertEquals(manifest.files.map(({ name, source }) => [name, source]), [
      ["version.txt", undefined],
      ["doctor.txt", undefined],
      ["shim.json", undefined],
      ["stacks.txt", undefined],
      ["metrics.txt", undefined],
      ["log/4.jsonl", `${scene.root}/log/lcow+n+pod1.4.jsonl`],
      ["bundles/1/config.json", `${tasks.bundle}/config.json`],
      ["bundles/1/vm.json", `${tasks.bundle}/vm.json`],
      ["bundles/1/panic.log", `${tasks.bundle}/panic.log`],
    ]);
    assertEquals(manifest.missing, []);
    assertEquals(stdout, `${scene.root}/out.tar.gz\n`);
    assertEquals(manifest.about, "pod1");
    assertStringIncludes(manifest.scrubbed, "<scrubbed>");
    assertMatch(await text("version.txt"), /Version: \d/);
    assertMatch(await text("doctor.txt"), /cgroups +ok +version 2/);
    assertEquals(JSON.parse(await text("shim.json")).key, "pod1");
    assertMatch(await text("stacks.txt"), /^Host:\nshim: pid \d+/);
    assertMatch(await text("metrics.txt"), /^# HELP lcow_[^]*^lcow_tasks\{/m);
    assertEquals(
      (await text("log/4.jsonl")).split("\n").slice(1),
      [
        '{"level":"debug","msg":"Creates","env":"<scrubbed>"}',
        '{"level":"error","msg":"Unreadable line","text":"{torn"}',
        "",
      ],
    );
    assertEquals(JSON.parse(await text("bundles/1/config.json")), {
      process: { args: ["sh"], env: "<scrubbed>" },
      annotations: "<scrubbed>",
      hooks: { prestart: [{ path: "/hook", env: "<scrubbed>" }] },
      linux: { resources: { memory: { limit: "4611686018427387904" } } },
    });
    assertEquals(await text("bundles/1/panic.log"), "panic: no\n");
    for (const { name, bytes } of manifest.files) {
      const content = await text(name);
      assertEquals(new TextEncoder().encode(content).length, bytes);
      assertEquals(content.includes(secret), false, name);
    }
    const { mode } = await Deno.stat(`${scene.root}/out.tar.gz`);
    assertEquals(mode! & 0o777, 0o600);
  });
});

Deno.test("lcow bundle tells of a shim that is gone what it left", async () => {
  await withScene(async (scene) => {
    await leave(scene);
    const { manifest, text, stdout } = await scene.bundle("pod1");
    assertEquals(manifest.missing, [
      { name: "shim.json", why: "Its shim is gone" },
      { name: "stacks.txt", why: "Its shim is gone" },
      { name: "metrics.txt", why: "Its shim is gone" },
    ]);
    assertMatch(
      stdout,
      /out\.tar\.gz\nmissing: shim\.json: Its shim is gone\n/,
    );
    assertEquals(manifest.files.map(({ name }) => name), [
      "version.txt",
      "doctor.txt",
      "log/4.jsonl",
      "bundles/1/config.json",
      "bundles/1/vm.json",
      "bundles/1/panic.log",
      "bundles/2/config.json",
    ]);
    assertEquals(await text("bundles/1/panic.log"), "panic: no\n");
    assertEquals(
      JSON.parse(await text("bundles/2/config.json")).hostname,
      "web",
    );
  }, withHost);
});

Deno.test("lcow bundle reads nothing that a guest names in its log", async () => {
  await withScene(async (scene) => {
    await leave(scene);
    const forged = {
      level: "info",
      msg: shimServes,
      bundle: `${scene.root}/b/other`,
      source: "guest",
    };
    await scene.write(
      `log/${logFileName({ namespace: "n", id: "pod1" }, 5)}`,
      `${JSON.stringify(forged)}\n`,
    );
    const { manifest } = await scene.bundle("pod1");
    assertEquals(
      manifest.files.filter(({ source }) =>
        source?.startsWith(`${scene.root}/b/`)
      ).map(({ source }) => source),
      ["pod1/config.json", "pod1/vm.json", "pod1/panic.log", "web/config.json"]
        .map((file) => `${scene.root}/b/${file}`),
    );
  }, withHost);
});

Deno.test("lcow bundle does not wait for a shim or a check that hangs", async () => {
  await withScene(async (scene) => {
    const { host, tasks } = scene;
    await leave(scene);
    const hung = await tasks.platform.listen("memory://n/pod1");
    const checking = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    host.platform.diagnose = async function* () {
      checking.resolve();
      await ended.promise;
      yield* [];
    };
    const making = scene.bundle("pod1");
    await tasks.until(() => tasks.clock.sleepers > 0);
    await tasks.clock.advance(10_000);
    await checking.promise;
    await tasks.until(() => tasks.clock.sleepers > 0);
    await tasks.clock.advance(30_000);
    const { manifest, text } = await making;
    ended.resolve();
    assertEquals(manifest.missing.map(({ name }) => name), [
      "doctor.txt",
      "stacks.txt",
      "metrics.txt",
    ]);
    assertMatch(manifest.missing[0]!.why, /longer than 30000 ms/);
    assertEquals(JSON.parse(await text("shim.json")).state, "silent");
    assert(manifest.files.some(({ name }) => name === "log/4.jsonl"));
    await hung.close();
  }, withHost);
});

Deno.test("lcow bundle has what the shim does when the guest does not answer", async () => {
  await withScene(async (scene) => {
    const { tasks } = scene;
    await tasks.run("pod1");
    await leave(scene);
    const release = tasks.guest.holdNext("dumpStacks");
    const making = scene.bundle("pod1");
    await tasks.until(() => tasks.guest.callsOf("dumpStacks").length > 0);
    await tasks.clock.advance(5000);
    const { manifest, text } = await making;
    assertEquals(manifest.missing, []);
    assertMatch(
      await text("stacks.txt"),
      /^Host:\nshim: pid [^]*\nGuest:\nThe guest does not tell .* longer than 5000 ms\n$/,
    );
    release();
  });
});

Deno.test("lcow bundle works without a folder for logs", async () => {
  await withScene(async ({ host, tasks, bundle }) => {
    await tasks.run("pod1");
    host.platform.logs = undefined;
    const { manifest } = await bundle("pod1");
    assertEquals(manifest.missing[0], {
      name: "log/",
      why: "The test has no folder for logs",
    });
  });
});

Deno.test("lcow bundle refuses ids that nothing tells about, and files that are there", async () => {
  await withScene(async ({ host, tasks, root }) => {
    await tasks.run("pod1");
    const file = `${root}/there`;
    await Deno.writeTextFile(file, "mine");
    const failed: [args: string[], message: string][] = [
      [
        ["x", `${root}/x`],
        'No sandbox, pod or container "x": there are n/pod1',
      ],
      [["pod1", file], `There is a file "${file}": remove it, or name another`],
      [["pod1", `${root}/no/x`], `Cannot write "${root}/no/x": No such file`],
    ];
    for (const [args, message] of failed) {
      const { code, stdout, stderr } = await host.run(["bundle", ...args]);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, message);
    }
    assertEquals(await Deno.readTextFile(file), "mine");
  });
});
