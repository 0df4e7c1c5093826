/**
 * Native calls of Linux: files, mounts, networks, processes, terminals and
 * streams over descriptors. The library is opened at the first call.
 *
 * @module
 */

export * from "./boot.ts";
export * from "./device_mapper.ts";
export * from "./errno.ts";
export * from "./exec.ts";
export * from "./eventfd.ts";
export * from "./fd_stream.ts";
export * from "./fifo.ts";
export * from "./files.ts";
export { libc } from "./libc.ts";
export * from "./kernel_log.ts";
export * from "./limits.ts";
export * from "./mount.ts";
export * from "./netlink.ts";
export * from "./netlink_socket.ts";
export * from "./network_namespace.ts";
export * from "./process.ts";
export * from "./pty.ts";
export * from "./reaper.ts";
export * from "./rtnetlink.ts";
export * from "./socket.ts";
export * from "./spawn.ts";
