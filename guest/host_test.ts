import { assert, assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResult } from "../base/hresult.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { libc } from "../ffi/linux/libc.ts";
import { withFakeVm } from "./fake_vm.ts";
import { refused, sandbox } from "./host_fixture.ts";
import { exists } from "./spec/pod_files.ts";

Deno.test.beforeAll(() => void libc());

Deno.test("a container's exit is told to every waiter, then once to the host", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    const pid = await vm.execute("a", {});
    const waits = [vm.wait("a", pid), vm.wait("a", pid)];
    const init = vm.runtime.init("a");
    await init.close();
    vm.runtime.exit(init, 3);
    assertEquals(await Promise.all(waits), [3, 3]);
    assertEquals(vm.notifications, [{
      ContainerId: "a",
      ActivityId: "activity-a",
      Type: "UnexpectedExit",
      Operation: "None",
      Result: 0,
    }]);
    assertEquals(await vm.wait("a", pid), 3);
    assertEquals(vm.notifications.length, 1);
    await vm.delete("a");
    assertEquals(vm.runtime.calls, ["create a", "start a", "delete a"]);
    await refused(() => vm.wait("a", pid), HResult.SystemNotFound);
    assert(!await exists(vm.bundle({ id: "a" })));
  }));

Deno.test("guest:P7 without a wait, the end of a container is not told", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    const pid = await vm.execute("a", {});
    const init = vm.runtime.init("a");
    await init.close();
    vm.runtime.exit(init, 0);
    await refused(() => vm.wait("b", pid), HResult.SystemNotFound);
    assertEquals(vm.notifications, []);
    assertEquals(await vm.wait("a", pid), 0);
    assertEquals(vm.notifications.length, 1);
    await vm.delete("a");
  }));

Deno.test("guest:P6 the last signal to the init decides how its end is told", () =>
  withFakeVm(async (vm) => {
    const { handlers, runtime } = vm;
    for (const [id, graceful] of [["a", true], ["b", false]] as const) {
      await vm.create({ id });
      const pid = await vm.execute(id, {});
      const wait = vm.wait(id, pid);
      const context = vm.context(id);
      if (graceful) await handlers.ShutdownGraceful(vm.base(id), context);
      else {
        const request = { ...vm.base(id), ProcessId: pid };
        await handlers.SignalProcess(request, context);
      }
      const init = runtime.init(id);
      assertEquals(init.signals, [graceful ? 15 : 9]);
      await init.close();
      if (graceful) runtime.exit(init, 143);
      assertEquals(await wait, graceful ? 143 : 137);
      await refused(
        () => handlers.ShutdownForced(vm.base(id), context),
        HResult.SystemAlreadyStopped,
      );
      await refused(
        () =>
          handlers.SignalProcess({ ...vm.base(id), ProcessId: pid }, context),
        HResult.ElementNotFound,
      );
    }
    const types = vm.notifications.map(({ Type }) => Type);
    assertEquals(types, ["GracefulExit", "ForcedExit"]);
  }));

Deno.test("the output of a process reaches the host before its exit does", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    const parameters = { CreateStdOutPipe: true };
    const pid = await vm.execute("a", parameters, { StdOut: 7 });
    const init = vm.runtime.init("a");
    await init.print("hello");
    let told = false;
    const wait = vm.wait("a", pid).then((code) => {
      told = true;
      return code;
    });
    await init.close();
    vm.runtime.exit(init, 0);
    const socket = vm.ports.get(7)!;
    const buffer = new Uint8Array(16);
    assertEquals(await socket.read(buffer), 5);
    assertEquals(await socket.read(buffer), null);
    assert(!told, "the host has not closed its side yet");
    await socket.close();
    assertEquals(await wait, 0);
    await vm.delete("a");
  }));

Deno.test("a host that never closes a stream learns the exit after the drain limit", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    const parameters = { CreateStdOutPipe: true };
    const pid = await vm.execute("a", parameters, { StdOut: 7 });
    const init = vm.runtime.init("a");
    await init.close();
    vm.runtime.exit(init, 0);
    const wait = vm.wait("a", pid);
    while (vm.clock.sleepers === 0) await vm.clock.advance(0);
    await vm.clock.advance(defaultTimeouts.drainLimit);
    assertEquals(await wait, 0);
    await vm.delete("a");
  }));

Deno.test("an exec is known until its exit was told, and has the container's limits", () =>
  withFakeVm(async (vm) => {
    const rlimits = [{ type: "RLIMIT_NOFILE", soft: 5, hard: 9 }];
    await vm.create({
      id: "a",
      spec: {
        process: { user: { uid: 4, gid: 5 }, args: ["x"], cwd: "/", rlimits },
      },
    });
    await vm.execute("a", {});
    const pid = await vm.execute("a", {
      OciProcess: {
        args: ["true"],
        cwd: "/",
        user: { uid: 1, gid: 2 },
        rlimits: [],
      },
    });
    assertEquals(vm.runtime.documents, [{
      args: ["true"],
      cwd: "/",
      user: { uid: 1, gid: 2 },
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 5n, hard: 9n }],
    }]);
    const process = vm.runtime.processes.get(pid)!;
    await process.close();
    vm.runtime.exit(process, 6);
    assertEquals(await vm.wait("a", pid), 6);
    await refused(() => vm.wait("a", pid), HResult.ElementNotFound);
  }));

