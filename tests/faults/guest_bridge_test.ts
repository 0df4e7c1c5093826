/** The bridge is lost at every step of a container's life in the guest. */

import { assert, assertEquals } from "@std/assert";
import type { Clock } from "../../base/clock.ts";
import { memoryPair } from "../../base/duplex.ts";
import { silentLogger as log } from "../../base/log.ts";
import { GuestConnection } from "../../bridge/connection.ts";
import { BridgeGuest } from "../../bridge/guest.ts";
import type { GuestHandlers } from "../../bridge/handlers.ts";
import { GuestBridge } from "../../bridge/server.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { type FakeVm, withFakeVm } from "../../guest/fake_vm.ts";

// It stays loaded for the life of the process.
Deno.test.beforeAll(() => void libc());

const sigKill = 9;
const silent = { stdin: false, stdout: false, stderr: false };

/** A host that loses its bridge while the guest works for one of its calls. */
class Host {
  readonly #bridge: GuestBridge;
  readonly #clock: Clock;
  readonly #pending = new Set<Promise<unknown>>();
  #callsLeft: number;
  #connection!: GuestConnection;
  #served: Promise<unknown> = Promise.resolve();
  #lost: Promise<void> | undefined;
  guest!: BridgeGuest;

  /** @param calls How many calls the guest begins before the bridge is lost. */
  constructor(vm: FakeVm, calls: number) {
    this.#callsLeft = calls;
    this.#clock = vm.clock;
    const handlers = this.#follow(vm.handlers);
    this.#bridge = new GuestBridge(handlers, { log, clock: vm.clock });
    vm.host.attach(this.#bridge);
  }

  async connect(): Promise<void> {
    const [host, guest] = memoryPair();
    this.#served = this.#bridge.serve(guest);
    this.#connection = await GuestConnection.open(host, {
      log,
      clock: this.#clock,
    });
    const refuse = (): Promise<never> =>
      Promise.reject(new Error("no streams are asked for"));
    this.guest = new BridgeGuest(this.#connection, refuse);
  }

  /** True when the bridge has been lost. */
  get hasLost(): boolean {
    return this.#lost !== undefined;
  }

  /** What the guest has begun goes on to its end without a bridge. */
  async disconnect(): Promise<void> {
    await this.#lost;
    await this.#connection.close();
    await this.#served;
    await Promise.allSettled(this.#pending);
  }

  #follow(handlers: GuestHandlers): GuestHandlers {
    return new Proxy(handlers, {
      get: (target, name: keyof GuestHandlers) => (...args: unknown[]) => {
        const work = target[name] as (...args: unknown[]) => Promise<unknown>;
        const done = work.apply(target, args);
        // A wait ends with its process, not with its bridge.
        if (!name.startsWith("Wait")) this.#pending.add(done);
        this.#callsLeft -= 1;
        if (this.#callsLeft === 0) this.#lost = this.#connection.close();
        return done;
      },
    });
  }
}

async function killAll({ runtime }: FakeVm): Promise<void> {
  for (const process of [...runtime.processes.values()]) {
    runtime.kill(process.pid, sigKill);
    await process.close();
  }
}

/** What the host asks for, in its order. */
const steps: readonly [
  name: string,
  step: (host: Host, vm: FakeVm) => Promise<unknown>,
][] = [
  [
    "create",
    ({ guest }, vm) => {
      const bundle = vm.bundle({ id: "web" });
      return guest.createContainer("web", {
        SchemaVersion: { Major: 2, Minor: 1 },
        OciBundlePath: bundle,
        ScratchDirPath: "",
        OciSpecification: {
          ociVersion: "1.1.0",
          process: { user: { uid: 0, gid: 0 }, args: ["init"], cwd: "/" },
          root: { path: `${bundle}/rootfs` },
          linux: { namespaces: [{ type: "pid" }] },
        },
      });
    },
  ],
  ["start", ({ guest }) => guest.execute("web", {}, silent)],
  [
    "exec",
    ({ guest }) => {
      const OciProcess = { args: ["x"], cwd: "/", user: { uid: 0, gid: 0 } };
      return guest.execute("web", { OciProcess }, silent);
    },
  ],
  ["kill", (_host, vm) => killAll(vm)],
  ["delete", ({ guest }) => guest.deleteContainerState("web")],
];

function isKnown(vm: FakeVm): boolean {
  return vm.host.dump().includes("web (");
}

async function end(vm: FakeVm): Promise<void> {
  await killAll(vm);
  await vm.clock.advance(60_000);
}

/** Calls that a life makes: one for each step but "kill", and a wait per process. */
const calls = 6;

for (let call = 1; call <= calls; call++) {
  Deno.test(`a bridge lost during call ${call} of a container's life leaves nothing behind that the next host cannot delete`, async () => {
    await withFakeVm(async (vm) => {
      const host = new Host(vm, call);
      await host.connect();
      for (const [, step] of steps) {
        // After the loss nobody answers.
        await step(host, vm).catch((error) => assert(host.hasLost, error));
      }
      assert(host.hasLost);
      await host.disconnect();
      await end(vm);
      if (isKnown(vm)) await vm.delete("web");
      await end(vm);
      assertEquals({
        processes: vm.runtime.processes.size,
        files: await Array.fromAsync(Deno.readDir(vm.folder)),
        known: isKnown(vm),
      }, { processes: 0, files: [], known: false });
    });
  });
}
