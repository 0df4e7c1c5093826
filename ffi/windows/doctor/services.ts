/**
 * Whether a service of Windows runs.
 *
 * @module
 */

import type { Verdict } from "../../../hcs/checks.ts";
import type { Advapi32Symbols } from "../library/advapi32.ts";
import type { Kernel32Symbols } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { isWin32, win32Error } from "../library/win32_error.ts";

/** The DLLs that tell it. */
export interface ServiceLibraries {
  /** The list of services. */
  readonly advapi32: Pick<
    Advapi32Symbols,
    | "OpenSCManagerW"
    | "OpenServiceW"
    | "QueryServiceStatus"
    | "CloseServiceHandle"
  >;
  /** Why it is not told. */
  readonly kernel32: Pick<Kernel32Symbols, "GetLastError">;
}

/** `SC_MANAGER_CONNECT`. */
const connect = 1;

/** `SERVICE_QUERY_STATUS`. */
const queryStatus = 4;

/** `ERROR_SERVICE_DOES_NOT_EXIST`. */
const noSuchService = 1060;

/** `SERVICE_STATUS`: u32 type @0, current state @4, five more. */
const statusSize = 28;

/** `SERVICE_RUNNING`. */
const running = 4;

/** States by their number in `winsvc.h`. */
const states: Readonly<Record<number, string>> = {
  1: "stopped",
  2: "starting",
  3: "stopping",
  [running]: "running",
  5: "resuming",
  6: "pausing",
  7: "paused",
};

/** Uses a handle of the list of services, and closes it. */
function withHandle<T>(
  { advapi32, kernel32 }: ServiceLibraries,
  what: string,
  open: () => bigint,
  use: (handle: bigint) => T,
): T {
  const handle = open();
  if (handle === 0n) throw win32Error(kernel32.GetLastError(), what);
  try {
    return use(handle);
  } finally {
    advapi32.CloseServiceHandle(handle);
  }
}

/** @throws {HResultError} What the system answered. */
function serviceState(libraries: ServiceLibraries, name: string): number {
  const { advapi32, kernel32 } = libraries;
  const text = encodeUtf16(name);
  return withHandle(
    libraries,
    "Cannot see the services",
    () => advapi32.OpenSCManagerW(null, null, connect),
    (manager) =>
      withHandle(
        libraries,
        `Cannot see the service "${name}"`,
        () => advapi32.OpenServiceW(manager, text, queryStatus),
        (service) => {
          const status = new Uint8Array(statusSize);
          if (advapi32.QueryServiceStatus(service, status) === 0) {
            const code = kernel32.GetLastError();
            throw win32Error(code, `Cannot see the state of "${name}"`);
          }
          return new DataView(status.buffer).getUint32(4, true);
        },
      ),
  );
}

/**
 * Looks whether a service runs.
 *
 * @param name Its short name, for example `vmcompute`.
 * @param failure What a service counts as that does not. One that is there has to
 *   be started; what to do for one that is not, the caller knows.
 * @throws {HResultError} When the system does not tell.
 */
export function judgeService(
  libraries: ServiceLibraries,
  name: string,
  failure: "gap" | "warning",
): Verdict {
  try {
    const state = serviceState(libraries, name);
    const found = states[state] ?? `in the unknown state ${state}`;
    if (state === running) return { found };
    return { state: failure, found, advice: `Start-Service ${name}` };
  } catch (error) {
    if (!isWin32(error, noSuchService)) throw error;
    return { state: failure, found: "not installed" };
  }
}
