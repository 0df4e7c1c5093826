/**
 * A pod in a guest agent in a private view of this machine.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { JsonObject } from "../../base/json.ts";
import {
  GuestVm,
  mustSkip,
  readText,
  type TestContainer,
} from "./guest_fixture.ts";

const ignore = await mustSkip("pods");

const type = "io.kubernetes.cri.container-type";

/** What differs between kinds of pods: annotations, and the sandbox's root. */
const kinds = {
  v2: {
    sandbox: { [type]: "sandbox" },
    workload: { "io.kubernetes.cri.sandbox-id": "pod" },
    root: "/run/gcs/pods/pod/pod",
  },
  virtual: {
    sandbox: { "io.microsoft.cri.virtual-pod-id": "pod" },
    workload: { "io.microsoft.cri.virtual-pod-id": "pod" },
    root: "/run/gcs/pods/pod/virtual-pods/pod",
  },
};

/** Kind of a pod. */
export type Kind = keyof typeof kinds;

/** What a workload has beside its script. */
export interface WorkloadOptions {
  /** Members of the specification that replace the usual ones. */
  readonly spec?: JsonObject;
  /** Further annotations. */
  readonly annotations?: Record<string, string>;
}

/** A pod, named `pod`. */
export class Pod {
  /** The agent. */
  readonly vm: GuestVm;
  readonly #kind: Kind;
  readonly #containers: TestContainer[] = [];

  /** @param vm The agent, which has no other pod. */
  constructor(vm: GuestVm, kind: Kind) {
    this.vm = vm;
    this.#kind = kind;
  }

  /** A path below the root of the sandbox, as this machine sees it. */
  path(path: string): string {
    return this.vm.path(`${kinds[this.#kind].root}/${path}`);
  }

  async #create(container: TestContainer): Promise<void> {
    await this.vm.create(container);
    this.#containers.push(container);
  }

  /** Starts the sandbox. */
  async start(): Promise<void> {
    await this.#create({
      id: "pod",
      args: ["sleep", "1000"],
      annotations: kinds[this.#kind].sandbox,
    });
    const init = await this.vm.start("pod");
    await init.close();
  }

  /** Creates a workload that runs a script. */
  async create(
    id: string,
    script: string,
    more: WorkloadOptions = {},
  ): Promise<void> {
    await this.#create({
      id,
      pod: "pod",
      args: ["sh", "-c", script],
      annotations: {
        [type]: "container",
        ...kinds[this.#kind].workload,
        ...more.annotations,
      },
      spec: more.spec ?? {},
    });
  }

  /** Runs a workload to its end. @returns What it wrote, errors last. */
  async run(
    id: string,
    script: string,
    more: WorkloadOptions = {},
  ): Promise<string> {
    await this.create(id, script, more);
    const init = await this.vm.start(id);
    const output = await Promise.all([
      readText(init.stdout),
      readText(init.stderr),
    ]);
    await init.close();
    await init.exited;
    return output.join("");
  }

  /** Forgets all containers, the sandbox last. */
  async remove(): Promise<void> {
    for (const container of this.#containers.splice(0).reverse()) {
      await this.vm.remove(container);
    }
  }
}

/** A test with a pod, which leaves nothing. */
export function podTest(
  name: string,
  test: (pod: Pod) => Promise<void>,
  kind: Kind = "v2",
): void {
  Deno.test({ name, ignore }, async () => {
    const vm = await GuestVm.start();
    try {
      const pod = new Pod(vm, kind);
      await pod.start();
      await test(pod);
      await pod.remove();
      assertEquals(await vm.leftovers(), []);
    } finally {
      await vm.stop();
    }
  });
}

/** The mounts that every container needs, and further ones. */
export function mounts(...more: JsonObject[]): JsonObject {
  return {
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
      ...more,
    ],
  };
}

/** A bind mount. */
export function bind(
  source: string,
  destination: string,
  ...options: string[]
): JsonObject {
  return { source, destination, type: "bind", options: ["bind", ...options] };
}
