import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, runReady } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import { defaultTimeouts } from "../base/timeouts.ts";
import { PendingFiles } from "../base/pending_files.ts";
import type {
  ComputeSystem,
  ComputeSystemSummary,
  ExitInfo,
} from "../hcs/ports.ts";
import { DeleteResponse, TaskV3 } from "../ttrpc/api/task.gen.ts";
import { TtrpcServer } from "../ttrpc/server.ts";
import { parseArguments } from "./args.ts";
import { deleteTask, maxPanicBytes, readBounded } from "./delete.ts";
import { FakePlatform } from "./fake_platform.ts";
import { withBundle } from "./testing.ts";
import { readVmRecord, writeVmRecord } from "./vm_record.ts";

/** A compute service with at most one system. */
class OneSystem {
  terminated = 0;
  closed = 0;
  loads = 0;
  /** Whether a terminate ends it; otherwise the test says when. */
  endsOnTerminate = true;
  readonly #exited = Promise.withResolvers<ExitInfo>();
  readonly #row: ComputeSystemSummary | undefined;

  constructor(row?: Partial<ComputeSystemSummary>) {
    this.#row = row && {
      Id: "web@vm",
      Owner: "containerd-shim-lcow-v2",
      RuntimeId: "aaaaaaaa-0000-0000-0000-000000000001",
      State: "Running",
      ...row,
    };
  }

  open(id: string): Promise<ComputeSystem> {
    const row = this.#row;
    if (row?.Id !== id) {
      return Promise.reject(
        new HResultError(HResult.SystemNotFound, `Cannot open "${id}"`),
      );
    }
    return Promise.resolve({
      id,
      runtimeId: row.RuntimeId,
      start: () => Promise.reject(new Error("unused")),
      modify: () => Promise.reject(new Error("unused")),
      properties: () => Promise.reject(new Error("unused")),
      terminate: () => {
        this.terminated++;
        if (this.endsOnTerminate) this.exit();
        return Promise.resolve();
      },
      exited: this.#exited.promise,
      close: () => Promise.resolve(void this.closed++),
    });
  }

  /** It ends. */
  exit(): void {
    this.#exited.resolve({ status: 0, exitType: "ForcedExit" });
  }

  enumerate(): Promise<ComputeSystemSummary[]> {
    return Promise.resolve(this.#row === undefined ? [] : [this.#row]);
  }
}

interface Outcome {
  readonly response: DeleteResponse;
  readonly warnings: readonly string[];
  readonly platform: FakePlatform;
}

async function run(
  bundle: string,
  compute: OneSystem,
  platform: FakePlatform = new FakePlatform(),
  flags: readonly string[] = ["-bundle", bundle],
  clock: FakeClock = new FakeClock(),
): Promise<Outcome> {
  const warnings: string[] = [];
  const args = ["-namespace", "n", "-id", "web", ...flags, "delete"];
  const bytes = await deleteTask(parseArguments(args), {
    platform,
    compute: () => {
      compute.loads++;
      return Promise.resolve(compute);
    },
    warn: (line) => warnings.push(line),
    clock,
    timeouts: defaultTimeouts,
  });
  return { response: DeleteResponse.decode(bytes), warnings, platform };
}

const record = {
  systemId: "web@vm",
  owner: "containerd-shim-lcow-v2",
  shimPid: 1,
  shimStarted: "2026-01-01T00:00:00.000Z",
};

const member = JSON.stringify({
  annotations: {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-id": "pod1",
  },
});

Deno.test("pains:2 deleteTask() terminates the system of the bundle's record and answers", async () => {
  await withBundle({}, async (bundle) => {
    const compute = new OneSystem({});
    const runtimeId = "AAAAAAAA-0000-0000-0000-000000000001";
    await writeVmRecord(bundle, { ...record, runtimeId });
    const { response, warnings, platform } = await run(bundle, compute);
    assertEquals([response.pid, response.exitStatus], [0, 255]);
    assertEquals(response.exitedAt?.seconds, 1_700_000_000n);
    assertEquals([compute.terminated, compute.closed], [1, 1]);
    assertEquals(warnings, []);
    assertEquals(platform.cleaned, ["n/web"]);
  });
});

