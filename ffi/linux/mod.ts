/**
 * Native calls of Linux: files, mounts, processes, terminals and streams over
 * descriptors. The library is opened at the first call.
 *
 * @module
 */

export * from "./boot.ts";
export * from "./errno.ts";
export * from "./exec.ts";
export * from "./fd_stream.ts";
export * from "./fifo.ts";
export * from "./files.ts";
export * from "./interface.ts";
export { libc } from "./libc.ts";
export * from "./kernel_log.ts";
export * from "./limits.ts";
export * from "./mount.ts";
export * from "./process.ts";
export * from "./pty.ts";
export * from "./spawn.ts";
