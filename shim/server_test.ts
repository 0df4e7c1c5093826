import { assertEquals } from "@std/assert";
import { memoryPair } from "../base/duplex.ts";
import { Sandbox } from "../ttrpc/api/sandbox.gen.ts";
import { TaskV2, TaskV3 } from "../ttrpc/api/task.gen.ts";
import { TtrpcClient } from "../ttrpc/client.ts";
import { ttrpcLimits } from "../ttrpc/limits.ts";
import { serverOf } from "./server.ts";
import { refuses, withTasks } from "./services/task_scene.ts";

Deno.test("a container can be ended over a connection that is full of waits for it", async () => {
  await withTasks(async (scene) => {
    await scene.run("web");
    const server = serverOf(scene.shim, { namespace: "n", key: "web" });
    const [near, far] = memoryPair();
    server.handle(far);
    const client = new TtrpcClient(near);
    const id = "web";
    const { calls, callsBesideWaits } = ttrpcLimits;
    const waits = Array.from(
      { length: calls - callsBesideWaits },
      () => client.call(TaskV3, "Wait", { id }),
    );
    const full = (wait: Promise<unknown>) => refuses(wait, "ResourceExhausted");
    await full(client.call(TaskV3, "Wait", { id }));
    await full(client.call(TaskV2, "Wait", { id }));
    await full(client.call(Sandbox, "WaitSandbox", { sandboxId: id }));
    await client.call(TaskV3, "State", { id });
    await client.call(TaskV3, "Kill", { id, signal: 9 });
    await scene.lastProcess.exit(137);
    const exits = await Promise.all(waits);
    assertEquals(new Set(exits.map((exit) => exit.exitStatus)), new Set([137]));
    await client.call(TaskV3, "Delete", { id });
    await client.close();
    await server.shutdown();
  });
});
