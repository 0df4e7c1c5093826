import { assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, ShimError } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { containerAnnotations, cri } from "../../oci/annotations.ts";
import { type FakeContainer, type FakeVm, withFakeVm } from "../fake_vm.ts";
import { TableEnforcer } from "./table_enforcer.ts";

Deno.test.beforeAll(() => void libc());

const pod = "5".repeat(64);
const id = "C".repeat(64);
const sandbox = { [cri.containerType]: "sandbox" };
const workload = { [cri.containerType]: "container", [cri.sandboxId]: pod };

/** A confidential VM with a pod. */
async function withPod(
  test: (vm: FakeVm, policy: TableEnforcer) => Promise<void>,
): Promise<void> {
  const policy = new TableEnforcer();
  await withFakeVm(async (vm) => {
    await vm.setPolicy();
    const container = await vm.confidentialContainer(pod);
    await vm.create({ ...container, annotations: sandbox });
    await test(vm, policy);
  }, { rego: () => policy });
}

async function refused(
  call: () => Promise<unknown>,
  code: ErrorCode,
  message: string,
): Promise<void> {
  const error = await assertRejects(call, ShimError, message);
  assertEquals(error.code, code);
}

Deno.test("a confidential VM makes containers in their own places only", () =>
  withPod(async (vm, policy) => {
    const container = await vm.confidentialContainer(id);
    const good = { ...container, annotations: workload };
    const other = "d".repeat(64);
    const rows: [Partial<FakeContainer>, string][] = [
      [{ bundle: `pods/${pod}/${id}` }, "OciBundlePath"],
      [{ bundle: other }, "OciBundlePath"],
      [{ scratch: `${id}/scratch/${pod}` }, "ScratchDirPath"],
      [{ scratch: `${other}/scratch/${id}` }, "ScratchDirPath"],
      [{ spec: { root: { path: "/run" } } }, "root.path"],
      [{ spec: { hooks: {} } }, "hooks"],
      [{ spec: { hooks: { prestart: [{ path: "/x" }] } } }, "hooks"],
    ];
    const entries = (): Promise<string[]> =>
      Array.fromAsync(Deno.readDir(vm.folder), ({ name }) => name);
    const before = await entries();
    policy.asked.length = 0;
    for (const [change, message] of rows) {
      await refused(
        () => vm.create({ ...good, ...change }),
        "PermissionDenied",
        message,
      );
    }
    await refused(
      () => vm.create({ id, annotations: workload }),
      "PermissionDenied",
      'ScratchDirPath is ""',
    );
    assertEquals(policy.asked, []);
    assertEquals(await entries(), before);
    await vm.create(good);
    await vm.delete(id);
    await vm.confidentialContainer(id);
    await vm.create({ ...good, scratch: `${pod}/scratch/${id}` });
  }));

Deno.test("a confidential VM knows containers by long ids only", () =>
  withPod(async (vm) => {
    const container = await vm.confidentialContainer(id);
    const virtual = { [containerAnnotations.virtualPodId]: "pod" };
    const calls: [() => Promise<unknown>, string][] = [
      [() => vm.create({ id: "web" }), "container"],
      [() => vm.delete("web"), "container"],
      [
        () =>
          vm.create({
            ...container,
            annotations: { ...workload, [cri.sandboxId]: "pod" },
          }),
        "sandbox",
      ],
      [
        () =>
          vm.create({
            ...container,
            annotations: { ...workload, ...virtual },
          }),
        "virtual pod",
      ],
      [
        () =>
          vm.handlers.ModifySettings({
            ...vm.base("web"),
            Request: {
              ResourceType: "ContainerConstraints",
              RequestType: "Update",
              Settings: {},
            },
          }, vm.context("web")),
        "container",
      ],
      [
        () =>
          vm.modify("CombinedLayers", "Add", {
            ContainerID: "web",
            ContainerRootPath: `${vm.folder}/web/rootfs`,
            Layers: [{ Path: "/run/layer" }],
          }),
        "container",
      ],
    ];
    for (const [call, kind] of calls) {
      await refused(call, "InvalidArgument", `invalid ${kind} id`);
    }
  }));

/** Files of the security context of a container, by the environment. */
async function contextOf(
  vm: FakeVm,
  id: string,
): Promise<{ env: string[]; files: Record<string, string> }> {
  const bundle = vm.bundle({ id });
  const config = JSON.parse(await Deno.readTextFile(`${bundle}/config.json`));
  const env: string[] = config.process.env ?? [];
  const [, name] = env.at(-1)?.match(/^UVM_SECURITY_CONTEXT_DIR=\/(.+)$/) ?? [];
  const files: Record<string, string> = {};
  if (name === undefined) return { env, files };
  const folder = `${bundle}/rootfs/${name}`;
  assertEquals((await Deno.stat(folder)).mode! & 0o777, 0o755);
  for await (const file of Deno.readDir(folder)) {
    const path = `${folder}/${file.name}`;
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o777);
    files[file.name] = await Deno.readTextFile(path);
  }
  return { env, files };
}

/** Names in the root of a container. */
function rootOf(vm: FakeVm, id: string): Promise<string[]> {
  const root = `${vm.bundle({ id })}/rootfs`;
  return Array.fromAsync(Deno.readDir(root), ({ name }) => name);
}

Deno.test("containers are shown the policy, unless they do not want it", () =>
  withPod(async (vm, policy) => {
    const container = await vm.confidentialContainer(id);
    const { amdCertificate, securityPolicyEnv } = containerAnnotations;
    policy.table = { "container creation": { env: ["KEPT=1"] } };
    const annotations = { ...workload, [amdCertificate]: "Y2VydA==" };
    await vm.create({ ...container, annotations });
    const { env, files } = await contextOf(vm, id);
    // What the policy leaves of the environment, and the folder.
    assertEquals([env.length, env[0]], [2, "KEPT=1"]);
    assertEquals(files, {
      "security-policy-base64": "cG9saWN5",
      "host-amd-cert-base64": "Y2VydA==",
    });
    await vm.delete(id);
    await vm.confidentialContainer(id);
    await vm.create({
      ...container,
      annotations: { ...annotations, [securityPolicyEnv]: "false" },
    });
    assertEquals(await contextOf(vm, id), { env: ["KEPT=1"], files: {} });
    assertEquals(await rootOf(vm, id), []);
  }));

Deno.test("a container that cannot be made leaves no security context", () =>
  withFakeVm(async (vm) => {
    const { amdCertificate } = containerAnnotations;
    // Its root outlives it, as one on a disk does.
    const root = `${vm.folder}/disk`;
    await Deno.mkdir(root);
    const container = {
      id: "a",
      annotations: { [amdCertificate]: "Y2VydA==" },
      spec: { root: { path: root } },
    };
    vm.runtime.failNext("create", new Error("no such program"));
    await assertRejects(() => vm.create(container), Error, "no such program");
    assertEquals(await Array.fromAsync(Deno.readDir(root)), []);
    await Deno.remove(root);
    await Deno.symlink("/run", root);
    await refused(() => vm.create(container), "InvalidArgument", "symbolic");
  }));

Deno.test("a container is shown nothing where there is nothing to show", () =>
  withFakeVm(async (vm) => {
    await vm.create(await vm.confidentialContainer(id));
    assertEquals(await contextOf(vm, id), { env: [], files: {} });
    assertEquals(await rootOf(vm, id), []);
  }));
