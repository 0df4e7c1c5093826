/**
 * A task service with a client, for tests.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../../base/errors.ts";
import { PendingFiles } from "../../base/pending_files.ts";
import type { FakeGuest } from "../../bridge/fake_guest.ts";
import type { FakeGuestProcess } from "../../bridge/fake_guest_process.ts";
import type { Any } from "../../ttrpc/api/any.gen.ts";
import type { CreateTaskRequest, TaskV3 } from "../../ttrpc/api/task.gen.ts";
import { type FakeCall, FakeShim, type FakeShimOptions } from "../fake_shim.ts";
import { withBundle } from "../testing.ts";
import {
  SandboxClient,
  type ServiceClient,
  taskClient,
} from "./fake_client.ts";

/** The part of a specification that every test container has. */
const baseSpec = {
  ociVersion: "1.1.0",
  process: { args: ["/bin/true"], cwd: "/", user: { uid: 0, gid: 0 } },
  root: { path: "rootfs" },
  linux: {},
};

/** The specification of an exec, as containerd sends it. */
export const processSpec: Any = {
  typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process",
  value: new TextEncoder().encode(JSON.stringify({ args: ["id"], cwd: "/" })),
};

/** A specification as JSON text. */
export function spec(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ ...baseSpec, ...more });
}

/** A specification of a CRI container. */
export function criSpec(type: string, sandbox: string): string {
  return spec({
    annotations: {
      "io.kubernetes.cri.container-type": type,
      "io.kubernetes.cri.sandbox-id": sandbox,
    },
  });
}

/** See the module. */
export class TaskScene extends FakeShim {
  /** Calls the Task service. */
  readonly tasks: ServiceClient<typeof TaskV3>;
  /** Calls the Sandbox service. */
  readonly sandboxes: SandboxClient;
  /** A bundle with a standalone container's specification. */
  readonly bundle: string;

  /**
   * @param bundle The bundle directory.
   * @param options See {@linkcode FakeShimOptions}.
   */
  constructor(bundle: string, options: FakeShimOptions = {}) {
    super(options);
    this.bundle = bundle;
    this.tasks = taskClient(this.shim);
    this.sandboxes = new SandboxClient(this.shim);
  }

  /** The guest of the only VM. */
  get guest(): FakeGuest {
    return this.vm.guest;
  }

  /** The process that was started last. */
  get lastProcess(): FakeGuestProcess {
    return this.guest.processes.at(-1)!;
  }

  /** Writes another specification into the bundle. */
  async writeSpec(text: string): Promise<void> {
    await Deno.writeTextFile(`${this.bundle}/config.json`, text);
  }

  /** Task.Create. */
  async create(
    id: string,
    more: Partial<CreateTaskRequest> = {},
    call?: FakeCall,
  ): Promise<void> {
    const request = { id, bundle: this.bundle, ...more };
    await this.tasks.call("Create", request, call);
  }

  /** Task.Create and Task.Start. @returns The pid. */
  async run(id: string): Promise<number> {
    await this.create(id);
    const { pid } = await this.tasks.call("Start", { id });
    return pid;
  }

  /** Creates a pod's sandbox container and workloads, and starts them. */
  async runPod(pod: string, ...workloads: string[]): Promise<void> {
    await this.writeSpec(criSpec("sandbox", pod));
    await this.run(pod);
    await this.writeSpec(criSpec("container", pod));
    for (const id of workloads) await this.run(id);
  }

  /**
   * Waits until something that the test cannot await has happened. Each turn of
   * the clock waits for the files that are read, so that their number is no
   * matter of how busy the machine is.
   */
  async until(happened: () => boolean): Promise<void> {
    for (let turn = 0; !happened(); turn++) {
      if (turn > 1000) throw new Error("it never happened");
      await this.clock.advance(0);
    }
  }
}

/** Runs a test with a task service that is ended afterwards, and leaves no wait. */
export async function withTasks(
  task: (scene: TaskScene) => Promise<void>,
  options: FakeShimOptions = {},
): Promise<void> {
  await withBundle({ "config.json": spec() }, async (bundle) => {
    using files = new PendingFiles();
    const scene = new TaskScene(bundle, { clock: files.clock, ...options });
    try {
      await task(scene);
    } finally {
      const ended = scene.shim.end("test");
      for (const process of scene.vms.flatMap(({ guest }) => guest.processes)) {
        await process.endOutput();
      }
      await ended;
    }
    assertEquals(scene.clock.sleepers, 0, "waits are left behind the end");
  });
}

/** Asserts that a call is refused with a class and a text. */
export async function refuses(
  call: Promise<unknown>,
  code: string,
  message = "",
): Promise<void> {
  const error = await assertRejects(() => call, ShimError, message);
  assertEquals((error as ShimError).code, code);
}
