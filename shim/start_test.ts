import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/clock.ts";
import { ShimError } from "../base/errors.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import {
  BootstrapParams,
  BootstrapResult,
} from "../ttrpc/api/bootstrap.gen.ts";
import { parseArguments } from "./args.ts";
import { FakePlatform } from "./fake_platform.ts";
import { start, type StartContext } from "./start.ts";
import { withBundle } from "./testing.ts";

const address = "memory://n/web";

interface Setting extends Partial<Omit<StartContext, "env" | "platform">> {
  readonly platform?: FakePlatform;
  readonly env?: Readonly<Record<string, string>>;
}

function run(bundle: string, setting: Setting = {}): Promise<string> {
  const args = parseArguments(
    ["-namespace", "n", "-id", "web", "-publish-binary", "containerd", "start"],
  );
  return start(args, {
    platform: new FakePlatform(),
    bundle,
    readInput: () => Promise.resolve(new Uint8Array()),
    containerdMajor: () => Promise.resolve(undefined),
    clock: new FakeClock(),
    timeouts: defaultTimeouts,
    ...setting,
    env: (name) => setting.env?.[name],
  }).then((bytes) => new TextDecoder().decode(bytes));
}

const member = JSON.stringify({
  annotations: {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-id": "pod1",
  },
});

Deno.test("start() bounds what serve waits for a collector, unless the operator does", async () => {
  const name = "OTEL_EXPORTER_OTLP_TIMEOUT";
  await withBundle({ "config.json": "{}" }, async (bundle) => {
    const platform = new FakePlatform();
    await run(bundle, { platform });
    await run(bundle, { platform, env: { [name]: "3000" } });
    const environments = platform.children.map(({ started }) => started[1].env);
    assertEquals(environments, [{ [name]: "1000" }, { [name]: "3000" }]);
  });
});

Deno.test("start() spawns serve in the bundle with the input of containerd and lets it live", async () => {
  await withBundle({ "config.json": "{}" }, async (bundle) => {
    const platform = new FakePlatform();
    const input = BootstrapParams.encode({ instanceId: "web", namespace: "n" });
    const answer = await run(bundle, {
      platform,
      readInput: () => Promise.resolve(input),
    });
    assertEquals(
      BootstrapResult.decode(new TextEncoder().encode(answer)).address,
      address,
    );
    const [child] = platform.children;
    assertEquals(child?.fate, ["released"]);
    const [args, options] = child!.started;
    const parsed = parseArguments(args);
    assertEquals(
      [parsed.mode, parsed.socket, parsed.bundle, parsed.id],
      ["serve", address, bundle, "web"],
    );
    assertEquals([options.cwd, options.stdin], [bundle, input]);
  });
});

Deno.test("start() answers containerd 1.6 with the plain address and writes the file address", async () => {
  await withBundle({}, async (bundle) => {
    assertEquals(await run(bundle), address);
    assertEquals(await Deno.readTextFile(`${bundle}/address`), address);
  });
});

Deno.test("start() asks containerd's version for the answer, and works without it", async () => {
  const env = { MAX_SHIM_VERSION: "2" };
  await withBundle({}, async (bundle) => {
    const major = (major?: number) =>
      run(bundle, { env, containerdMajor: () => Promise.resolve(major) });
    assertEquals(JSON.parse(await major(2)).version, 3);
    assertEquals(JSON.parse(await major(1)).version, 2);
    assertEquals(JSON.parse(await major(undefined)).version, 2);
  });
});

Deno.test("start() gives up on a version that does not come in time", async () => {
  await withBundle({}, async (bundle) => {
    const clock = new FakeClock();
    const { promise: asked, resolve } = Promise.withResolvers<AbortSignal>();
    const answer = run(bundle, {
      clock,
      env: { MAX_SHIM_VERSION: "2" },
      containerdMajor: (_path, signal) => {
        resolve(signal);
        return new Promise<never>(() => {});
      },
    });
    const signal = await asked;
    await clock.advance(defaultTimeouts.containerdVersion);
    assertEquals(JSON.parse(await answer).version, 2);
    assertEquals(signal.aborted, true);
  });
});

Deno.test("start() lets the operator force the version", async () => {
  const env = { MAX_SHIM_VERSION: "2", LCOW_BOOTSTRAP_VERSION: "3" };
  await withBundle({}, async (bundle) => {
    assertEquals(JSON.parse(await run(bundle, { env })).version, 3);
    await assertRejects(() => Deno.stat(`${bundle}/address`));
  });
});

Deno.test("start() of a pod's container answers the address of the running sandbox", async () => {
  await withBundle({ "config.json": member }, async (bundle) => {
    const platform = new FakePlatform();
    const listener = await platform.listen("memory://n/pod1");
    assertEquals(await run(bundle, { platform }), "memory://n/pod1");
    assertEquals(platform.children.length, 0);
    assertEquals(
      await Deno.readTextFile(`${bundle}/address`),
      "memory://n/pod1",
    );
    await listener.close();
  });
});

Deno.test("pains:13 start() reports a child that dies, kills it and cleans up", async () => {
  await withBundle({}, async (bundle) => {
    const platform = new FakePlatform();
    platform.onSpawn = (child) => child.die("no memory");
    const error = await assertRejects(
      () => run(bundle, { platform }),
      ShimError,
      "no memory",
    );
    assertEquals((error as ShimError).code, "Unavailable");
    assertEquals(platform.children[0]?.fate, ["killed"]);
    assertEquals(platform.cleaned, ["n/web"]);
  });
});

Deno.test("start() reuses the endpoint of a start that was faster", async () => {
  await withBundle({}, async (bundle) => {
    const platform = new FakePlatform();
    platform.onSpawn = async (child) => {
      await platform.listen(address);
      child.die("served already");
    };
    assertEquals(await run(bundle, { platform }), address);
  });
});

Deno.test("start() does not wait for ever for a child that is not ready", async () => {
  await withBundle({}, async (bundle) => {
    const clock = new FakeClock();
    const platform = new FakePlatform();
    const spawned = Promise.withResolvers<void>();
    platform.onSpawn = () => spawned.resolve();
    const answer = run(bundle, { platform, clock });
    answer.catch(() => {});
    await spawned.promise;
    while (clock.sleepers === 0) await clock.advance(0);
    await clock.advance(defaultTimeouts.serveReady);
    const error = await assertRejects(() => answer, ShimError, "30000 ms");
    assertEquals((error as ShimError).code, "DeadlineExceeded");
    assertEquals(platform.children[0]?.fate, ["killed"]);
  });
});

Deno.test("start() refuses garbage on its input and leaves no child", async () => {
  await withBundle({}, async (bundle) => {
    const platform = new FakePlatform();
    await assertRejects(
      () =>
        run(bundle, {
          platform,
          readInput: () => Promise.resolve(new TextEncoder().encode("xyz")),
        }),
      ShimError,
      "standard input",
    );
    assertEquals(platform.children[0]?.fate, ["killed"]);
  });
});
