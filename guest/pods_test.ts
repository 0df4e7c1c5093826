import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { silentLogger as log } from "../base/log.ts";
import { FakeCgroups } from "./fake_vm.ts";
import { Pods, requireVirtualPodId, resolvePodIdentity } from "./pods.ts";

const virtual = "io.microsoft.cri.virtual-pod-id";
const type = "io.kubernetes.cri.container-type";
const sandboxId = "io.kubernetes.cri.sandbox-id";

function makePods(): { pods: Pods; cgroups: FakeCgroups } {
  const cgroups = new FakeCgroups();
  return { pods: new Pods({ cgroups, log }), cgroups };
}

Deno.test("guest:F1 guest:F2 guest:F3 guest:F4 a sandbox root is its bundle while it is registered, else the legacy folder", () => {
  const { pods } = makePods();
  assertEquals(pods.sandboxRoot("s"), "/run/gcs/c/s");
  assertEquals(pods.registerSandboxRoot("s", "/a/s"), "/a/s");
  assertEquals(pods.sandboxRoot("s"), "/a/s");
  pods.unregisterSandboxRoot("s");
  pods.unregisterSandboxRoot("s");
  assertEquals(pods.sandboxRoot("s"), "/run/gcs/c/s");
});

Deno.test("guest:F5 guest:F6 guest:F11 guest:F12 a virtual pod's root lies beside the bundles, each its own", () => {
  const { pods } = makePods();
  const root = pods.registerSandboxRoot("v", "/run/gcs/c/v", "v");
  assertEquals(root, "/run/gcs/c/virtual-pods/v");
  assertEquals(
    pods.registerSandboxRoot("w", "/other/place/w", "w"),
    "/other/place/virtual-pods/w",
  );
  pods.unregisterSandboxRoot("v");
  assertEquals(pods.sandboxRoot("w"), "/other/place/virtual-pods/w");
  assertEquals(pods.sandboxRoot("v"), "/run/gcs/c/v");
  pods.registerSandboxRoot("p", "/run/gcs/pods/p/p");
  assertEquals(pods.sandboxRoot("p"), "/run/gcs/pods/p/p");
});

Deno.test("guest:F13 ids of virtual pods are one plain component", () => {
  for (const id of ["", ".", "..", "a/b", "/a", "..x", "x..", "a/..", "a\0"]) {
    assertThrows(() => requireVirtualPodId(id), Error, "path traversal");
  }
  requireVirtualPodId("a.b-c_D1");
});

Deno.test("guest:F14 a pod exists once, and is joined once", async () => {
  const { pods, cgroups } = makePods();
  assertThrows(() => pods.join("p", "w"), Error, 'Pod "p" does not exist');
  await pods.create("p", { pids: { limit: 5n } });
  await assertRejects(() => pods.create("p"), Error, "already exists");
  assertEquals(cgroups.groups.get("/pods/p"), { pids: { limit: 5n } });
  pods.join("p", "w");
  assertThrows(() => pods.join("p", "w"), Error, "already in pod");
  cgroups.failure = new Error("refused");
  await assertRejects(() => pods.create("q"), Error, "refused");
  assert(!pods.has("q"));
});

Deno.test("guest:F15 the sandbox takes its pod with it, a workload only itself", async () => {
  const { pods, cgroups } = makePods();
  await pods.create("p");
  pods.join("p", "w");
  pods.join("p", "x");
  await pods.leave("p", "w");
  assertEquals(pods.entries, [["p", ["p", "x"]]]);
  await pods.leave("p", "p");
  assertEquals(cgroups.groups.size, 0);
  await pods.leave("p", "x");
  assertEquals(pods.entries, []);
});

Deno.test("two pods never share a root", () => {
  const { pods } = makePods();
  pods.registerSandboxRoot("a", "/run/gcs/c/virtual-pods/v");
  assertThrows(
    () => pods.registerSandboxRoot("v", "/run/gcs/c/v", "v"),
    Error,
    'pod "a" does',
  );
  assertEquals(pods.sandboxRoot("a"), "/run/gcs/c/virtual-pods/v");
  assertEquals(pods.sandboxRoot("v"), "/run/gcs/c/v");
});

Deno.test("resolvePodIdentity() reads kind, role and pod from bundle and annotations", () => {
  const rows: [string, string, Record<string, string>, string][] = [
    ["a", "/run/gcs/c/a", {}, "standalone standalone a"],
    ["a", "/run/gcs/pods/a/a", {}, "v2 standalone a"],
    ["a", "/run/gcs/pods/a/a", { [type]: "sandbox" }, "v2 sandbox a"],
    [
      "w",
      "/run/gcs/c/w",
      { [type]: "container", [sandboxId]: "a" },
      "v1 workload a",
    ],
    ["v", "/run/gcs/c/v", { [virtual]: "v" }, "virtual sandbox v"],
    [
      "w",
      "/run/gcs/c/w",
      { [virtual]: "v", [type]: "container", [sandboxId]: "a" },
      "virtual workload v",
    ],
  ];
  for (const [id, bundle, annotations, expected] of rows) {
    const { kind, role, sandboxId } = resolvePodIdentity(
      id,
      bundle,
      annotations,
    );
    assertEquals(`${kind} ${role} ${sandboxId}`, expected);
  }
  const bad: [Record<string, string>, string][] = [
    [{ [type]: "other" }, type],
    [{ [type]: "container" }, sandboxId],
    [{ [type]: "sandbox", [virtual]: "v" }, "virtual pod"],
    [{ [virtual]: "../v" }, "path traversal"],
  ];
  for (const [annotations, message] of bad) {
    assertThrows(
      () => resolvePodIdentity("x", "/run/gcs/c/x", annotations),
      Error,
      message,
    );
  }
});
