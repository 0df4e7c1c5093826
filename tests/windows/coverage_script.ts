/**
 * Runs under Wine: has every symbol of every table called, once with success and
 * once with failure, and prints what was called as one line of JSON.
 *
 * Usage: `coverage_script.ts FOLDER RUNTIME_ID` for the successes, where FOLDER is
 * writable; `coverage_script.ts refused` for the failures, when the forwarder
 * refuses every call.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { ComputeCore } from "../../ffi/windows/compute/computecore.ts";
import { systemComputeCore } from "../../ffi/windows/compute/computecore_library.ts";
import { VmCompute } from "../../ffi/windows/compute/vmcompute.ts";
import { systemVmCompute } from "../../ffi/windows/compute/vmcompute_library.ts";
import { dialHv } from "../../ffi/windows/io/hv_dial.ts";
import { HvListener } from "../../ffi/windows/io/hv_listener.ts";
import { dialPipe } from "../../ffi/windows/io/pipe.ts";
import { PipeListener } from "../../ffi/windows/io/pipe_listener.ts";
import { ComputeNetwork } from "../../ffi/windows/network/computenetwork.ts";
import { systemComputeNetwork } from "../../ffi/windows/network/computenetwork_library.ts";
import { type WindowsParts, windowsParts } from "../../ffi/windows/platform.ts";
import { systemVirtDisk } from "../../ffi/windows/storage/virtdisk_library.ts";
import { VirtualDisks } from "../../ffi/windows/storage/virtual_disks.ts";
import { spawnProcess } from "../../ffi/windows/system/detached_process.ts";
import { finalPath } from "../../ffi/windows/system/final_path.ts";
import {
  findLogFolder,
  openLogFolder,
} from "../../ffi/windows/system/private_folder.ts";
import { NamedEvent } from "../../ffi/windows/system/named_event.ts";
import { grantVmGroup } from "../../ffi/windows/system/vm_group.ts";
import { windowsBuild } from "../../ffi/windows/system/version.ts";
import { failEverything, nativeBasics } from "./coverage_calls.ts";
import { memoryEndpointIds, memoryNamespaceId } from "./memory_network.ts";
import { RecordingOpener } from "./recording_opener.ts";

const opener = new RecordingOpener();
const [folder = "", runtimeId = ""] = Deno.args;

async function streams({ io }: WindowsParts): Promise<void> {
  const name = "\\\\.\\pipe\\lcow-coverage";
  const options = { clock: systemClock, busyLimit: 5_000 };
  const pairs = [
    [PipeListener.open(io, name), () => dialPipe(io, name, options)],
    [HvListener.open(io, runtimeId, 99), () => dialHv(io, runtimeId, 99)],
  ] as const;
  for (const [listener, dial] of pairs) {
    const [server, client] = await Promise.all([listener.accept(), dial()]);
    const buffer = new Uint8Array(8);
    await client.write(new Uint8Array(8));
    await server.read(buffer);
    await client.closeWrite();
    const pending = client.read(buffer);
    await client.close();
    await pending;
    await server.close();
    await listener.close();
  }
}

async function systems(parts: WindowsParts): Promise<void> {
  const compute = new VmCompute(systemVmCompute(opener), parts);
  const system = await compute.create("a@vm", {});
  await system.start();
  await system.modify({});
  await system.properties({});
  await system.pause();
  await system.resume();
  await system.save({ SaveType: "ToFile" });
  await compute.enumerate({});
  await compute.serviceProperties({});
  await compute.grantAccess("vm", "Z:\\a");
  await compute.revokeAccess("vm", "Z:\\a");
  const opened = await compute.open("a@vm");
  await opened.close();
  await system.shutdown();
  await system.terminate();
  await system.close();
  const other = await compute.create("t@vm", {});
  await other.terminate();
  await other.close();
  const core = new ComputeCore(systemComputeCore(opener), parts);
  const moved = await core.create("b@vm", {});
  await moved.start();
  await moved.modify({});
  await moved.properties({});
  await moved.initializeMigration({});
  await moved.startMigration({}, 42n);
  await moved.transferMigration({});
  await moved.cancelMigration({});
  await moved.finalizeMigration({});
  const second = await core.open("b@vm");
  await second.close();
  await moved.terminate();
  await moved.close();
}

async function services(parts: WindowsParts): Promise<void> {
  const network = new ComputeNetwork(systemComputeNetwork(opener), parts);
  await network.networks();
  await network.namespace(memoryNamespaceId);
  await network.endpoint(memoryEndpointIds[0]!);
  const disks = new VirtualDisks(systemVirtDisk(opener), parts);
  const disk = `${folder}\\coverage.vhdx`;
  await disks.create(disk, 1n << 20n);
  await disks.grow(disk, 2n << 20n);
  await disks.size(disk);
  grantVmGroup(parts.io.libraries, disk);
}

async function processes(parts: WindowsParts): Promise<void> {
  const { kernel32, ntdll } = parts.io.libraries;
  windowsBuild(ntdll);
  finalPath(kernel32, folder);
  openLogFolder(parts.io.libraries, folder);
  findLogFolder(parts.io.libraries, folder);
  const name = "lcow-coverage";
  using event = NamedEvent.create(kernel32, name);
  using other = NamedEvent.open(kernel32, name);
  other?.set();
  event.take();
  const child = spawnProcess(
    parts,
    [Deno.execPath(), "eval", "await Deno.stdin.read(new Uint8Array(1))"],
    { cwd: folder, stdin: new Uint8Array(1), env: {} },
  );
  child.ready.catch(() => {}); // It never says so.
  await child.kill();
}

if (folder === "refused") {
  await failEverything(opener);
  // A callback needs a function: the product has one, and is refused.
  await new ComputeCore(systemComputeCore(opener)).create("c@vm", {})
    .catch(() => {});
} else {
  const parts = windowsParts({ opener });
  await streams(parts);
  await systems(parts);
  await services(parts);
  await processes(parts);
  nativeBasics(parts.io.libraries);
}
console.log(JSON.stringify(opener.coverage));
Deno.exit(0);
