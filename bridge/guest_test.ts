import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type Duplex,
  type DuplexListener,
  memoryPair,
} from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResult, HResultError } from "../base/hresult.ts";
import { silentLogger as log } from "../base/log.ts";
import { GuestConnection } from "./connection.ts";
import { fakeHandlers } from "./fake_handlers.ts";
import { BridgeGuest } from "./guest.ts";
import type { GuestHandlers } from "./handlers.ts";
import {
  type Capabilities,
  ContainerDocument,
  type ContainerNotification,
  type ExecuteProcessRequest,
  ProcessParameters,
} from "./messages.gen.ts";
import { GuestBridge } from "./server.ts";

const nothing = { stdin: false, stdout: false, stderr: false };
const all = { stdin: true, stdout: true, stderr: true };

const document: ContainerDocument = {
  SchemaVersion: { Major: 2, Minor: 1 },
  OciBundlePath: "/run/gcs/pods/pod1/web",
  OciSpecification: {
    process: { rlimits: [{ hard: 18446744073709551615n }] },
  },
  ScratchDirPath: "/run/gcs/scratch/pod1/web",
};

function exitOf(id: string): ContainerNotification {
  return {
    ContainerId: id,
    ActivityId: nullGuid,
    Type: "UnexpectedExit",
    Operation: "None",
    Result: 0,
  };
}

/** The ports of one VM: what the host listens on, the guest dials. */
class Ports {
  readonly listening = new Map<number, PromiseWithResolvers<Duplex>>();

  listen(port: number): Promise<DuplexListener> {
    const dialled = Promise.withResolvers<Duplex>();
    const closed = Promise.withResolvers<never>();
    dialled.promise.catch(() => {});
    closed.promise.catch(() => {});
    this.listening.set(port, dialled);
    return Promise.resolve({
      accept: (signal) => {
        const aborted = Promise.withResolvers<never>();
        signal?.addEventListener("abort", () => aborted.reject(signal.reason));
        return Promise.race([
          dialled.promise,
          closed.promise,
          aborted.promise,
        ]);
      },
      close: () => {
        this.listening.delete(port);
        closed.reject(new ShimError("Unavailable", "listener closed"));
        return Promise.resolve();
      },
    });
  }

  dial(port: number): Duplex {
    const [theirs, ours] = memoryPair();
    const waiting = this.listening.get(port);
    if (waiting === undefined) throw new Error(`nobody listens on ${port}`);
    waiting.resolve(theirs);
    return ours;
  }
}

interface Pair extends AsyncDisposable {
  readonly guest: BridgeGuest;
  readonly ports: Ports;
  readonly bridge: GuestBridge;
  readonly connection: GuestConnection;
}

/** Both sides of a bridge; the guest does what `handlers` say. */
async function connect(
  handlers: (ports: Ports) => Partial<GuestHandlers>,
  capabilities?: Capabilities,
): Promise<Pair> {
  const ports = new Ports();
  const bridge = new GuestBridge(fakeHandlers(handlers(ports)), {
    log,
    ...(capabilities && { capabilities }),
  });
  const [host, guest] = memoryPair();
  const served = bridge.serve(guest);
  const connection = await GuestConnection.open(host, { log });
  return {
    guest: new BridgeGuest(connection, (port) => ports.listen(port)),
    ports,
    bridge,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await served;
    },
  };
}

