/**
 * Starting programs without a thread and without Deno's bookkeeping, so that
 * their parent decides when they are waited for.
 *
 * @module
 */

import { ErrnoError } from "./errno.ts";
import { OpenFlag } from "./files.ts";
import { cString, cStrings, libc } from "./libc.ts";
import { withProgramLimits } from "./limits.ts";

/** Descriptors that become 0, 1 and 2 of a program; they stay the caller's. */
export type StdioDescriptors = readonly [number, number, number];

/** What is started and with what. */
export interface SpawnRequest {
  /** Path of the program; PATH is not searched. */
  readonly path: string;
  /** Arguments, the program's own name first. */
  readonly argv: readonly string[];
  /** The whole environment, `NAME=value` each. */
  readonly env: readonly string[];
  /**
   * The program's descriptors 0, 1, 2 and further ones in their order, or the path
   * of a terminal that becomes 0 to 2 and the controlling terminal of a new session.
   */
  readonly stdio:
    | readonly [...StdioDescriptors, ...further: number[]]
    | { readonly terminal: string };
  /** Directory to start in; the caller's when absent. */
  readonly cwd?: string;
  /** Start it in a session of its own, as a terminal does. */
  readonly session?: boolean;
}

// Sizes of glibc's opaque types on 64-bit machines, rounded up.
const fileActionsSize = 128;
const attributesSize = 512;
const signalSetSize = 128;

const setSignalDefault = 0x04;
const setSignalMask = 0x08;
const setSession = 0x80;

/** Every signal except glibc's own 32 and 33, which it refuses to touch. */
function ordinarySignals(): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(signalSetSize);
  set.fill(0xff, 0, 8);
  set[3] = 0x7f;
  set[4] = 0xfe;
  return set;
}

/**
 * Starts a program in about a millisecond. Signals are as at boot: none is
 * blocked, none is ignored (Deno ignores SIGPIPE, which a container must not
 * inherit); so is the limit of open files. The caller waits for the child with `reap`.
 *
 * @returns The child's process id.
 * @throws {ErrnoError} ENOENT when there is no such program or directory,
 * EAGAIN when there are too many processes.
 */
export function spawn(request: SpawnRequest): number {
  const { path, argv, env, stdio, cwd } = request;
  const c = libc();
  const args = cStrings(argv);
  const variables = cStrings(env);
  const actions = new Uint8Array(fileActionsSize);
  const attributes = new Uint8Array(attributesSize);
  // These functions answer the error number itself.
  const expect = (result: number): void => {
    if (result !== 0) throw new ErrnoError(result, `Cannot start "${path}"`);
  };
  const strings: Uint8Array<ArrayBuffer>[] = [];
  const kept = (text: string): Uint8Array<ArrayBuffer> => {
    strings.push(cString(text));
    return strings.at(-1)!;
  };
  expect(c.posix_spawn_file_actions_init(actions));
  try {
    expect(c.posix_spawnattr_init(attributes));
    if ("terminal" in stdio) {
      // The first terminal that a session leader opens becomes its own.
      expect(c.posix_spawn_file_actions_addopen(
        actions,
        0,
        kept(stdio.terminal),
        OpenFlag.ReadWrite,
        0,
      ));
      expect(c.posix_spawn_file_actions_adddup2(actions, 0, 1));
      expect(c.posix_spawn_file_actions_adddup2(actions, 0, 2));
    } else {
      // A source among the targets could be overwritten before it is copied.
      const isTarget = (fd: number): boolean => fd < stdio.length;
      if (stdio.some((fd, target) => isTarget(fd) && fd !== target)) expect(22);
      stdio.forEach((fd, target) =>
        expect(c.posix_spawn_file_actions_adddup2(actions, fd, target))
      );
    }
    if (cwd !== undefined) {
      expect(c.posix_spawn_file_actions_addchdir_np(actions, kept(cwd)));
    }
    const none = new Uint8Array(signalSetSize);
    expect(c.posix_spawnattr_setsigmask(attributes, none));
    expect(c.posix_spawnattr_setsigdefault(attributes, ordinarySignals()));
    const session = "terminal" in stdio || request.session ? setSession : 0;
    const flags = setSignalDefault | setSignalMask | session;
    expect(c.posix_spawnattr_setflags(attributes, flags));
    const pid = new Int32Array(1);
    const file = kept(path);
    expect(withProgramLimits(() =>
      c.posix_spawn(
        pid,
        file,
        actions,
        attributes,
        args.pointers,
        variables.pointers,
      )
    ));
    return pid[0]!;
  } finally {
    c.posix_spawnattr_destroy(attributes);
    c.posix_spawn_file_actions_destroy(actions);
  }
}
