import { assertEquals, assertRejects } from "@std/assert";
import { ShimError } from "../base/errors.ts";
import { SandboxNetwork } from "./sandbox_network.ts";

const never = new AbortController().signal;

/** A network whose setup the test ends, and the creates that it has begun. */
class Scene {
  readonly begun: string[] = [];
  readonly creates: PromiseWithResolvers<void>[] = [];
  setups = 0;
  network: SandboxNetwork;

  constructor(setup: () => Promise<void> = () => Promise.resolve()) {
    this.network = new SandboxNetwork({
      namespaceId: "ns1",
      setup: () => {
        this.setups++;
        return setup();
      },
      teardown: () => Promise.resolve(),
    });
  }

  /** A create that waits until the test ends it. */
  join(id: string, signal = never): Promise<void> {
    return this.network.join((namespaceId) => {
      this.begun.push(`${id} names "${namespaceId}"`);
      const create = Promise.withResolvers<void>();
      this.creates.push(create);
      return create.promise;
    }, signal);
  }

  /** Lets everything that can go on do so. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  /** What began since the last time. */
  async began(): Promise<string[]> {
    await this.settle();
    return this.begun.splice(0);
  }
}

Deno.test("the first container of a network names it, those that come meanwhile wait and name nothing", async () => {
  const scene = new Scene();
  const all = ["a", "b", "c"].map((id) => scene.join(id));
  assertEquals(await scene.began(), ['a names "ns1"']);
  scene.creates[0]!.resolve();
  assertEquals(await scene.began(), ['b names ""', 'c names ""']);
  for (const { resolve } of scene.creates) resolve();
  await Promise.all(all);
  assertEquals(scene.setups, 1);
});

Deno.test("the next container names a network when the first one could not be created", async () => {
  const scene = new Scene();
  const first = scene.join("a");
  const others = ["b", "c"].map((id) => scene.join(id));
  await scene.settle();
  scene.creates[0]!.reject(new ShimError("Internal", "injected"));
  await assertRejects(() => first, ShimError, "injected");
  assertEquals(await scene.began(), ['a names "ns1"', 'b names "ns1"']);
  scene.creates[1]!.resolve();
  assertEquals(await scene.began(), ['c names ""']);
  scene.creates[2]!.resolve();
  await Promise.all(others);
});

Deno.test("a container whose client goes away waits neither for adapters nor for the first container", async () => {
  const adapters = Promise.withResolvers<void>();
  const scene = new Scene(() => adapters.promise);
  const gone = new AbortController();
  const early = scene.join("a", gone.signal);
  gone.abort(new ShimError("Canceled", "gone"));
  await assertRejects(() => early, ShimError, "gone");
  adapters.resolve();
  const first = scene.join("b");
  assertEquals(await scene.began(), ['b names "ns1"']);
  const late = new AbortController();
  const waiting = scene.join("c", late.signal);
  await scene.settle();
  late.abort(new ShimError("Canceled", "gone too"));
  await assertRejects(() => waiting, ShimError, "gone too");
  scene.creates[0]!.resolve();
  await first;
  assertEquals(await scene.began(), []);
});

Deno.test("adapters that could not be had fail every container, and are asked for once", async () => {
  const scene = new Scene(() =>
    Promise.reject(new ShimError("NotFound", "no such namespace"))
  );
  await assertRejects(() => scene.network.setup(never), ShimError, "no such");
  await assertRejects(() => scene.join("a"), ShimError, "no such");
  assertEquals([scene.setups, await scene.began()], [1, []]);
});
