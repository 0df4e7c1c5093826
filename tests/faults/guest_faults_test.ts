/**
 * Every call of the guest agent to what is around it fails once, and every init
 * dies at every call: the host deletes what is there, and nothing is left.
 */

import { assertEquals } from "@std/assert";
import { classify } from "../../base/errors.ts";
import { HResult, HResultError } from "../../base/hresult.ts";
import { FaultPlan } from "../../controllers/testing/fault_plan.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { FakeVm } from "../../guest/fake_vm.ts";
import type { GuestPorts } from "../../guest/ports.ts";

// It stays loaded for the life of the process.
Deno.test.beforeAll(() => void libc());

const sigKill = 9;
const accessDenied = 0x80070005;

/** How a call goes wrong. */
type Kind = "fails" | "the init dies";

const stdio = { CreateStdOutPipe: true };

/** The agent's calls to what is around it, one of which goes wrong. */
class Fault {
  readonly plan: FaultPlan;
  /** Called after every call, when none is to fail. */
  readonly #onCall: ((calls: number) => void) | undefined;

  constructor(at: number, onCall?: (calls: number) => void) {
    const error = new HResultError(accessDenied, "injected");
    this.plan = new FaultPlan(onCall === undefined ? at : 0, error);
    this.#onCall = onCall;
  }

  /** The ports around an agent. */
  around = (ports: GuestPorts): GuestPorts => {
    const { plan } = this;
    const wrap = <T extends object>(target: T, ...methods: (keyof T)[]): T =>
      this.#onCall === undefined
        ? plan.wrap(target, methods)
        : this.#watch(target, methods);
    const { dial } = wrap({ dial: ports.dial }, "dial");
    return {
      ...ports,
      dial,
      cgroups: wrap(ports.cgroups, "create", "remove", "stats"),
      sandboxMounts: wrap(ports.sandboxMounts, "make", "remove"),
      runtime: async () =>
        wrap(
          await ports.runtime(),
          ...(["create", "start", "exec", "delete", "update"] as const),
        ),
    };
  };

  #watch<T extends object>(target: T, methods: readonly (keyof T)[]): T {
    const { plan } = this;
    return new Proxy(target, {
      get: (_target, name): unknown => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (!methods.includes(name as keyof T)) return member.bind(target);
        return async (...args: unknown[]): Promise<unknown> => {
          const result: unknown = await Reflect.apply(member, target, args);
          this.#onCall?.(++plan.calls);
          return result;
        };
      },
    });
  }
}

function cri(type: string): Record<string, string> {
  return {
    "io.kubernetes.cri.container-type": type,
    "io.kubernetes.cri.sandbox-id": "pod",
  };
}

/** What the host asks for, in its order. */
const steps: readonly ((vm: FakeVm) => Promise<unknown>)[] = [
  (vm) => vm.create({ id: "pod", annotations: cri("sandbox") }),
  (vm) => vm.execute("pod", {}),
  (vm) => vm.create({ id: "web", annotations: cri("container") }),
  (vm) => vm.execute("web", stdio, { StdOut: 1000 }),
  (vm) =>
    vm.execute("web", {
      ...stdio,
      OciProcess: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } },
    }, { StdOut: 1001 }),
  (vm) =>
    vm.handlers.ModifySettings({
      ...vm.base("web"),
      Request: {
        ResourceType: "ContainerConstraints",
        RequestType: "Update",
        Settings: { Linux: { pids: { limit: 10 } } },
      },
    }, vm.context("web")),
];

/** The host takes everything back, as often as it takes. */
async function takeBack(vm: FakeVm): Promise<void> {
  for (const id of ["web", "pod"]) {
    for (let attempt = 0; attempt < 2; attempt++) {
      endProcesses(vm);
      try {
        await vm.delete(id);
      } catch (error) {
        const isUnknown = error instanceof HResultError &&
          error.hresult === HResult.SystemNotFound;
        if (isUnknown) break;
        assertEquals(classify(error), "PermissionDenied");
      }
    }
  }
  endProcesses(vm);
  for (const stream of vm.ports.values()) await stream.close();
  vm.ports.clear();
}

/** The kernel ends processes with their containers. */
function endProcesses(vm: FakeVm): void {
  for (const process of [...vm.runtime.processes.values()]) {
    vm.runtime.kill(process.pid, sigKill);
    void process.close();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

/** @param kept Whether a removal failed, so that what was to go is there. */
async function assertEmpty(
  vm: FakeVm,
  where: string,
  kept = false,
): Promise<void> {
  // Outputs end with their processes, and what waits for that goes on.
  await vm.clock.advance(60_000);
  assertEquals({
    groups: kept ? [] : [...vm.cgroups.groups.keys()],
    sandboxes: kept ? [] : [...vm.sandboxes],
    processes: vm.runtime.processes.size,
    files: await namesIn(vm.folder),
    sleepers: vm.clock.sleepers,
    known: /container "|pod "/.test(vm.host.dump()),
  }, {
    groups: [],
    sandboxes: [],
    processes: 0,
    files: [],
    sleepers: 0,
    known: false,
  }, where);
}

/** Asks for everything. @returns The error of the step that failed. */
async function ask(vm: FakeVm): Promise<unknown> {
  try {
    for (const step of steps) await step(vm);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function withVm(
  fault: Fault,
  task: (vm: FakeVm) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const vm = new FakeVm(folder, { around: fault.around });
  try {
    await task(vm);
  } finally {
    await vm.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** One fault, then everything once more. @returns How many calls there were. */
async function survive(kind: Kind, at: number): Promise<number> {
  const where = `${kind} at call ${at}`;
  let inits: () => void = () => {};
  const fault = kind === "fails"
    ? new Fault(at)
    : new Fault(at, (calls) => calls === at && inits());
  let calls = 0;
  await withVm(fault, async (vm) => {
    inits = () => {
      for (const id of ["web", "pod"]) {
        const init = vm.runtime.init(id);
        if (init !== undefined) vm.runtime.kill(init.pid, sigKill);
      }
    };
    const error = await ask(vm);
    const { failed } = fault.plan;
    if (failed !== undefined) {
      const expected = failed === "dial" ? "Unavailable" : "PermissionDenied";
      assertEquals(classify(error), expected, where);
    }
    await takeBack(vm);
    calls = fault.plan.calls;
    await assertEmpty(vm, where, fault.plan.failed === "remove");
    assertEquals(await ask(vm), undefined, where);
    await takeBack(vm);
    await assertEmpty(vm, where);
  });
  return calls;
}

for (const kind of ["fails", "the init dies"] as const) {
  Deno.test(`the guest leaves nothing when any call ${kind === "fails" ? "fails" : "is the last one before its inits die"}`, async () => {
    const calls = await survive(kind, 0);
    for (let at = 1; at <= calls; at++) await survive(kind, at);
    console.log(`guest, ${kind}: ${calls} fault points`);
  });
}
