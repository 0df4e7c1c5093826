/**
 * A shim with one sandbox, driven over its endpoint without a containerd.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { install } from "../../bin/install.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import type { TtrpcClient } from "../../ttrpc/client.ts";
import { toolEnv } from "../debian.ts";
import {
  type Bundle,
  type BundleOptions,
  connectShim,
  EventSink,
  makeBundle,
  startShim,
} from "../driver.ts";
import { buildRootfs } from "../image.ts";
import { leftovers, settledLeftovers } from "../leftovers.ts";

/** The program, as containerd starts it. */
export const shim =
  new URL("../../bin/containerd-shim-lcow-v2", import.meta.url).pathname;

/** A running shim with a connection, its bundle and the events it sent. */
export interface Rig extends AsyncDisposable {
  /** Folder of the test; the state is in `lcow` below. */
  readonly dir: string;
  /** Connection to the shim. */
  readonly client: TtrpcClient;
  /** One more connection, which is the caller's. */
  connect(): Promise<TtrpcClient>;
  /** Bundle of the sandbox container. */
  readonly bundle: Bundle;
  /** What the shim told. */
  readonly events: EventSink;
  /** Makes the bundle of a further container. */
  member(
    id: string,
    script?: string,
    more?: Partial<BundleOptions>,
  ): Promise<Bundle>;
}

/**
 * Starts a shim for a sandbox. Its disposal ends everything and fails when
 * something is left.
 *
 * @param id Id of the sandbox and of its container.
 * @param windows Section `windows` of the sandbox container's specification.
 * @param more Environment of the shim.
 */
export async function rig(
  id: string,
  windows?: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, string>> = {},
): Promise<Rig> {
  const env = await toolEnv();
  await install();
  const rootfs = await buildRootfs(env);
  const dir = await Deno.makeTempDir({ prefix: "lcow-" });
  const events = new EventSink(`${dir}/containerd.sock.ttrpc`);
  const bundles: Bundle[] = [];
  const make = async (
    name: string,
    type: string,
    script = "echo ready",
    more: Partial<BundleOptions> = {},
  ): Promise<Bundle> => {
    const bundle = await makeBundle(dir, {
      id: name,
      args: ["/bin/sh", "-c", `${script}; exec sleep 1000`],
      rootfs,
      ...(windows && type === "sandbox" && { windows }),
      annotations: {
        "io.kubernetes.cri.container-type": type,
        "io.kubernetes.cri.sandbox-id": id,
      },
      ...more,
    });
    bundles.push(bundle);
    return bundle;
  };
  const bundle = await make(id, "sandbox");
  const binary = {
    path: shim,
    env: { ...env, LCOW_STATE: `${dir}/lcow`, ...more },
  };
  const address = await startShim(binary, dir, bundle);
  const client = await connectShim(address);
  return {
    dir,
    client,
    connect: () => connectShim(address),
    bundle,
    events,
    member: (name, script, more) => make(name, "container", script, more),
    async [Symbol.asyncDispose]() {
      const gone = client.closed;
      await client.call(Sandbox, "StopSandbox", { sandboxId: id });
      await client.call(Sandbox, "ShutdownSandbox", { sandboxId: id });
      await client.close();
      await gone;
      for (const held of bundles) await held.close();
      const left = await settledLeftovers(() => leftovers(dir));
      await events[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
      assertEquals(left, []);
    },
  };
}

/**
 * Describes a network namespace to the simulated host, until the disposal.
 *
 * @param id Its GUID.
 * @param endpoints As `sim/network.ts` reads them.
 */
export async function describeNamespace(
  { dir }: Rig,
  id: string,
  endpoints: readonly unknown[],
): Promise<AsyncDisposable> {
  const folder = `${dir}/lcow/n`;
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/${id.toLowerCase()}.json`;
  await Deno.writeTextFile(path, JSON.stringify({ endpoints }));
  return {
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Creates the container of a bundle. */
export async function create(
  client: TtrpcClient,
  bundle: Bundle,
): Promise<void> {
  await client.call(TaskV3, "Create", {
    id: bundle.id,
    bundle: bundle.path,
    rootfs: [...bundle.mounts],
    stdin: bundle.stdin,
    stdout: bundle.stdout,
  });
}
