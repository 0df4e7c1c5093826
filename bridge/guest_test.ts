import { assertEquals, assertRejects } from "@std/assert";
import { type Duplex, memoryPair } from "../base/duplex.ts";
import { ShimError } from "../base/errors.ts";
import { nullGuid } from "../base/guid.ts";
import { HResultError } from "../base/hresult.ts";
import { BridgeGuest } from "./guest.ts";
import {
  ContainerDocument,
  type ContainerNotification,
  type ExecuteProcessRequest,
  ProcessParameters,
} from "./messages.gen.ts";
import { linkGuest } from "./linked_guest.ts";

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
  await using pair = await linkGuest(() => ({
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
  await using pair = await linkGuest(() => ({
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
  await using pair = await linkGuest((ports) => ({
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
  await using pair = await linkGuest(() => ({
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
  await using pair = await linkGuest(() => ({}));
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

Deno.test("execute() that fails closes every stream, also when one cannot be closed, and tells what failed first", async () => {
  await using pair = await linkGuest(() => ({
    ExecuteProcess: () => Promise.reject(new ShimError("Unknown", "no crun")),
  }));
  const closed: number[] = [];
  const guest = new BridgeGuest(pair.connection, (port) =>
    Promise.resolve({
      accept: () =>
        Promise.resolve({
          ...memoryPair()[0],
          close: () => {
            closed.push(port);
            return Promise.reject(new Error("socket"));
          },
        }),
      close: () => Promise.resolve(),
    }));
  await assertRejects(
    () => guest.execute("web", {}, all),
    HResultError,
    "no crun",
  );
  assertEquals(closed.length, 3);
});

Deno.test("execute() fails with ResourceExhausted when all ports have been used", async () => {
  await using pair = await linkGuest(() => ({}));
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

Deno.test("modify(), properties(), deleteContainerState() and dumpStacks() reach the guest and come back", async () => {
  const seen: unknown[] = [];
  await using pair = await linkGuest(() => ({
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
  await using pair = await linkGuest(() => ({
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

Deno.test("pending lists the calls that the guest has not answered, until the bridge ends", async () => {
  const held = Promise.withResolvers<void>();
  await using pair = await linkGuest(() => ({
    Create: () => held.promise,
    DeleteContainerState: () => new Promise(() => {}),
  }));
  const { guest } = pair;
  const asked = (): string[] =>
    guest.pending.map(({ rpc, containerId }) => `${rpc} ${containerId}`);
  assertEquals(asked(), []);
  const created = guest.createContainer("web", document);
  assertEquals(asked(), ["Create web"]);
  const deleted = assertRejects(() => guest.deleteContainerState("old"));
  assertEquals(asked(), ["Create web", "DeleteContainerState old"]);
  held.resolve();
  (await created).close();
  assertEquals(asked(), ["DeleteContainerState old"]);
  await pair.connection.close();
  await deleted;
  assertEquals(asked(), []);
});
