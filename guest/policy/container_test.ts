import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { nullGuid } from "../../base/guid.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { containerAnnotations, cri } from "../../oci/annotations.ts";
import { type FakeVm, withFakeVm } from "../fake_vm.ts";
import { TableEnforcer } from "./table_enforcer.ts";

Deno.test.beforeAll(() => void libc());

/** A VM whose policy is a table. */
async function withPolicy(
  test: (vm: FakeVm, policy: TableEnforcer) => Promise<void>,
): Promise<void> {
  const initial = new TableEnforcer();
  await withFakeVm((vm) => test(vm, initial), { initial });
}

async function denied(
  call: () => Promise<unknown>,
  message: string,
): Promise<void> {
  const error = await assertRejects(call, ShimError, message);
  assertEquals(error.code, "PermissionDenied");
}

/** What the runtime was given. */
async function processOf(vm: FakeVm, id: string): Promise<unknown> {
  const path = `${vm.bundle({ id })}/config.json`;
  return JSON.parse(await Deno.readTextFile(path)).process;
}

const user = { uid: 0, gid: 0 };
const capabilities = { bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"] };
const all = {
  CreateStdInPipe: true,
  CreateStdOutPipe: true,
  CreateStdErrPipe: true,
};
const ports = { StdIn: 1, StdOut: 2, StdErr: 3 };

Deno.test("a policy is told all of a container, by what the host said and by what the runtime gets", async () => {
  const policy = new TableEnforcer();
  await withFakeVm(async (vm) => {
    await vm.setPolicy();
    const pod = "5".repeat(64);
    const id = "c".repeat(64);
    await vm.create({
      ...await vm.confidentialContainer(pod),
      annotations: { [cri.containerType]: "sandbox" },
    });
    const container = await vm.confidentialContainer(id);
    const root = `${vm.bundle(container)}/rootfs`;
    await Deno.mkdir(`${root}/etc`);
    await Deno.writeTextFile(`${root}/etc/passwd`, "app:x:1000:50::/:/app\n");
    const devices = [{ path: "/dev/null", type: "c", major: 7, minor: 9 }];
    const seccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }],
    };
    await vm.create({
      ...container,
      scratch: `${pod}/scratch/${id}`,
      annotations: {
        [cri.containerType]: "container",
        [cri.sandboxId]: pod,
        [containerAnnotations.privileged]: "false",
      },
      spec: {
        process: {
          user: { uid: 0, gid: 0, username: "app", additionalGids: [7] },
          args: ["web", "-v"],
          env: ["A=1"],
          cwd: "/srv",
          noNewPrivileges: true,
          capabilities,
        },
        linux: { devices, seccomp },
      },
    });
    const [sandbox, workload] = policy.about("container creation");
    assertEquals([sandbox?.isSandbox, sandbox?.sandboxId], [true, pod]);
    assertEquals(sandbox?.seccomp, "");
    const { mounts, ...facts } = workload!;
    assertEquals(facts, {
      name: "container creation",
      ...{ id, sandboxId: pod, isSandbox: false, isPrivileged: false },
      ...{ argv: ["web", "-v"], env: ["A=1"], cwd: "/srv" },
      ...{ noNewPrivileges: true, capabilities },
      user: { id: "1000", name: "app" },
      groups: [{ id: "50", name: "" }, { id: "7", name: "" }],
      umask: "0022",
      devices: [{ path: "/dev/null", type: "c", major: 7n, minor: 9n }],
      // SHA-256 of the profile above without blanks.
      seccomp:
        "277c010494e13af16396386972b35492f5b124b47b9ba26f4697cf0c966f47fd",
    });
    const offered = policy.about("default mounts").at(-1);
    assertEquals(offered?.id, id);
    assertEquals(mounts, offered?.mounts);
    assertEquals(
      mounts.map(({ destination, source }) => [destination, source]),
      ["hostname", "hosts", "resolv.conf"]
        .map((name) => [`/etc/${name}`, `${vm.folder}/${pod}/${name}`]),
    );
    const order = policy.asked.slice(-3).map(({ name }) => name);
    assertEquals(order, [
      "default mounts",
      "user information",
      "container creation",
    ]);
  }, { rego: () => policy });
});

Deno.test("without a policy nobody looks at the users of an image", () =>
  withPolicy(async (vm, policy) => {
    await vm.create({ id: "a" });
    const [facts] = policy.about("container creation");
    assertEquals(facts?.user, { id: "", name: "" });
    assertEquals([facts?.groups, facts?.umask], [[], ""]);
  }));

Deno.test("environment and capabilities of the policy replace those of the host", () =>
  withPolicy(async (vm, policy) => {
    const answer = { env: ["KEPT=1"], capabilities };
    policy.table = {
      "container creation": answer,
      "exec in container": answer,
    };
    const process = {
      user,
      args: ["x"],
      env: ["KEPT=1", "LD_PRELOAD=/evil"],
      cwd: "/",
      capabilities: { effective: ["CAP_SYS_ADMIN"] },
    };
    await vm.create({ id: "a", spec: { process } });
    const changed = { ...process, env: ["KEPT=1"], capabilities };
    assertEquals(await processOf(vm, "a"), changed);
    await vm.execute("a", {});
    await vm.execute("a", { OciProcess: process });
    assertEquals(vm.runtime.documents, [changed]);
    assertEquals(policy.about("exec in container")[0]?.env, process.env);
    policy.table = {};
    await vm.execute("a", { OciProcess: process });
    assertEquals(vm.runtime.documents[1], process);
  }));