Deno.test("pains:16 an exit while no bridge is connected is told to who waits over the next one", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    await vm.execute("a", {});
    const pid = await vm.execute("a", {
      OciProcess: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } },
    });
    const bridge = new AbortController();
    const waited = vm.handlers.WaitForProcess({
      ...vm.base("a"),
      ProcessId: pid,
      TimeoutInMs: 0xffff_ffff,
    }, { ...vm.context("a"), signal: bridge.signal });
    waited.catch(() => {});
    bridge.abort(new ShimError("Unavailable", "the bridge is lost"));
    const process = vm.runtime.processes.get(pid)!;
    await process.close();
    vm.runtime.exit(process, 6);
    await assertRejects(() => waited, ShimError, "the bridge is lost");
    assertEquals(await vm.wait("a", pid), 6);
  }));

Deno.test("a wait that times out counts for nothing", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    const pid = await vm.execute("a", {});
    const early = refused(() => vm.wait("a", pid, 50), HResult.Timeout);
    await vm.clock.advance(50);
    await early;
    const init = vm.runtime.init("a");
    await init.close();
    vm.runtime.exit(init, 0);
    assertEquals(vm.notifications, []);
    assertEquals(await vm.wait("a", pid, 50), 0);
    assertEquals(vm.notifications.length, 1);
  }));

Deno.test("a start that fails ends the container", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    vm.runtime.failNext("start", new Error("exec format error"));
    await assertRejects(() => vm.execute("a", {}), Error, "exec format");
    assertEquals(vm.runtime.calls.at(-1), "start a");
    await vm.delete("a");
  }));

Deno.test("a stream that cannot be reached fails the request, and the container can still start", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a" });
    const parameters = { CreateStdInPipe: true, CreateStdOutPipe: true };
    await assertRejects(
      () => vm.execute("a", parameters, { StdIn: 7 }),
      Error,
      "Cannot connect stdout to port 0",
    );
    const buffer = new Uint8Array(1);
    assertEquals(await vm.ports.get(7)!.read(buffer), null);
    await vm.execute("a", {});
  }));

Deno.test("processes of the host's choice end when an init shares its pid namespace", () =>
  withFakeVm(async (vm) => {
    const spec = {
      linux: { namespaces: [{ type: "pid", path: "/proc/1/ns/pid" }] },
    };
    await vm.create({ id: "a", spec });
    const pid = await vm.execute("a", {});
    const exec = await vm.execute("a", {
      OciProcess: { cwd: "/", user: { uid: 0, gid: 0 } },
    });
    await vm.cgroups.join("/pods/a", exec);
    const process = vm.runtime.processes.get(exec)!;
    const init = vm.runtime.init("a");
    await init.close();
    await process.close();
    vm.runtime.exit(init, 0);
    // The killed process is looked for once more, after a pause.
    while (process.signals.length === 0) await vm.clock.advance(5);
    const waited = vm.wait("a", pid);
    await vm.clock.advance(5);
    assertEquals(await waited, 0);
    assertEquals(process.signals, [9]);
  }));

Deno.test("the streams of a process end although its control group cannot be read", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "a", spec: { linux: { namespaces: [] } } });
    const pid = await vm.execute("a", { CreateStdInPipe: true }, { StdIn: 7 });
    const waited = vm.wait("a", pid);
    vm.cgroups.processes = () => Promise.reject(new Error("EIO"));
    const init = vm.runtime.init("a");
    vm.runtime.exit(init, 2);
    assertEquals(await waited, 2);
    let ended = false;
    const end = vm.ports.get(7)!.read(new Uint8Array(1)).then(() => {
      ended = true;
    });
    await vm.clock.advance(0);
    assert(ended, "the host's stream is still open");
    await end;
  }));

Deno.test("the end of the VM is passed on", () =>
  withFakeVm(async (vm) => {
    await vm.handlers.ShutdownForced(vm.base(nullGuid), vm.context(nullGuid));
    assert(vm.hasQuit);
  }));

Deno.test("a dump names pods, containers, processes and calls under way", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "pod", annotations: sandbox });
    const pid = await vm.execute("pod", {});
    const wait = vm.wait("pod", pid);
    const { GuestStacks } = await vm.handlers.DumpStacks(
      vm.base(nullGuid),
      vm.context(nullGuid),
    );
    for (const text of ["pod: pod", "pod (sandbox): Running", `pid ${pid}`]) {
      assert(GuestStacks.includes(text), GuestStacks);
    }
    assert(GuestStacks.includes('WaitForProcess "pod"'), GuestStacks);
    const init = vm.runtime.init("pod");
    await init.close();
    vm.runtime.exit(init, 0);
    await wait;
  }));
