/**
 * What only the first process of a machine calls: entropy, and the question
 * whether control groups can judge devices.
 *
 * @module
 */

import { ErrnoError, isErrno } from "./errno.ts";
import { close, open, OpenFlag } from "./files.ts";
import { check, errno, libc } from "./libc.ts";

/** `RNDADDENTROPY`, `linux/random.h`. */
const addEntropyRequest = 0x4008_5203n;

/**
 * Adds bytes to the kernel's random pool and counts every bit of them.
 *
 * @throws {ErrnoError} EPERM.
 */
export function addEntropy(bytes: Uint8Array): void {
  const info = new Uint8Array(8 + bytes.length); // bits, bytes, the bytes
  const view = new DataView(info.buffer);
  view.setInt32(0, bytes.length * 8, true);
  view.setInt32(4, bytes.length, true);
  info.set(bytes, 8);
  const fd = open("/dev/random", OpenFlag.WriteOnly);
  try {
    const result = libc().ioctl(fd, addEntropyRequest, info);
    check(result, "Cannot add entropy");
  } finally {
    close(fd);
  }
}

/** Number of bpf(2), `asm/unistd.h`. */
const bpfNumber = { x86_64: 321n, aarch64: 280n }[Deno.build.arch];
/** `BPF_PROG_QUERY`, `linux/bpf.h`. */
const programQuery = 16n;
/** `BPF_CGROUP_DEVICE`, `linux/bpf.h`. */
const cgroupDevice = 6;

/**
 * Whether the kernel lets programs judge which devices a control group uses,
 * as container runtimes need with version 2.
 *
 * @param group A folder of a unified tree.
 * @throws {ErrnoError} When the question fails for another reason.
 */
export function canJudgeDevices(group: string): boolean {
  const fd = open(group, OpenFlag.ReadOnly);
  try {
    const view = new DataView(new ArrayBuffer(64)); // union bpf_attr, .query
    view.setUint32(0, fd, true); // target_fd
    view.setUint32(4, cgroupDevice, true); // attach_type
    const size = BigInt(view.byteLength);
    if (libc().syscall(bpfNumber, programQuery, view, size) >= 0n) return true;
    const error = new ErrnoError(errno(), `Cannot query "${group}"`);
    if (isErrno(error, "ENOSYS", "EINVAL")) return false;
    throw error;
  } finally {
    close(fd);
  }
}
