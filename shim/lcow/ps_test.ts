import { assertEquals, assertStringIncludes } from "@std/assert";
import { DescribeResponse, Operator } from "../../ttrpc/api/operator.gen.ts";
import { TaskV2 } from "../../ttrpc/api/task.gen.ts";
import { processSpec } from "../services/task_scene.ts";
import { shimVersion } from "../version.ts";
import {
  registerAll,
  registerOlder,
  withHost,
  withServedShim,
} from "./lcow_scene.ts";

Deno.test("lcow ps says that there is no shim", async () => {
  await withHost(async (host) => {
    assertEquals(await host.run(["ps"]), {
      code: 0,
      stdout: "No shim runs on this host.\n",
      stderr: "",
    });
    assertEquals(await host.run(["ps", "--json", "-n", "n"]), {
      code: 0,
      stdout: `{"lcowVersion":"${shimVersion}","shims":[]}\n`,
      stderr: "",
    });
  });
});

Deno.test("lcow ps prints the tree of VM, pod, containers and execs", async () => {
  await withServedShim(async (host, scene) => {
    await scene.runPod("pod1", "web");
    const exec = { id: "web", execId: "probe", spec: processSpec };
    await scene.tasks.call("Exec", exec);
    const { code, stdout, stderr } = await host.run(["ps"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(
      stdout,
      `shim n/pod1: pid ${Deno.pid}, version ${shimVersion}\n` +
        "  sandbox pod1: VM Running\n" +
        "    pod pod1\n" +
        "      container pod1: sandbox, Running, init RUNNING, pid 101\n" +
        "      container web: workload, Running, init RUNNING, pid 102\n" +
        "        exec probe: CREATED\n",
    );
    for (const id of ["pod1", "web"]) {
      assertEquals((await host.run(["ps", id])).stdout, stdout);
    }
  });
});

Deno.test("lcow ps --json has all that the shim tells", async () => {
  await withServedShim(async (host, scene) => {
    await scene.runPod("pod1");
    const { stdout } = await host.run(["ps", "--json"]);
    const { shims: [shim] } = JSON.parse(stdout);
    const { startedAt, calls, sandboxes, tasks, ...rest } = shim;
    assertEquals(rest, {
      address: "memory://n/pod1",
      state: "serving",
      namespace: "n",
      key: "pod1",
      version: shimVersion,
      apiLevel: 4,
      pid: Deno.pid,
    });
    assertEquals(startedAt, new Date(performance.timeOrigin).toISOString());
    assertEquals(calls, []);
    assertEquals(sandboxes, [{
      id: "pod1",
      bundle: scene.bundle,
      vmState: "Running",
      systemId: "pod1@vm",
      runtimeId: scene.vm.runtimeId,
      startedAt: sandboxes[0].startedAt,
      implicit: true,
      pods: ["pod1"],
      guestCalls: [],
    }]);
    assertEquals(tasks, [{
      id: "pod1",
      bundle: scene.bundle,
      sandbox: "pod1",
      pod: "pod1",
      kind: "sandbox",
      state: "Running",
      init: { id: "", pid: 101, status: "RUNNING" },
      execs: [],
    }]);
  });
});

Deno.test("lcow ps of an unknown id names what there is", async () => {
  await withServedShim(async (host, scene) => {
    await scene.runPod("pod1", "web");
    assertEquals(await host.run(["ps", "db"]), {
      code: 1,
      stdout: "",
      stderr: 'containerd-shim-lcow-v2: No sandbox, pod or container "db": ' +
        "there are n/pod1, n/web\n",
    });
  });
});

Deno.test("lcow ps lists dead and hung shims beside those that answer", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    scene.platform.deadEndpoints.push("memory://n/gone");
    // Nobody accepts its connections.
    const hung = await scene.platform.listen("memory://n/hung");
    const before = scene.clock.sleepers;
    const listing = host.run(["ps"]);
    await scene.until(() => scene.clock.sleepers === before + 1);
    await scene.clock.advance(10_000);
    const { code, stdout } = await listing;
    assertEquals(code, 0);
    assertStringIncludes(stdout, "shim n/pod1: pid ");
    assertStringIncludes(
      stdout,
      "endpoint memory://n/gone: dead; `lcow prune` removes it\n",
    );
    assertStringIncludes(
      stdout,
      "endpoint memory://n/hung: does not answer (The answer of the shim took longer than 10000 ms)\n",
    );
    await hung.close();
  });
});

