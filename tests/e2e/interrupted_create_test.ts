import { assertEquals } from "@std/assert";
import { systemClock } from "../../base/clock.ts";
import { classify } from "../../base/errors.ts";
import { libc } from "../../ffi/linux/libc.ts";
import { stateFolders } from "../../sim/state.ts";
import { Sandbox } from "../../ttrpc/api/sandbox.gen.ts";
import { TaskV3 } from "../../ttrpc/api/task.gen.ts";
import type { TtrpcClient } from "../../ttrpc/client.ts";
import { type Holdings, holdings } from "../machine.ts";
import { processesOf } from "../processes.ts";
import { limit } from "./fixture.ts";
import { create, type Rig, rig } from "./sandbox_fixture.ts";

// Opened outside of the test, whose sanitizers would miss its closing.
Deno.test.beforeAll(() => {
  libc();
});

/** Creates that are interrupted, of which some run at once. */
const creates = 60;
const atOnce = 4;

/** Within this time a create is over, on an idle machine; in milliseconds. */
const span = 120;

/** Deletes a container that was made or not; one that is in the making is waited for. */
async function remove(client: TtrpcClient, id: string): Promise<void> {
  for (;;) {
    try {
      await client.call(TaskV3, "Delete", { id });
      return;
    } catch (error) {
      const code = classify(error);
      if (code === "NotFound") return;
      assertEquals(code, "FailedPrecondition");
    }
  }
}

/** The client goes away some time after the shim has its request. */
async function interruptedCreate(
  { client, connect, member }: Rig,
  id: string,
  delay: number,
): Promise<void> {
  const bundle = await member(id);
  const leaving = await connect();
  const over = create(leaving, bundle).catch(() => {}); // its client is gone
  // Requests are taken in their order: with this answer the create has begun.
  await leaving.call(TaskV3, "Connect", { id: "pod" }).catch(() => {});
  await systemClock.sleep(delay);
  await leaving.close();
  await over;
  await remove(client, id);
}

Deno.test({
  name:
    "a client that leaves in the middle of a create, at whatever moment, leaves nothing in the pod",
  timeout: limit,
  fn: async () => {
    await using it = await rig("pod");
    const { client, dir } = it;
    await client.call(Sandbox, "CreateSandbox", {
      sandboxId: "pod",
      bundlePath: dir,
    });
    await client.call(Sandbox, "StartSandbox", { sandboxId: "pod" });
    // Connections end a moment after their clients: descriptors are the soak's.
    const held = async (): Promise<Holdings> => {
      const state = stateFolders(`${dir}/lcow`);
      const all = await holdings(await processesOf(state, "pod"));
      return Object.fromEntries(
        Object.entries(all).filter(([kind]) => !kind.startsWith("descriptors")),
      );
    };
    // The first container of a pod makes what the others find.
    await create(client, await it.member("first"));
    await remove(client, "first");
    const before = await held();
    for (let i = 0; i < creates; i += atOnce) {
      await Promise.all(
        Array.from(
          { length: atOnce },
          (_, k) =>
            interruptedCreate(
              it,
              `c${i + k}`,
              (i + k) * span / creates,
            ),
        ),
      );
    }
    assertEquals(await held(), before);
  },
});
