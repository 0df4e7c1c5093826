import { assertEquals, assertRejects } from "@std/assert";
import type { Duplex } from "../base/duplex.ts";
import { libc } from "../ffi/linux/libc.ts";
import { type FakeVm, withFakeVm } from "./fake_vm.ts";

Deno.test.beforeAll(() => void libc());

const annotations = { "io.microsoft.container.lcow.tee-log-path": "a/log" };

const parameters = { CreateStdOutPipe: true, CreateStdErrPipe: true };

async function read(stream: Duplex | undefined): Promise<string> {
  const buffer = new Uint8Array(64);
  const n = await stream!.read(buffer);
  return n === null ? "" : new TextDecoder().decode(buffer.subarray(0, n));
}

/** What the agent holds open. */
function openFiles(path: string): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return []; // that of the listing itself
    }
  }).filter((target) => target === path);
}

/** Ends the init of a container, whose output the host has read. */
async function end(vm: FakeVm, id: string): Promise<void> {
  const init = vm.runtime.init(id);
  await init.close();
  vm.runtime.exit(init, 0);
  for (const port of [1, 2]) {
    while (await read(vm.ports.get(port)) !== "");
    await vm.ports.get(port)!.close();
  }
}

Deno.test("the log of an init is open from its start to its end, over a host that was not there at first", () =>
  withFakeVm(async (vm) => {
    const path = `${await Deno.realPath(vm.folder)}/c/logs/a/log`;
    await vm.create({ id: "c", annotations });
    assertEquals(openFiles(path).length, 0);
    const start = (StdOut: number): Promise<number> =>
      vm.execute("c", parameters, { StdOut, StdErr: 2 });
    await assertRejects(() => start(0), Error, "refused");
    assertEquals(openFiles(path).length, 0);
    const pid = await start(1);
    assertEquals(openFiles(path).length, 1);
    await vm.runtime.init("c").print("hello\n");
    assertEquals(await read(vm.ports.get(1)), "hello\n");
    await end(vm, "c");
    assertEquals(await vm.wait("c", pid), 0);
    assertEquals(openFiles(path).length, 0);
    assertEquals(await Deno.readTextFile(path), "hello\n");
  }));

Deno.test("further processes of a container write to no log", () =>
  withFakeVm(async (vm) => {
    await vm.create({ id: "c", annotations });
    await vm.execute("c", parameters, { StdOut: 1, StdErr: 2 });
    const OciProcess = { user: { uid: 0, gid: 0 }, args: ["x"], cwd: "/" };
    const pid = await vm.execute("c", {
      ...{ OciProcess, CreateStdOutPipe: true },
    }, { StdOut: 3 });
    const exec = vm.runtime.processes.get(pid)!;
    await exec.print("exec\n");
    assertEquals(await read(vm.ports.get(3)), "exec\n");
    await exec.close();
    vm.runtime.exit(exec, 0);
    assertEquals(await read(vm.ports.get(3)), "");
    await vm.ports.get(3)!.close();
    await vm.wait("c", pid);
    await end(vm, "c");
    const path = `${vm.folder}/c/logs/a/log`;
    assertEquals(await Deno.readTextFile(path), "");
  }));

Deno.test("a create with a log outside of the logs is refused and undone", () =>
  withFakeVm(async (vm) => {
    const name = "io.microsoft.container.lcow.tee-log-path";
    await assertRejects(
      () => vm.create({ id: "c", annotations: { [name]: "../log" } }),
      Error,
      "leaves",
    );
    assertEquals(vm.runtime.calls, []);
    await assertRejects(() => Deno.lstat(`${vm.folder}/c`));
  }));