Deno.test("lcow ps lists a shim that ends while it is asked", async () => {
  await withServedShim(async (host, scene) => {
    const listener = await scene.platform.listen("memory://n/ending");
    const listing = host.run(["ps"]);
    await (await listener.accept()).close();
    assertStringIncludes(
      (await listing).stdout,
      "endpoint memory://n/ending: does not answer (Call failed: ",
    );
    await listener.close();
  });
});

Deno.test("lcow ps gives a shim that does not take the connection 1 s", async () => {
  await withHost(async (host, scene) => {
    scene.platform.deadEndpoints.push("memory://n/busy");
    scene.platform.connect = () => new Promise(() => {});
    const before = scene.clock.sleepers;
    const listing = host.run(["ps"]);
    await scene.until(() => scene.clock.sleepers > before);
    await scene.clock.advance(1000);
    assertStringIncludes(
      (await listing).stdout,
      "does not answer (The connection to the shim took longer than 1000 ms)",
    );
  });
});

Deno.test("lcow ps names a dead shim whose id it was given", async () => {
  await withHost(async (host, scene) => {
    scene.platform.deadEndpoints.push("memory://n/gone");
    assertEquals(
      (await host.run(["ps", "gone", "--namespace", "n"])).stdout,
      "shim n/gone: dead; `lcow prune` removes it\n",
    );
  });
});

Deno.test("lcow ps lists the tasks of a shim without the Operator service", async () => {
  await withHost(async (host, scene) => {
    await host.serve("default", "pod1", registerOlder(scene));
    await host.serve("x", "y", registerOlder(scene, TaskV2));
    await scene.runPod("pod1", "web");
    const exec = { id: "web", execId: "probe", spec: processSpec };
    await scene.tasks.call("Exec", exec);
    const tasks = "  container pod1: init RUNNING, pid 101\n" +
      "  container web: init RUNNING, pid 102\n" +
      "    exec probe: CREATED\n";
    const about =
      `: pid ${Deno.pid}, an older shim or another program's\n${tasks}`;
    assertEquals(
      (await host.run(["ps"])).stdout,
      // The address proves the usual namespace of the first.
      `shim default/pod1${about}shim memory://x/y${about}`,
    );
  });
});

Deno.test("lcow ps says why a shim without the Operator service cannot list its tasks", async () => {
  await withHost(async (host, scene) => {
    await host.serve("n", "pod1", registerOlder(scene));
    assertStringIncludes(
      (await host.run(["ps"])).stdout,
      "  cannot list its tasks: vm is not running (state: NotCreated)\n",
    );
  });
});

Deno.test("lcow ps shows an endpoint without any known service as another program's", async () => {
  await withHost(async (host) => {
    await host.serve("n", "pod1", () => {});
    assertStringIncludes(
      (await host.run(["ps"])).stdout,
      "endpoint memory://n/pod1: another program (service ",
    );
  });
});

/** The Operator service of a later version: its answer has a member more. */
const newerOperator = {
  ...Operator,
  methods: {
    ...Operator.methods,
    Describe: {
      ...Operator.methods.Describe,
      response: {
        ...DescribeResponse,
        encode: (value: Partial<DescribeResponse>) =>
          // Field 99 with three bytes.
          Uint8Array.of(
            ...DescribeResponse.encode(value),
            ...[0x9a, 0x06, 0x03, 1, 2, 3],
          ),
      },
    },
  },
};

Deno.test("lcow ps ignores what a newer shim tells more, and names both versions", async () => {
  await withHost(async (host) => {
    const describe = (): Promise<Partial<DescribeResponse>> =>
      Promise.resolve({ version: "9.9.9", pid: 7, namespace: "n", key: "a" });
    await host.serve("n", "a", (server) => {
      server.register(newerOperator, { Describe: describe });
    });
    assertEquals(
      (await host.run(["ps"])).stdout,
      `shim n/a: pid 7, version 9.9.9 (lcow has ${shimVersion})\n`,
    );
  });
});

Deno.test("lcow ps of one namespace leaves the others out", async () => {
  await withServedShim(async (host, scene) => {
    await host.serve("m", "pod1", registerAll(scene, "m", "pod1"));
    const lines = async (...args: string[]): Promise<string[]> =>
      (await host.run(["ps", ...args])).stdout.split("\n")
        .filter((line) => line.startsWith("shim "))
        .map((line) => line.split(":")[0]!);
    assertEquals(await lines(), ["shim m/pod1", "shim n/pod1"]);
    assertEquals(await lines("-n", "m"), ["shim m/pod1"]);
    assertEquals(await lines("--namespace=n"), ["shim n/pod1"]);
  });
});