Deno.test("deleteTask() frees the endpoint when the system has ended, not before", async () => {
  await withBundle({}, async (bundle) => {
    using files = new PendingFiles();
    const compute = new OneSystem({});
    compute.endsOnTerminate = false;
    const platform = new FakePlatform();
    const flags = ["-bundle", bundle];
    const deleted = run(bundle, compute, platform, flags, files.clock);
    await files.clock.advance(0);
    const { terminated, closed } = compute;
    assertEquals([terminated, closed, platform.cleaned], [1, 0, []]);
    compute.exit();
    const { warnings } = await deleted;
    assertEquals([compute.closed, platform.cleaned], [1, ["n/web"]]);
    assertEquals([warnings, files.clock.sleepers], [[], 0]);
  });
});

Deno.test("deleteTask() lets go of a system that does not end, and answers in time", async () => {
  await withBundle({}, async (bundle) => {
    using files = new PendingFiles();
    const compute = new OneSystem({});
    compute.endsOnTerminate = false;
    const platform = new FakePlatform();
    const flags = ["-bundle", bundle];
    const deleted = run(bundle, compute, platform, flags, files.clock);
    await files.clock.advance(defaultTimeouts.binaryDelete);
    const { response, warnings } = await deleted;
    assertEquals([response.exitStatus, warnings.length], [255, 1]);
    assertEquals([compute.closed, platform.cleaned], [1, []]);
  });
});

Deno.test("deleteTask() leaves a system alone whose RuntimeId is another", async () => {
  await withBundle({}, async (bundle) => {
    const compute = new OneSystem({});
    await writeVmRecord(bundle, { ...record, runtimeId: "another" });
    const { response, warnings } = await run(bundle, compute);
    assertEquals(response.exitStatus, 255);
    assertEquals([compute.terminated, compute.closed], [0, 1]);
    assertEquals(warnings.length, 1);
  });
});

Deno.test("deleteTask() without a record terminates a system of our name and owner", async () => {
  await withBundle({}, async (bundle) => {
    const compute = new OneSystem({});
    await run(bundle, compute);
    assertEquals(compute.terminated, 1);
  });
});

Deno.test("deleteTask() without a record leaves a foreign owner's system alone", async () => {
  await withBundle({}, async (bundle) => {
    const compute = new OneSystem({ Owner: "docker" });
    const { warnings } = await run(bundle, compute);
    assertEquals(compute.terminated, 0);
    assertEquals(warnings[0]?.includes('"docker"'), true);
  });
});

Deno.test("deleteTask() without a record touches nothing while the endpoint answers", async () => {
  await withBundle({}, async (bundle) => {
    const compute = new OneSystem({});
    const platform = new FakePlatform();
    const listener = await platform.listen("memory://n/web");
    await run(bundle, compute, platform);
    assertEquals([compute.terminated, compute.loads], [0, 0]);
    assertEquals(platform.cleaned, []);
    await listener.close();
  });
});

/** A shim that is still there; it notes how it is asked to end. */
async function withLivingShim(
  task: (
    platform: FakePlatform,
    asked: unknown[],
    server: TtrpcServer,
  ) => Promise<void>,
): Promise<void> {
  const platform = new FakePlatform();
  const clock = new FakeClock();
  const asked: unknown[] = [];
  const server = new TtrpcServer({ log: silentLogger, clock });
  server.register(TaskV3, {
    Shutdown: ({ id, now }) => {
      asked.push({ id, now });
      return Promise.resolve({});
    },
  });
  const served = server.serve(await platform.listen("memory://n/web"));
  try {
    await task(platform, asked, server);
  } finally {
    await server.close();
    await served;
  }
}

Deno.test("pains:7 deleteTask() asks a shim that outlives its VM to end", async () => {
  await withBundle({}, async (bundle) => {
    await withLivingShim(async (platform, asked, server) => {
      const compute = new OneSystem({});
      const runtimeId = "AAAAAAAA-0000-0000-0000-000000000001";
      await writeVmRecord(bundle, { ...record, runtimeId });
      const { warnings } = await run(bundle, compute, platform);
      assertEquals([compute.terminated, warnings], [1, []]);
      assertEquals(asked, [{ id: "web", now: true }]);
      await runReady();
      assertEquals(server.connections, 0);
      // Its endpoint is its own business.
      assertEquals(platform.cleaned, []);
    });
    await withLivingShim(async (platform, asked) => {
      const compute = new OneSystem({});
      const ended = "2026-01-01T00:01:00.000Z";
      await writeVmRecord(bundle, { ...record, ended });
      await run(bundle, compute, platform);
      assertEquals([compute.loads, asked.length], [0, 1]);
    });
  });
});

