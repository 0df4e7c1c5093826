/**
 * Runs under Wine: uses the fake DLLs, through the product's layers where it has
 * some, and prints what it saw as one line of JSON.
 *
 * Usage: `fakes_script.ts lifecycle|core|refused|operations|network`, or
 * `fakes_script.ts disk FILE`
 *
 * @module
 */

import { messageOf } from "../../base/errors.ts";
import { ComputeCore } from "../../ffi/windows/compute/computecore.ts";
import { systemComputeCore } from "../../ffi/windows/compute/computecore_library.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { systemVmCompute } from "../../ffi/windows/compute/vmcompute_library.ts";
import { systemOpener } from "../../ffi/windows/library/dll.ts";
import { encodeUtf16 } from "../../ffi/windows/library/utf16.ts";
import { ComputeNetwork } from "../../ffi/windows/network/computenetwork.ts";
import { systemComputeNetwork } from "../../ffi/windows/network/computenetwork_library.ts";
import {
  memoryEndpointIds,
  memoryNamespaceId,
  memoryNetworkId,
} from "./memory_network.ts";

const seen: Record<string, unknown> = {};

async function attempt(
  name: string,
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    seen[name] = await call() ?? "ok";
  } catch (error) {
    seen[name] = messageOf(error);
  }
}

function system32(dll: string): string {
  return `C:\\windows\\System32\\${dll}`;
}

/** Strings of a fake that nobody has freed. */
function liveStrings(dll: string): number {
  const { symbols } = systemOpener.open(system32(dll), {
    FakeLiveStrings: { parameters: [], result: "i32" },
  });
  return symbols.FakeLiveStrings();
}

async function lifecycle(): Promise<void> {
  const compute = new VmCompute(systemVmCompute());
  const system = await compute.create("a@vm", {});
  await attempt("pause", () => system.pause());
  await attempt("resume", () => system.resume());
  await attempt("save", () => system.save({ SaveType: "ToFile" }));
  await attempt("shutdown", () => system.shutdown());
  await attempt("exit", () => system.exited);
  await system.close();
  seen.leakedStrings = liveStrings("vmcompute.dll");
}

async function core(): Promise<void> {
  const compute = new ComputeCore(systemComputeCore());
  const system = await compute.create("pod-é@vm", {});
  await attempt("start", () => system.start());
  await attempt("modify", () => system.modify({ ResourcePath: "a" }));
  await attempt("properties", () => system.properties({ A: "無" }));
  await attempt(
    "initialize",
    () => system.initializeMigration({ Origin: "Source" }),
  );
  for await (const event of system.events) {
    seen.event = event;
    break;
  }
  await attempt("start without a socket", () => system.startMigration({}));
  await attempt("start with one", () => system.startMigration({}, 42n));
  await attempt("transfer", () => system.transferMigration({}));
  await attempt("cancel", () => system.cancelMigration({}));
  await attempt("finalize", () => system.finalizeMigration({}));
  const opened = await compute.open("pod-é@vm");
  await attempt("terminate", () => system.terminate());
  await attempt("exit", () => system.exited);
  await attempt("exit of the second handle", () => opened.exited);
  await opened.close();
  await system.close();
  seen.leakedStrings = liveStrings("computecore.dll");
}

async function refused(): Promise<void> {
  const compute = new ComputeCore(systemComputeCore());
  const system = await compute.create("a@vm", {});
  await attempt("at once", () => system.finalizeMigration({}));
  await new VmCompute(systemVmCompute()).grantAccess("refuse", "all");
  await attempt("create", () => compute.create("b@vm", {}));
  await attempt("open", () => compute.open("a@vm"));
  await attempt("modify", () => system.modify({}));
  await attempt("initialize", () => system.initializeMigration({}));
  await system.close();
  seen.leakedStrings = liveStrings("computecore.dll");
}

