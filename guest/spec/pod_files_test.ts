import { assertEquals } from "@std/assert";
import { silentLogger as log } from "../../base/log.ts";
import { FakeCgroups } from "../fake_vm.ts";
import { Pods, resolvePodIdentity } from "../pods.ts";
import { networkFilePath, networkFiles, podFiles } from "./pod_files.ts";

/** Every path of a pod, by what it is. */
function pathsOf(root: string): Record<string, string> {
  const files = podFiles(root);
  return {
    root,
    ...files,
    logFile: `${files.logs}/app.log`,
    ...Object.fromEntries(
      networkFiles.map((name) => [name, networkFilePath(root, name)]),
    ),
  };
}

/** The root that the sandbox of a pod gets. */
function rootOf(id: string, bundle: string, virtualPodId: string): string {
  const pods = new Pods({ cgroups: new FakeCgroups(), log });
  return pods.registerSandboxRoot(id, bundle, virtualPodId);
}

Deno.test("guest:F7 the folders of a legacy root are those that hosts of old made of the id", () => {
  assertEquals(podFiles(rootOf("s", "/run/gcs/c/s", "")), {
    sandboxMounts: "/run/gcs/c/s/sandboxMounts",
    sandboxTmpfsMounts: "/run/gcs/c/s/sandboxTmpfsMounts",
    hugepages: "/run/gcs/c/s/hugepages",
    logs: "/run/gcs/c/s/logs",
  });
});

const kinds = [
  ["regular", "", "/run/gcs/c/p"],
  ["virtual", "p", "/run/gcs/c/virtual-pods/p"],
] as const;
for (const [kind, virtualPodId, historic] of kinds) {
  Deno.test(`guest:F8 every path of a ${kind} pod is the historic one`, () => {
    const root = rootOf("p", "/run/gcs/c/p", virtualPodId);
    assertEquals(pathsOf(root), {
      root: historic,
      sandboxMounts: `${historic}/sandboxMounts`,
      sandboxTmpfsMounts: `${historic}/sandboxTmpfsMounts`,
      hugepages: `${historic}/hugepages`,
      logs: `${historic}/logs`,
      logFile: `${historic}/logs/app.log`,
      hostname: `${historic}/hostname`,
      hosts: `${historic}/hosts`,
      "resolv.conf": `${historic}/resolv.conf`,
    });
  });
}

Deno.test("guest:F9 a workload resolves its sandbox's root, never its own bundle", () => {
  const rows = [
    ["/run/gcs/c/s", "/run/gcs/c/w"],
    ["/run/gcs/pods/s/s", "/run/gcs/pods/s/w"],
    ["/any/where/s", "/any/where/w"],
  ] as const;
  for (const [sandboxBundle, bundle] of rows) {
    const pods = new Pods({ cgroups: new FakeCgroups(), log });
    pods.registerSandboxRoot("s", sandboxBundle);
    const workload = resolvePodIdentity("w", bundle, {
      "io.kubernetes.cri.container-type": "container",
      "io.kubernetes.cri.sandbox-id": "s",
    });
    assertEquals(pods.rootOf(workload, bundle), sandboxBundle);
  }
});

Deno.test("guest:F10 a standalone root is its bundle, which is the historic path", () => {
  const pods = new Pods({ cgroups: new FakeCgroups(), log });
  const bundle = "/run/gcs/c/x";
  const root = pods.rootOf(resolvePodIdentity("x", bundle), bundle);
  assertEquals(root, bundle);
  assertEquals(root, "/run/gcs/c/x");
  assertEquals(root, pods.sandboxRoot("x"));
});