Deno.test("deleteTask() of a pod's member never looks for a VM", async () => {
  await withBundle({ "config.json": member }, async (bundle) => {
    const compute = new OneSystem({});
    const { response, platform } = await run(bundle, compute);
    assertEquals(response.exitStatus, 255);
    assertEquals([compute.loads, platform.cleaned.length], [0, 0]);
  });
});

Deno.test("deleteTask() does not look for a VM that is known to have ended", async () => {
  await withBundle({}, async (bundle) => {
    const compute = new OneSystem({});
    await writeVmRecord(bundle, { ...record, ended: "2026-01-01T00:00:01Z" });
    await run(bundle, compute);
    assertEquals(compute.loads, 0);
  });
});

Deno.test("deleteTask() succeeds when the system is gone", async () => {
  await withBundle({}, async (bundle) => {
    await writeVmRecord(bundle, { ...record, runtimeId: "x" });
    const { warnings } = await run(bundle, new OneSystem());
    assertEquals(warnings, []);
  });
});

Deno.test("peer:binary-delete deleteTask() answers with the flags that containerd passes, with a bundle and without", async () => {
  await withBundle({}, async (bundle) => {
    for (
      const flags of [
        ["-bundle", bundle],
        ["-address", "\\\\.\\pipe\\containerd", "-bundle", bundle],
        [],
      ]
    ) {
      const { response, warnings, platform } = await run(
        bundle,
        new OneSystem(),
        new FakePlatform(),
        flags,
      );
      assertEquals([response.pid, response.exitStatus], [0, 255]);
      assertEquals([warnings, platform.cleaned], [[], ["n/web"]]);
    }
  });
});

Deno.test("deleteTask() answers whatever is wrong, and says it", async () => {
  const files = { "config.json": "{", "vm.json": "{", "panic.log": "" };
  await withBundle(files, async (bundle) => {
    const compute = new OneSystem({});
    const { response, warnings, platform } = await run(bundle, compute);
    assertEquals(response.exitStatus, 255);
    assertEquals(warnings.length, 2);
    // What can be known without the files is cleaned up all the same.
    assertEquals([compute.terminated, platform.cleaned], [1, ["n/web"]]);
  });
  const { response } = await run("/no/such/bundle", new OneSystem());
  assertEquals(response.exitStatus, 255);
});

Deno.test("deleteTask() passes the first MiB of panic.log on", async () => {
  const files = { "panic.log": "x".repeat(maxPanicBytes + 10) };
  await withBundle(files, async (bundle) => {
    const { warnings } = await run(bundle, new OneSystem());
    assertEquals(warnings.length, 2);
    assertEquals(warnings[0]?.match(/x/g)?.length, maxPanicBytes);
  });
});

Deno.test("host:A1 readBounded() returns only the first bytes of a longer file", async () => {
  await withBundle({ a: "hello" }, async (dir) => {
    assertEquals(
      await readBounded(`${dir}/a`, 2),
      new TextEncoder().encode("he"),
    );
  });
});

Deno.test("host:A2 readBounded() returns everything when the limit exceeds the size", async () => {
  await withBundle({ a: "hello" }, async (dir) => {
    assertEquals(
      await readBounded(`${dir}/a`, 100),
      new TextEncoder().encode("hello"),
    );
  });
});

Deno.test("host:A3 readBounded() of a missing file fails", async () => {
  await assertRejects(
    () => readBounded("/no/such/file", 1),
    Deno.errors.NotFound,
  );
});

Deno.test("readVmRecord() gives back what writeVmRecord() wrote, and nothing for a missing file", async () => {
  await withBundle({}, async (dir) => {
    assertEquals(await readVmRecord(dir), undefined);
    await writeVmRecord(dir, { ...record, runtimeId: "r" });
    assertEquals(await readVmRecord(dir), { ...record, runtimeId: "r" });
  });
});
