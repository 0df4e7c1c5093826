/**
 * The parts of lcow-shim that other programs can build on: the protocol between
 * containerd and a shim, the bridge between shim and guest agent, the documents
 * of the compute service, and the controllers that put them together.
 *
 * The executables are `shim/main.ts` and `guest/main.ts`.
 *
 * @example Serve the Task service to whoever connects
 * ```ts
 * import { TtrpcServer } from "./ttrpc/mod.ts";
 * import { memoryPair, ShimError, silentLogger, systemClock } from "./mod.ts";
 * import { TaskV2 } from "./ttrpc/api/task.gen.ts";
 * const server = new TtrpcServer({ log: silentLogger, clock: systemClock });
 * server.register(TaskV2, {
 *   State: () => Promise.reject(new ShimError("NotFound", "No such task")),
 * });
 * const [client, stream] = memoryPair();
 * const handled = server.handle(stream);
 * await client.close();
 * await handled;
 * ```
 *
 * @module
 */

export * from "./base/clock.ts";
export * from "./base/duplex.ts";
export * from "./base/errors.ts";
export * from "./base/guid.ts";
export * from "./base/hresult.ts";
export * from "./base/json.ts";
export * from "./base/ledger.ts";
export * from "./base/log.ts";
export * from "./base/states.ts";
export * from "./base/timeouts.ts";
export * from "./hcs/ports.ts";
export * from "./bridge/mod.ts";
export * from "./controllers/device/plan9/mod.ts";
export * from "./controllers/device/scsi/mod.ts";
export * from "./controllers/device/vpci/mod.ts";
export * from "./controllers/linux_container/mod.ts";
export * from "./controllers/network/mod.ts";
export * from "./controllers/pod/mod.ts";
export * from "./controllers/process/mod.ts";
export * from "./controllers/vm/mod.ts";
export * from "./ttrpc/mod.ts";
