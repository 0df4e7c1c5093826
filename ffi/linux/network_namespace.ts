/**
 * Network namespaces: holding them and doing something in them.
 *
 * @module
 */

import { close, open, OpenFlag } from "./files.ts";
import { check, libc } from "./libc.ts";

const newNetwork = 0x40000000; // CLONE_NEWNET

/** This thread, not its process: threads may be in different namespaces. */
const ownNamespace = "/proc/thread-self/ns/net";

/**
 * Opens the network namespace of a process. While the descriptor is open the
 * namespace lives, whatever becomes of the process and of its id.
 *
 * @param pid The process; this thread when absent.
 * @returns A descriptor, which the caller closes.
 * @throws {ErrnoError} ENOENT when there is no such process, or it has ended.
 */
export function openNetworkNamespace(pid?: number): number {
  const path = pid === undefined ? ownNamespace : `/proc/${pid}/ns/net`;
  return open(path, OpenFlag.ReadOnly);
}

/** Back from wherever the thread went. */
function returnTo(own: number): void {
  // What may leave may return; only a kernel without memory refuses.
  const what = "Cannot return to the own network namespace; restart the VM";
  check(libc().setns(own, newNetwork), what);
}

/**
 * Makes an empty network namespace, which lives while the descriptor or
 * something in it is open.
 *
 * @returns A descriptor, which the caller closes.
 * @throws {ErrnoError} EPERM.
 */
export function makeNetworkNamespace(): number {
  const own = openNetworkNamespace();
  try {
    const what = "Cannot make a network namespace";
    check(libc().unshare(newNetwork), what);
    try {
      return openNetworkNamespace();
    } finally {
      returnTo(own);
    }
  } finally {
    close(own);
  }
}

/**
 * Runs something in another network namespace. Sockets that it opens and
 * processes that it starts stay there.
 *
 * A namespace belongs to a thread and our calls run on the thread of the event
 * loop. So the way there, the task and the way back are one synchronous sequence
 * of calls, between which nothing else can run; threads of the pool are not
 * concerned. `task` must not be asynchronous: what it awaited would go on here.
 *
 * @param namespace Descriptor of the namespace.
 * @throws {ErrnoError} When the kernel refuses; else what `task` throws.
 */
export function inNetworkNamespace<T>(namespace: number, task: () => T): T {
  const own = openNetworkNamespace();
  try {
    const what = "Cannot enter a network namespace";
    check(libc().setns(namespace, newNetwork), what);
    try {
      return task();
    } finally {
      returnTo(own);
    }
  } finally {
    close(own);
  }
}