Deno.test("a container without streams reads nothing and writes to nobody, and so do all its processes", () =>
  withPolicy(async (vm, policy) => {
    policy.table = { "container creation": { allowStdio: false } };
    await vm.create({ id: "a" });
    const pid = await vm.execute("a", all, ports);
    const exec = await vm.execute("a", {
      ...all,
      OciProcess: { args: ["x"], cwd: "/", user },
    }, ports);
    assertEquals([...vm.ports.keys()], []);
    const processes = [vm.runtime.processes.get(exec)!, vm.runtime.init("a")];
    for (const process of processes) {
      const buffer = new Uint8Array(1);
      assertEquals(await process.stdio[0]!.read(buffer), null);
      await process.print("secret");
      await process.close();
      vm.runtime.exit(process, 3);
    }
    assertEquals(await vm.wait("a", exec), 3);
    assertEquals(await vm.wait("a", pid), 3);
    assertEquals(vm.notifications.length, 1);
  }));

Deno.test("a single process can be without streams", () =>
  withPolicy(async (vm, policy) => {
    await vm.create({ id: "a" });
    await vm.execute("a", all, ports);
    assertEquals([...vm.ports.keys()], [1, 2, 3]);
    vm.ports.clear();
    policy.table = { "exec in container": { allowStdio: false } };
    const OciProcess = { args: ["x"], cwd: "/", user };
    await vm.execute("a", { ...all, OciProcess }, ports);
    assertEquals([...vm.ports.keys()], []);
  }));

Deno.test("a terminal whose streams are denied is refused", () =>
  withPolicy(async (vm, policy) => {
    const silent = { allowStdio: false };
    const OciProcess = { args: ["x"], cwd: "/", user, terminal: true };
    const message = "streams are denied due to policy";
    policy.table = {
      "container creation": silent,
      "exec in container": silent,
      "exec in VM": silent,
    };
    await denied(
      () => vm.create({ id: "a", spec: { process: OciProcess } }),
      message,
    );
    assertEquals(vm.runtime.calls, []);
    await vm.create({ id: "a" });
    await denied(() => vm.execute("a", { OciProcess }), message);
    // The container has none, whatever the policy says of the process.
    policy.table = { "exec in VM": silent };
    await denied(() => vm.execute("a", { OciProcess }), message);
    assertEquals(vm.runtime.documents, []);
    const parameters = { CommandArgs: ["true"], EmulateConsole: true };
    await denied(() => vm.execute(nullGuid, parameters), message);
  }));

Deno.test("an output whose streams are denied is not kept in a file", () =>
  withPolicy(async (vm, policy) => {
    policy.table = { "container creation": { allowStdio: false } };
    const annotations = {
      "io.kubernetes.cri.container-type": "sandbox",
      "io.kubernetes.cri.sandbox-id": "a",
      "io.microsoft.container.lcow.tee-log-path": "init.log",
    };
    await denied(
      () => vm.create({ id: "a", annotations }),
      "cannot be kept in a file",
    );
    assertEquals(vm.runtime.calls, []);
    assertEquals(await Array.fromAsync(Deno.readDir(vm.folder)), []);
  }));

Deno.test("a policy judges the command that is run in the VM, and changes its environment", () =>
  withPolicy(async (vm, policy) => {
    const parameters = {
      CommandLine: "nothing --name 'a b'",
      Environment: { PATH: "/usr/bin", A: "1" },
      WorkingDirectory: "/tmp",
    };
    policy.table = { "exec in VM": { env: ["PATH=/allowed"] } };
    // It is looked for on the path that the policy leaves.
    await assertRejects(
      () => vm.execute(nullGuid, parameters),
      ShimError,
      '"nothing" in the VM: it is not on PATH "/allowed"',
    );
    assertEquals(policy.about("exec in VM"), [{
      name: "exec in VM",
      argv: ["nothing", "--name", "a b"],
      env: ["PATH=/usr/bin", "A=1"],
      cwd: "/tmp",
    }]);
  }));

Deno.test("a policy is told which process a signal is for", () =>
  withPolicy(async (vm, policy) => {
    await vm.create({ id: "a" });
    const init = await vm.execute("a", {});
    const exec = await vm.execute("a", {
      OciProcess: { args: ["tail", "-f"], cwd: "/", user },
    });
    const signal = async (
      ProcessId: number,
      Signal?: number,
    ): Promise<void> => {
      const Options = Signal === undefined ? {} : { Options: { Signal } };
      const request = { ...vm.base("a"), ProcessId, ...Options };
      await vm.handlers.SignalProcess(request, vm.context("a"));
    };
    await signal(exec, 15);
    await signal(init);
    const common = { name: "signal", id: "a" } as const;
    assertEquals(policy.about("signal"), [
      { ...common, signal: 15, isInit: false, argv: ["tail", "-f"] },
      { ...common, signal: 9, isInit: true, argv: ["init"] },
    ]);
  }));

Deno.test("a workload uses the VM's network when its sandbox may", () =>
  withPolicy(async (vm, policy) => {
    const host = { [containerAnnotations.hostNetwork]: "true" };
    const sandbox = {
      id: "pod",
      annotations: { [cri.containerType]: "sandbox", ...host },
    };
    const workload = {
      id: "web",
      annotations: { [cri.containerType]: "container", [cri.sandboxId]: "pod" },
    };
    await vm.create(sandbox);
    await vm.create(workload);
    assertEquals(
      policy.about("host network").map(({ id }) => id),
      ["pod", "web"],
    );
    policy.table = { "host network": "deny" };
    await denied(
      () => vm.create({ ...workload, id: "other" }),
      "host network denied",
    );
    assert(!vm.host.dump().includes("other"));
    // The own annotation of a workload says nothing.
    await vm.delete("web");
    await vm.delete("pod");
    await vm.create({
      ...sandbox,
      annotations: { [cri.containerType]: "sandbox" },
    });
    const asks = { ...workload.annotations, ...host };
    await vm.create({ ...workload, annotations: asks });
  }));
