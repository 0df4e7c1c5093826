/**
 * The C library: symbols, error numbers and C strings. Opened at the first use,
 * so that every module can be imported anywhere.
 *
 * @module
 */

import { ErrnoError } from "./errno.ts";

/** C declarations as comments; only what this folder calls. */
const symbols = {
  /** int *__errno_location(void) */
  __errno_location: { parameters: [], result: "pointer" },
  /** int open(const char *path, int flags, mode_t mode) */
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  /** int close(int fd) */
  close: { parameters: ["i32"], result: "i32" },
  /** int pipe2(int fds[2], int flags) */
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  /** int mkfifo(const char *path, mode_t mode) */
  mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  /** int mknod(const char *path, mode_t mode, dev_t device) */
  mknod: { parameters: ["buffer", "u32", "u64"], result: "i32" },
  /** ssize_t write(int fd, const void *buffer, size_t count) */
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** int fcntl(int fd, int command, long argument) */
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  /** int poll(struct pollfd *entries, nfds_t count, int timeout) */
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  /** int eventfd(unsigned int initval, int flags) */
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  /** int ioctl(int fd, unsigned long request, void *argument) */
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  /** int mount(source, target, type, unsigned long flags, const void *data) */
  mount: {
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
  /** mount(2) on the pool of blocking calls */
  mountBlocking: {
    name: "mount",
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  /** int umount2(const char *target, int flags) */
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
  /** umount2(2) on the pool of blocking calls */
  umount2Blocking: {
    name: "umount2",
    parameters: ["buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  /** int poll(struct pollfd *, nfds_t, int) on the pool of blocking calls */
  pollBlocking: {
    name: "poll",
    parameters: ["buffer", "u64", "i32"],
    result: "i32",
    nonblocking: true,
  },
  /** ssize_t read(int fd, void *buffer, size_t count) */
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  /** int dup2(int fd, int newfd) */
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  /** int execve(const char *path, char *const argv[], char *const envp[]) */
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  /** sighandler_t signal(int signal, sighandler_t handler) */
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  /** int getrlimit(int resource, struct rlimit *limits) */
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  /** int setrlimit(int resource, const struct rlimit *limits) */
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  /** long syscall(long number, …), with three arguments */
  syscall: { parameters: ["i64", "i64", "buffer", "i64"], result: "i64" },
  /** int reboot(int command) */
  reboot: { parameters: ["i32"], result: "i32" },
  /** int prctl(int option, unsigned long, …) */
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  /** pid_t waitpid(pid_t pid, int *status, int options) */
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  /** int kill(pid_t pid, int signal) */
  kill: { parameters: ["i32", "i32"], result: "i32" },
  /** int posix_spawn(pid_t *, path, actions *, attributes *, argv, envp) */
  posix_spawn: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  /** int posix_spawn_file_actions_init(actions *) */
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  /** int posix_spawn_file_actions_adddup2(actions *, int fd, int newfd) */
  posix_spawn_file_actions_adddup2: {
    parameters: ["buffer", "i32", "i32"],
    result: "i32",
  },
  /** int posix_spawn_file_actions_addopen(actions *, int, path, int, mode_t) */
  posix_spawn_file_actions_addopen: {
    parameters: ["buffer", "i32", "buffer", "i32", "u32"],
    result: "i32",
  },
  /** int posix_spawn_file_actions_addchdir_np(actions *, const char *path) */
  posix_spawn_file_actions_addchdir_np: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  /** int posix_spawn_file_actions_destroy(actions *) */
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  /** int posix_spawnattr_init(attributes *) */
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  /** int posix_spawnattr_setflags(attributes *, short flags) */
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  /** int posix_spawnattr_setsigdefault(attributes *, const sigset_t *) */
  posix_spawnattr_setsigdefault: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  /** int posix_spawnattr_setsigmask(attributes *, const sigset_t *) */
  posix_spawnattr_setsigmask: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  /** int posix_spawnattr_destroy(attributes *) */
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
  /** int socket(int domain, int type, int protocol) */
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** int bind(int fd, const struct sockaddr *address, socklen_t length) */
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** int listen(int fd, int backlog) */
  listen: { parameters: ["i32", "i32"], result: "i32" },
  /** int connect(int fd, const struct sockaddr *address, socklen_t length) */
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** int shutdown(int fd, int how) */
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  /** int getsockopt(int fd, int level, int name, void *value, socklen_t *) */
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  /** int setsockopt(int fd, int level, int name, const void *, socklen_t) */
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  /** ssize_t recv(int fd, void *buffer, size_t size, int flags) */
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  /** int setns(int fd, int kind) */
  setns: { parameters: ["i32", "i32"], result: "i32" },
  /** int unshare(int kinds) */
  unshare: { parameters: ["i32"], result: "i32" },
  /** int accept4(int fd, struct sockaddr *, socklen_t *, int flags) */
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  /** ssize_t recvmsg(int fd, struct msghdr *message, int flags) */
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of the C library that this folder calls. */
export type Libc = Deno.StaticForeignLibraryInterface<typeof symbols>;

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/**
 * The C library, opened at the first call and never closed.
 *
 * A test that reaches it calls it in `Deno.test.beforeAll`, because the
 * resource sanitizer counts a library as a leak of the test that opened it.
 */
export const libc: () => Libc = once(() =>
  Deno.dlopen("libc.so.6", symbols).symbols
);

/** The error number of the last synchronous call of this thread. */
export function errno(): number {
  const at = libc().__errno_location();
  return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
}

/**
 * Turns the result -1 into an error.
 *
 * @param result What a synchronous call answered.
 * @param what What was tried, and on which thing, for the message.
 * @returns The result, when it is not negative.
 * @throws {ErrnoError} With the class and the name of the error number.
 */
export function check(result: number | bigint, what: string): number {
  if (result < 0) throw new ErrnoError(errno(), what);
  return Number(result);
}

/**
 * A NUL-terminated string.
 *
 * @throws {TypeError} When the text itself holds a NUL.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("A C string cannot hold NUL");
  return new TextEncoder().encode(text + "\0");
}

/** The address of a buffer, as a number for a C structure. */
export function addressOf(buffer: BufferSource): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

/** A list of C strings, and the strings themselves, which must stay alive. */
export function cStrings(texts: readonly string[]): {
  pointers: BigUint64Array<ArrayBuffer>;
  strings: Uint8Array<ArrayBuffer>[];
} {
  const strings = texts.map(cString);
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((bytes, i) => pointers[i] = addressOf(bytes));
  return { pointers, strings };
}