async function textOf(stream: Duplex | undefined): Promise<string> {
  const buffer = new Uint8Array(64);
  let text = "";
  for (let n; (n = await stream?.read(buffer) ?? null) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("host:M13 createContainer() sends the document unchanged, and terminated follows the notification", async () => {
  let received: ContainerDocument | undefined;
  await using pair = await connect(() => ({
    Create: ({ ContainerConfig }) => {
      received = ContainerDocument.parse(ContainerConfig);
      return Promise.resolve();
    },
    Start: () => Promise.resolve(),
  }));
  const container = await pair.guest.createContainer("web", document);
  assertEquals(received, document);
  await container.start();
  const again = await assertRejects(
    () => pair.guest.createContainer("web", document),
    ShimError,
  );
  assertEquals(again.code, "AlreadyExists");
  pair.bridge.notify(exitOf("web"));
  await container.terminated;
});

Deno.test("a container whose create failed can be created again", async () => {
  let refuse = true;
  await using pair = await connect(() => ({
    Create: () =>
      refuse
        ? Promise.reject(new ShimError("Unknown", "crun failed"))
        : Promise.resolve(),
  }));
  await assertRejects(
    () => pair.guest.createContainer("web", document),
    HResultError,
    "guest RPC failure: crun failed",
  );
  refuse = false;
  const container = await pair.guest.createContainer("web", document);
  container.close();
  await container.terminated;
});

Deno.test("host:M16 execute() offers ports in the order stdin, stdout, stderr, and relays the streams", async () => {
  const requests: ExecuteProcessRequest[] = [];
  const exit = Promise.withResolvers<number>();
  await using pair = await connect((ports) => ({
    ExecuteProcess: async (request) => {
      requests.push(request);
      const { StdIn = 0, StdOut = 0, StdErr = 0 } =
        request.Settings.VsockStdioRelaySettings ?? {};
      const [stdin, stdout, stderr] = [StdIn, StdOut, StdErr].map((port) =>
        ports.dial(port)
      );
      await stderr?.write(bytes("oops"));
      await stderr?.closeWrite();
      textOf(stdin).then(async (input) => {
        await stdout?.write(bytes(input.toUpperCase()));
        await stdout?.closeWrite();
        exit.resolve(5);
      });
      return { ProcessId: 103 };
    },
    WaitForProcess: async ({ ProcessId, TimeoutInMs }) => {
      assertEquals([ProcessId, TimeoutInMs], [103, 0xffffffff]);
      return { ExitCode: await exit.promise };
    },
  }));
  const process = await pair.guest.execute("web", {
    OciProcess: { args: ["cat"] },
  }, all);
  const { Settings } = requests[0]!;
  assertEquals(Settings.VsockStdioRelaySettings, {
    StdIn: 0x40000001,
    StdOut: 0x40000002,
    StdErr: 0x40000003,
  });
  assertEquals(ProcessParameters.parse(Settings.ProcessParameters), {
    OciProcess: { args: ["cat"] },
    CreateStdInPipe: true,
    CreateStdOutPipe: true,
    CreateStdErrPipe: true,
  });
  assertEquals(process.pid, 103);
  await process.stdin?.write(bytes("hello"));
  await process.closeStdin();
  await process.closeStdin();
  assertEquals(await textOf(process.stdout), "HELLO");
  assertEquals(await textOf(process.stderr), "oops");
  assertEquals(await process.exited, 5);
  assertEquals(pair.ports.listening.size, 0); // each listener took one dial
  await process.close();
  await process.close();
});

Deno.test("execute() without streams sends no flags and no ports, and takes no port", async () => {
  const settings: unknown[] = [];
  await using pair = await connect(() => ({
    ExecuteProcess: ({ Settings }) => {
      settings.push(Settings);
      return Promise.resolve({ ProcessId: 1 });
    },
    WaitForProcess: () => Promise.resolve({ ExitCode: 0xffffffff }),
  }));
  const process = await pair.guest.execute("web", {}, nothing);
  assertEquals(settings, [{
    ProcessParameters: "{}",
    VsockStdioRelaySettings: {},
  }]);
  assertEquals([process.stdin, process.stdout, process.stderr], [
    undefined,
    undefined,
    undefined,
  ]);
  const error = await assertRejects(() => process.closeStdin(), ShimError);
  assertEquals(error.code, "FailedPrecondition");
  assertEquals(await process.exited, 0xffffffff);
  await pair.guest.execute("web", {}, { ...nothing, stdout: true });
  assertEquals([...pair.ports.listening.keys()], [0x40000001]);
});

Deno.test("execute() closes its listeners when the guest refuses, and when a port cannot be had", async () => {
  await using pair = await connect(() => ({}));
  await assertRejects(
    () => pair.guest.execute("web", {}, all),
    HResultError,
    "guest RPC failure",
  );
  assertEquals(pair.ports.listening.size, 0);
  const guest = new BridgeGuest(
    pair.connection,
    (port) =>
      port === 0x40000003
        ? Promise.reject(new ShimError("AlreadyExists", "port in use"))
        : pair.ports.listen(port),
  );
  await assertRejects(
    () => guest.execute("web", {}, all),
    ShimError,
    "port in use",
  );
  assertEquals(pair.ports.listening.size, 0);
});

Deno.test("execute() fails with ResourceExhausted when all ports have been used", async () => {
  await using pair = await connect(() => ({}));
  const guest = new BridgeGuest(
    pair.connection,
    (port) => pair.ports.listen(port),
    { firstPort: 0xffffffff },
  );
  const error = await assertRejects(
    () => guest.execute("web", {}, all),
    ShimError,
  );
  assertEquals(error.code, "ResourceExhausted");
  assertEquals(pair.ports.listening.size, 0);
});

const silentProcess: Partial<GuestHandlers> = {
  ExecuteProcess: () => Promise.resolve({ ProcessId: 9 }),
  WaitForProcess: (_request, { signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    ),
};

Deno.test("host:M20 reads and writes wait for the guest's dial, and a close ends the wait", async () => {
  await using pair = await connect(() => silentProcess);
  const process = await pair.guest.execute("web", {}, all);
  const read = process.stdout?.read(new Uint8Array(8));
  const write = process.stdin?.write(bytes("x"));
  const half = process.closeStdin();
  const refused = assertRejects(() => write!, ShimError, "closed");
  await process.close();
  assertEquals(await read, null);
  await refused;
  await half;
  assertEquals(pair.ports.listening.size, 0);
});

Deno.test("host:M17 the loss of the bridge rejects exited and ends the wait for dials", async () => {
  await using pair = await connect(() => silentProcess);
  const process = await pair.guest.execute("web", {}, all);
  const read = process.stdout?.read(new Uint8Array(8));
  await pair.connection.close();
  const error = await assertRejects(() => process.exited, ShimError);
  assertEquals(error.code, "Unavailable");
  assertStringIncludes(error.message, "bridge closed");
  assertEquals(await read, null);
  assertEquals(await pair.guest.ended, {});
  await process.close();
});

Deno.test("exited is 0 when the guest does not know the process any more, and fails for other errors", async () => {
  const errors = [
    new HResultError(HResult.ElementNotFound, "process 9"),
    new HResultError(HResult.SystemNotFound, "container web"),
  ];
  await using pair = await connect(() => ({
    ExecuteProcess: () => Promise.resolve({ ProcessId: 9 }),
    WaitForProcess: () => Promise.reject(errors.shift()),
  }));
  const first = await pair.guest.execute("web", {}, nothing);
  assertEquals(await first.exited, 0);
  const second = await pair.guest.execute("web", {}, nothing);
  const error = await assertRejects(() => second.exited, HResultError);
  assertEquals(error.code, "NotFound");
});

Deno.test("signal() names the signal, leaves it out for a kill, and tells when nothing was there", async () => {
  const options: unknown[] = [];
  let failure: Error | undefined;
  await using pair = await connect(() => ({
    ...silentProcess,
    SignalProcess: ({ Options }) => {
      options.push(Options);
      return failure ? Promise.reject(failure) : Promise.resolve();
    },
  }));
  const process = await pair.guest.execute("web", {}, nothing);
  assertEquals(await process.signal(15), true);
  assertEquals(await process.signal(), true);
  assertEquals(options, [{ Signal: 15 }, undefined]);
  failure = new HResultError(HResult.ElementNotFound, "process 9");
  assertEquals(await process.signal(9), false);
  failure = new Error("kill failed");
  await assertRejects(() => process.signal(9), HResultError, "kill failed");
});

Deno.test("signal() of a guest that can only kill sends no signal, and refuses others", async () => {
  const options: unknown[] = [];
  await using pair = await connect(
    () => ({
      ...silentProcess,
      SignalProcess: ({ Options }) => {
        options.push(Options);
        return Promise.resolve();
      },
    }),
    { RuntimeOsType: "Linux", GuestDefinedCapabilities: {} },
  );
  const process = await pair.guest.execute("web", {}, nothing);
  for (const signal of [6, 9, 15]) assert(await process.signal(signal));
  assertEquals(options, [undefined, undefined, undefined]);
  const error = await assertRejects(() => process.signal(1), ShimError);
  assertEquals(error.code, "InvalidArgument");
  assertStringIncludes(error.message, "invalid signal");
  // Neither is asked of a guest that cannot.
  await pair.guest.deleteContainerState("web");
  assertEquals(await pair.guest.dumpStacks(), "");
});

Deno.test("resize() sends rows as height and columns as width", async () => {
  const sizes: unknown[] = [];
  await using pair = await connect(() => ({
    ...silentProcess,
    ResizeConsole: ({ ProcessId, Height, Width }) => {
      sizes.push({ ProcessId, Height, Width });
      return Promise.resolve();
    },
  }));
  const process = await pair.guest.execute("web", {}, nothing);
  await process.resize(97, 31);
  assertEquals(sizes, [{ ProcessId: 9, Height: 31, Width: 97 }]);
});

Deno.test("modify(), properties(), deleteContainerState() and dumpStacks() reach the guest and come back", async () => {
  const seen: unknown[] = [];
  await using pair = await connect(() => ({
    ModifySettings: ({ Request }, { containerId }) => {
      seen.push([containerId, Request]);
      return Promise.resolve();
    },
    GetProperties: ({ Query }) => {
      seen.push(Query);
      return Promise.resolve({
        Properties:
          '{"LCOWMetrics":{"memory":{"usage":{"limit":18446744073709551615}}}}',
      });
    },
    DeleteContainerState: (_request, { containerId }) => {
      seen.push(containerId);
      return Promise.resolve();
    },
    DumpStacks: () => Promise.resolve({ GuestStacks: "all is quiet" }),
  }));
  const request = {
    ResourceType: "SCSIDevice",
    RequestType: "Remove",
    Settings: { Lun: 3 },
  };
  await pair.guest.modify(request);
  await pair.guest.modify(request, "web");
  const { LCOWMetrics } = await pair.guest.properties("web", ["Statistics"]);
  assertEquals(LCOWMetrics?.memory?.usage?.limit, 18446744073709551615n);
  await pair.guest.deleteContainerState("web");
  assertEquals(await pair.guest.dumpStacks(), "all is quiet");
  assertEquals(seen, [
    [nullGuid, request],
    ["web", request],
    '{"PropertyTypes":["Statistics"]}',
    "web",
  ]);
});

Deno.test("properties that are not JSON fail that call alone", async () => {
  await using pair = await connect(() => ({
    GetProperties: () => Promise.resolve({ Properties: "" }),
    Start: () => Promise.resolve(),
  }));
  const error = await assertRejects(
    () => pair.guest.properties("web", []),
    ShimError,
  );
  assertEquals(error.code, "Internal");
  await pair.connection.call("Start", "web", {});
});
