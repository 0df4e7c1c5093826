import { assertEquals, assertThrows } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { guestSpec } from "./guest_spec.ts";
import type { Linux, Spec } from "./spec.gen.ts";

const place = { rootfs: "/run/gcs/pods/p/c/rootfs", podId: "p" };
const base: Spec = { ociVersion: "1.1.0", linux: {} };

function linuxOf(linux: Linux, annotations?: Record<string, string>): Linux {
  const spec = annotations === undefined
    ? { ...base, linux }
    : { ...base, linux, annotations };
  return guestSpec(spec, place).linux ?? {};
}

Deno.test("host:K42 a CPU period or quota of zero becomes no limit", () => {
  const cpuOf = (cpu: Record<string, bigint>): unknown =>
    linuxOf({ resources: { cpu } }).resources?.cpu;
  assertEquals(cpuOf({ period: 0n, quota: 0n, shares: 0n }), {
    period: 100000n,
    quota: -1n,
    shares: 0n,
  });
  assertEquals(cpuOf({ quota: -1n }), { quota: -1n });
  assertEquals(cpuOf({}), {});
  assertEquals(linuxOf({ resources: {} }).resources, {});
});

Deno.test("host:K43 host:K46 resources that the guest manages are left out", () => {
  assertEquals(
    linuxOf({
      cgroupsPath: "/x",
      resources: {
        devices: [],
        pids: { limit: 1n },
        blockIO: {},
        hugepageLimits: [],
        network: {},
        memory: { limit: 5n },
        unified: { "memory.high": "1" },
      },
    }),
    {
      resources: { memory: { limit: 5n }, unified: { "memory.high": "1" } },
    },
  );
  assertEquals(linuxOf({}), {});
});

Deno.test("host:K44 hooks are removed, seccomp for privileged containers", () => {
  const hooked = guestSpec({ ...base, hooks: { prestart: [] } }, place);
  assertEquals("hooks" in hooked, false);
  const seccomp = { defaultAction: "SCMP_ACT_ERRNO" };
  const key = "io.microsoft.virtualmachine.lcow.privileged";
  assertEquals(linuxOf({ seccomp }).seccomp, seccomp);
  assertEquals(linuxOf({ seccomp }, { [key]: "yes" }).seccomp, seccomp);
  assertEquals(linuxOf({ seccomp }, { [key]: "TRUE" }).seccomp, undefined);
});

Deno.test("host:K45 the original specification is not modified", () => {
  const spec: Spec = {
    ...base,
    root: { path: "rootfs", readonly: true },
    hooks: { poststop: [] },
    linux: { cgroupsPath: "/x", resources: { cpu: { quota: 0n } } },
    annotations: { "io.kubernetes.cri.sandbox-id": "other" },
  };
  const before = structuredClone(spec);
  const ours = guestSpec(spec, place);
  assertEquals(spec, before);
  assertEquals(ours.root, { path: place.rootfs, readonly: true });
});

Deno.test("host:K47 the windows section keeps namespace and devices only", () => {
  const windowsOf = (windows: Spec["windows"]): unknown =>
    guestSpec(windows === undefined ? base : { ...base, windows }, place)
      .windows;
  const devices = [{ id: "g", idType: "vpci" }];
  assertEquals(windowsOf(undefined), undefined);
  assertEquals(windowsOf({ layerFolders: ["a"], servicing: true }), undefined);
  assertEquals(windowsOf({ network: { networkNamespace: "" } }), undefined);
  assertEquals(
    windowsOf({ network: { networkNamespace: "n", endpointList: ["e"] } }),
    { layerFolders: null, network: { networkNamespace: "n" } },
  );
  assertEquals(windowsOf({ devices }), { layerFolders: null, devices });
  assertEquals(windowsOf({ devices, network: { networkNamespace: "n" } }), {
    layerFolders: null,
    devices,
    network: { networkNamespace: "n" },
  });
});

Deno.test("host:K48 a specification without a linux section is refused", () => {
  const error = assertThrows(
    () => guestSpec({ ociVersion: "1.1.0" }, place),
    ShimError,
    "linux section must be present",
  );
  assertEquals(error.code, "InvalidArgument");
});

Deno.test("host:K49 the sandbox annotation names the pod, when it is there", () => {
  const key = "io.kubernetes.cri.sandbox-id";
  const annotationsOf = (annotations: Record<string, string>): unknown =>
    guestSpec({ ...base, annotations }, place).annotations;
  assertEquals(annotationsOf({ [key]: "other", a: "1" }), {
    [key]: "p",
    a: "1",
  });
  assertEquals(annotationsOf({ a: "1" }), { a: "1" });
  assertEquals(guestSpec(base, place).annotations, undefined);
  const once = guestSpec({ ...base, annotations: { [key]: "x" } }, place);
  assertEquals(guestSpec(once, place), once);
});
