/**
 * A sandbox service with a client, for tests.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { FakeShim } from "../fake_shim.ts";
import { withBundle } from "../testing.ts";
import { SandboxClient } from "./fake_client.ts";

/** Runs a test with one created sandbox, and ends the shim afterwards, with every wait. */
export async function withSandbox(
  task: (
    scene: FakeShim,
    client: SandboxClient,
    bundle: string,
  ) => Promise<void>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withBundle(files, async (bundle) => {
    const scene = new FakeShim();
    const client = new SandboxClient(scene.shim);
    await client.create("pod1", bundle);
    try {
      await task(scene, client, bundle);
    } finally {
      await scene.shim.end("test");
    }
    assertEquals(scene.clock.sleepers, 0, "waits are left behind the end");
  });
}