/** What the product leaves out: results that are asked for at the wrong time. */
function operations(): void {
  const { symbols: dll } = systemOpener.open(system32("computecore.dll"), {
    HcsCreateOperation: { parameters: ["u64", "pointer"], result: "u64" },
    HcsCloseOperation: { parameters: ["u64"], result: "void" },
    HcsGetOperationResult: { parameters: ["u64", "buffer"], result: "i32" },
    HcsWaitForOperationResult: {
      parameters: ["u64", "u32", "buffer"],
      result: "i32",
    },
    HcsCancelOperation: { parameters: ["u64"], result: "i32" },
    HcsEnumerateComputeSystems: {
      parameters: ["buffer", "u64"],
      result: "i32",
    },
    LocalFreeCount: {
      name: "FakeLiveStrings",
      parameters: [],
      result: "i32",
    },
  });
  const kernel32 = systemOpener.open(system32("kernel32.dll"), {
    LocalFree: { parameters: ["u64"], result: "u64" },
  }).symbols;
  const note = (name: string, hresult: number): void => {
    seen[name] = (hresult >>> 0).toString(16);
  };
  const result = new BigUint64Array(1);
  const query = encodeUtf16("{}");
  const operation = dll.HcsCreateOperation(0n, null);
  note("result before", dll.HcsGetOperationResult(operation, result));
  note("wait before", dll.HcsWaitForOperationResult(operation, 0, result));
  note("call", dll.HcsEnumerateComputeSystems(query, operation));
  note("call again", dll.HcsEnumerateComputeSystems(query, operation));
  note("wait", dll.HcsWaitForOperationResult(operation, 0xffffffff, result));
  seen.unfreed = dll.LocalFreeCount();
  kernel32.LocalFree(result[0]!);
  seen.freed = dll.LocalFreeCount();
  note("cancel", dll.HcsCancelOperation(operation));
  dll.HcsCloseOperation(operation);
  note("closed", dll.HcsGetOperationResult(operation, result));
  const inFlight = dll.HcsCreateOperation(0n, null);
  note("in flight", dll.HcsEnumerateComputeSystems(query, inFlight));
  dll.HcsCloseOperation(inFlight);
}

async function network(): Promise<void> {
  const network = new ComputeNetwork(systemComputeNetwork());
  const [first, second] = memoryEndpointIds;
  await attempt("namespace", () => network.namespace(memoryNamespaceId));
  await attempt("first", async () => (await network.endpoint(first)).name);
  await attempt("second", async () => (await network.endpoint(second)).name);
  await attempt("networks", () => network.networks());
  await attempt("unknown", () => network.endpoint(memoryNetworkId));
  await attempt("not open", () => network.namespace(memoryNetworkId));
  seen.leakedStrings = liveStrings("computenetwork.dll");
}

function disk(file: string): void {
  const { symbols: dll } = systemOpener.open(system32("virtdisk.dll"), {
    CreateVirtualDisk: {
      parameters: [
        ...["buffer", "buffer", "u32", "buffer", "u32", "u32"] as const,
        ...["buffer", "u64", "buffer"] as const,
      ],
      result: "u32",
    },
    OpenVirtualDisk: {
      parameters: ["buffer", "buffer", "u32", "u32", "buffer", "buffer"],
      result: "u32",
    },
    ExpandVirtualDisk: {
      parameters: ["u64", "u32", "buffer", "u64"],
      result: "u32",
    },
    ResizeVirtualDisk: {
      parameters: ["u64", "u32", "buffer", "u64"],
      result: "u32",
    },
    GetVirtualDiskInformation: {
      parameters: ["u64", "buffer", "buffer", "buffer"],
      result: "u32",
    },
  });
  const { symbols: kernel32 } = systemOpener.open(system32("kernel32.dll"), {
    CloseHandle: { parameters: ["u64"], result: "i32" },
  });
  const path = encodeUtf16(file);
  const handle = new BigUint64Array(1);
  const size = (bytes: bigint): BigUint64Array<ArrayBuffer> =>
    new BigUint64Array([1n, bytes]);
  const create = (version: bigint): number => {
    const maximum = 1024n * 1024n * 1024n;
    const parameters = new BigUint64Array([version, 0n, 0n, maximum]);
    return dll.CreateVirtualDisk(
      ...[null, path, 0, null, 0, 0, parameters, 0n, handle] as const,
    );
  };
  seen.create = create(2n);
  kernel32.CloseHandle(handle[0]!);
  seen.again = create(1n);
  seen.open = dll.OpenVirtualDisk(null, path, 0, 0, null, handle);
  const info = new BigUint64Array([1n, 0n, 0n, 0n]);
  seen.info = dll.GetVirtualDiskInformation(
    ...[handle[0]!, new Uint32Array([32]), info, null] as const,
  );
  seen.size = String(info[1]);
  const [open = 0n] = handle;
  seen.expand = dll.ExpandVirtualDisk(open, 0, size(1n << 31n), 0n);
  seen.expandLess = dll.ExpandVirtualDisk(open, 0, size(1n << 20n), 0n);
  seen.resize = dll.ResizeVirtualDisk(open, 0, size(1n << 20n), 0n);
  seen.closed = kernel32.CloseHandle(open);
}

const [scenario, argument = ""] = Deno.args;
switch (scenario) {
  case "lifecycle":
    await lifecycle();
    break;
  case "core":
    await core();
    break;
  case "refused":
    await refused();
    break;
  case "operations":
    operations();
    break;
  case "network":
    await network();
    break;
  default:
    disk(argument);
}
console.log(JSON.stringify(seen));
// The DLLs' threads run on: a natural end would unload them under the threads.
Deno.exit(0);
