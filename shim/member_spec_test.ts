import { assertEquals } from "@std/assert";
import type { Spec } from "../oci/spec.gen.ts";
import { memberSpec, sharesNetwork } from "./member_spec.ts";

const shm = {
  destination: "/dev/shm",
  type: "tmpfs",
  source: "shm",
  options: ["mode=1777"],
};

function specWith(more: Partial<Spec>): Spec {
  return { ociVersion: "1.1.0", ...more };
}

function namespaces(
  given: NonNullable<NonNullable<Spec["linux"]>["namespaces"]>,
): unknown {
  return memberSpec(specWith({ linux: { namespaces: given } })).linux
    ?.namespaces;
}

Deno.test("memberSpec() joins the machine's namespace of every kind that has a path", () => {
  assertEquals(
    namespaces([
      { type: "network", path: "/var/run/netns/cni-1" },
      { type: "ipc", path: "/proc/4711/ns/ipc" },
      { type: "uts", path: "/proc/4711/ns/uts" },
      { type: "pid", path: "/proc/4711/ns/pid" },
      { type: "mount" },
    ]),
    [
      { type: "ipc", path: "/proc/1/ns/ipc" },
      { type: "uts", path: "/proc/1/ns/uts" },
      { type: "pid", path: "/proc/1/ns/pid" },
      { type: "mount" },
    ],
  );
});

Deno.test("memberSpec() gives a container its own IPC, PID and UTS namespaces unless it asks to share", () => {
  assertEquals(namespaces([{ type: "mount" }, { type: "uts" }]), [
    { type: "mount" },
    { type: "uts" },
    { type: "ipc" },
    { type: "pid" },
  ]);
  assertEquals(memberSpec(specWith({})).linux?.namespaces, [
    { type: "ipc" },
    { type: "pid" },
    { type: "uts" },
  ]);
});

Deno.test("memberSpec() leaves a network of its own, and other kinds, alone", () => {
  const given = [
    { type: "network" },
    { type: "cgroup", path: "/proc/9/ns/cgroup" },
    ...["ipc", "pid", "uts"].map((type) => ({ type })),
  ];
  assertEquals(namespaces(given), given);
});

Deno.test("memberSpec() shares /dev/shm exactly with the IPC namespace", () => {
  const mounts = [{ destination: "/proc", type: "proc" }, shm];
  const alone = memberSpec(
    specWith({ mounts, linux: { namespaces: [{ type: "ipc" }] } }),
  );
  assertEquals(alone.mounts, mounts);
  const sharing = memberSpec(
    specWith({
      mounts,
      linux: { namespaces: [{ type: "ipc", path: "/proc/1/ns/ipc" }] },
    }),
  );
  assertEquals(sharing.mounts, [{ destination: "/proc", type: "proc" }, {
    destination: "/dev/shm",
    type: "none",
    source: "/dev/shm",
    options: ["rbind", "rw", "nosuid", "noexec", "nodev"],
  }]);
  const bound = { ...shm, type: "bind", source: "/run/pods/1/shm" };
  assertEquals(
    memberSpec(
      specWith({
        mounts: [bound],
        linux: { namespaces: [{ type: "ipc", path: "/x" }] },
      }),
    ).mounts,
    [bound],
  );
});

Deno.test("memberSpec() takes the annotations of a pod out, and no others", () => {
  const { annotations } = memberSpec(specWith({
    annotations: {
      "io.kubernetes.cri.container-type": "container",
      "io.kubernetes.cri.sandbox-id": "pod1",
      "io.kubernetes.cri.container-name": "web",
    },
  }));
  assertEquals(annotations, { "io.kubernetes.cri.container-name": "web" });
});

Deno.test("memberSpec() names the network namespace that the machine's network is to have, or none", () => {
  const hostNetwork = "io.microsoft.virtualmachine.lcow.hostnetwork";
  const windows = { network: { networkNamespace: "own" } };
  const named = memberSpec(specWith({ windows }), "ns1");
  assertEquals(named.windows, { network: { networkNamespace: "ns1" } });
  assertEquals(named.annotations, { [hostNetwork]: "true" });
  const unnamed = memberSpec(specWith({ windows }), "");
  assertEquals([unnamed.windows, unnamed.annotations], [
    { network: {} },
    undefined,
  ]);
  assertEquals(memberSpec(specWith({ windows })).windows, windows);
  assertEquals(memberSpec(specWith({}), "").windows, undefined);
});

Deno.test("sharesNetwork() is false only for a container with a network of its own", () => {
  const shares = (namespaces: { type: string; path?: string }[]): boolean =>
    sharesNetwork(specWith({ linux: { namespaces } }));
  assertEquals(sharesNetwork(specWith({})), true);
  assertEquals(shares([{ type: "mount" }]), true);
  assertEquals(shares([{ type: "network", path: "/proc/1/ns/net" }]), true);
  assertEquals(shares([{ type: "network" }]), false);
  assertEquals(shares([{ type: "network", path: "" }]), false);
});
