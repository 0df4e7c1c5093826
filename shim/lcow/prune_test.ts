import { assertEquals, assertStringIncludes } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import type {
  ComputeSystem,
  ComputeSystemSummary,
  Leftover,
} from "../../hcs/ports.ts";
import { doubtAbout } from "./prune.ts";
import type { ShimReport } from "./report.ts";
import {
  type LcowHost,
  registerOlder,
  withHost,
  withServedShim,
} from "./lcow_scene.ts";

function leftover(name: string, remove: () => Promise<boolean>): Leftover {
  return { kind: "endpoint", name, detail: "", remove };
}

function system(
  Id: string,
  RuntimeId = `id-of-${Id}`,
  Owner = "containerd-shim-lcow-v2",
): ComputeSystemSummary {
  return { Id, Owner, RuntimeId, State: "Running" };
}

/** Gives a host a compute service. @returns Ids of the systems that were terminated. */
function useCompute(
  host: LcowHost,
  systems: readonly ComputeSystemSummary[],
  open: readonly ComputeSystemSummary[] = systems,
): string[] {
  const fate: string[] = [];
  host.compute = () =>
    Promise.resolve({
      enumerate: () => Promise.resolve([...systems]),
      open: (id) => {
        const found = open.find(({ Id }) => Id === id);
        if (found === undefined) {
          const missing = new HResultError(HResult.SystemNotFound, "open");
          return Promise.reject(missing);
        }
        const opened: Partial<ComputeSystem> = {
          id,
          runtimeId: found.RuntimeId.toUpperCase(),
          terminate: () => Promise.resolve(void fate.push(`end ${id}`)),
          exited: Promise.resolve({ status: 0, exitType: "ForcedExit" }),
          close: () => Promise.resolve(void fate.push(`close ${id}`)),
        };
        return Promise.resolve(opened as ComputeSystem);
      },
    });
  return fate;
}

Deno.test("lcow prune says that nothing is left", async () => {
  await withHost(async (host) => {
    useCompute(host, []);
    assertEquals(await host.run(["prune"]), {
      code: 0,
      stdout: "Nothing is left of crashed shims.\n",
      stderr: "",
    });
    assertEquals(
      (await host.run(["prune", "--dry-run", "--json"])).stdout,
      '{"dryRun":true,"leftovers":[]}\n',
    );
  });
});

Deno.test("lcow prune removes what is left, goes on behind a failure, and --dry-run only lists it", async () => {
  await withHost(async (host) => {
    useCompute(host, []);
    const removed: string[] = [];
    const gone = (name: string, inUse = false): Leftover =>
      leftover(name, () => {
        removed.push(name);
        return Promise.resolve(!inUse);
      });
    host.platform.left = [
      leftover("a", () => Promise.reject(new ShimError("Internal", "stuck"))),
      gone("b"),
      gone("c", true),
    ];
    assertEquals(await host.run(["prune", "--dry-run"]), {
      code: 0,
      stdout: "found: endpoint a\nfound: endpoint b\nfound: endpoint c\n",
      stderr: "",
    });
    assertEquals(removed, []);
    assertEquals(await host.run(["prune"]), {
      code: 1,
      stdout:
        "failed: endpoint a: stuck\nremoved: endpoint b\nin use: endpoint c\n",
      stderr: "",
    });
    assertEquals(removed, ["b", "c"]);
  });
});

Deno.test("lcow prune ends the compute systems of its owner that no shim claims", async () => {
  await withServedShim(async (host, scene) => {
    await scene.run("pod1");
    const fate = useCompute(host, [
      system("pod1@vm"),
      system("gone@vm"),
      system("other@vm", "x", "somebody else"),
    ]);
    const { code, stdout } = await host.run(["prune", "--json"]);
    assertEquals([code, JSON.parse(stdout).leftovers], [0, [{
      kind: "compute system",
      name: "gone@vm",
      detail: "runtime id id-of-gone@vm",
      outcome: "removed",
    }]]);
    assertEquals(fate, ["end gone@vm", "close gone@vm"]);
  });
});

Deno.test("lcow prune leaves a compute system alone that has another's id by now", async () => {
  await withHost(async (host) => {
    const fate = useCompute(host, [system("a@vm", "1")], [system("a@vm", "2")]);
    const { stdout } = await host.run(["prune"]);
    assertEquals(stdout, "in use: compute system a@vm (runtime id 1)\n");
    assertEquals(fate, ["close a@vm"]);
    useCompute(host, [system("a@vm", "1")], []);
    assertStringIncludes((await host.run(["prune"])).stdout, "removed: ");
  });
});

Deno.test("lcow prune leaves compute systems alone while a shim does not tell what it has", async () => {
  await withHost(async (host, scene) => {
    await host.serve("x", "y", registerOlder(scene));
    const fate = useCompute(host, [system("y@vm")]);
    assertEquals(
      (await host.run(["prune"])).stdout,
      "left alone: compute system y@vm (runtime id id-of-y@vm): " +
        "it may belong to memory://x/y, which does not tell\n",
    );
    assertEquals(fate, []);
  });
});

Deno.test("lcow prune takes no namespace", async () => {
  await withHost(async (host) => {
    assertEquals((await host.run(["prune", "-n", "n"])).code, 2);
  });
});

const sandbox = {
  id: "a",
  bundle: "",
  vmState: "Running",
  systemId: "a@vm",
  implicit: true,
  pods: [],
  guestCalls: [],
};

Deno.test.each<[string, Partial<ShimReport>, "claimed" | "doubt" | undefined]>([
  ["has it", { state: "serving", sandboxes: [sandbox] }, "claimed"],
  ["is about to have it", { key: "a", sandboxes: [] }, "claimed"],
  ["hangs and has its key", { state: "silent", key: "a" }, "claimed"],
  ["hangs and has another key", { state: "silent", key: "b" }, undefined],
  ["hangs and has no name", { state: "silent" }, "doubt"],
  ["is old and has no name", { tasks: [] }, "doubt"],
  ["has others", { key: "b", sandboxes: [] }, undefined],
  ["is dead", { state: "dead", key: "a" }, undefined],
  ["is another program", { state: "foreign" }, undefined],
])(
  "doubtAbout() knows whether a shim that %s may own a system",
  (_what, report, expected) => {
    const full: ShimReport = { address: "x", state: "serving", ...report };
    const doubt = doubtAbout("a@vm", [full]);
    assertEquals(typeof doubt === "object" ? "doubt" : doubt, expected);
  },
);
