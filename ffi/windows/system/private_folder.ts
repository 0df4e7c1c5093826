/**
 * Folders that only administrators and the system may enter, where everybody may
 * make folders: below `%ProgramData%`.
 *
 * @module
 */

import { classify, ShimError } from "../../../base/errors.ts";
import { withSecurity } from "../io/security.ts";
import type { Advapi32Symbols } from "../library/advapi32.ts";
import { invalidHandle, type Kernel32Symbols } from "../library/kernel32.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { Win32, win32Error } from "../library/win32_error.ts";

/** The DLLs that folders and their owners need. */
export interface FolderLibraries {
  /** Folders, handles, processes. */
  readonly kernel32: Pick<
    Kernel32Symbols,
    | "CreateDirectoryW"
    | "CreateFileW"
    | "CloseHandle"
    | "GetLastError"
    | "LocalFree"
    | "OpenProcess"
  >;
  /** Security descriptors, tokens. */
  readonly advapi32: Pick<
    Advapi32Symbols,
    | "ConvertStringSecurityDescriptorToSecurityDescriptorW"
    | "GetKernelObjectSecurity"
    | "OpenProcessToken"
    | "GetTokenInformation"
  >;
}

/**
 * Administrators own it; they and the system may do everything in it and in what is
 * made there, nobody else anything.
 */
const descriptorText = "O:BAD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)";

/** `BUILTIN\Administrators`, `NT AUTHORITY\SYSTEM`. */
const trusted: readonly string[] = ["S-1-5-32-544", "S-1-5-18"];

/** `READ_CONTROL` of winnt.h. */
const readControl = 0x2_0000;

/** `FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE`. */
const shareAll = 7;

/** `OPEN_EXISTING`. */
const openExisting = 3;

/** `FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT`: a folder, or the link itself. */
const folderOrLink = 0x0220_0000;

/** `OWNER_SECURITY_INFORMATION` of winnt.h. */
const ownerInformation = 1;

/** A self-relative `SECURITY_DESCRIPTOR` with an owner alone: 20 bytes and a SID of at most 68. */
const descriptorSize = 88;

/** Where it says where its owner is. */
const ownerOffset = 4;

/** `PROCESS_QUERY_LIMITED_INFORMATION`, `TOKEN_QUERY`, `TokenUser`. */
const queryLimited = 0x1000;
const tokenQuery = 8;
const tokenUser = 1;

/** `TOKEN_USER`: its SID stands behind 16 bytes. */
const tokenUserSize = 84;
const tokenSid = 16;

/** Text form of a `SID` of winnt.h: u8 revision, u8 count, u48 authority, u32 parts. */
function sidText(bytes: Uint8Array<ArrayBuffer>, at: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const parts = Array.from(
    { length: view.getUint8(1) },
    (_, index) => view.getUint32(8 + 4 * index, true),
  );
  return ["S-1", view.getUint32(4), ...parts].join("-");
}

/** SID of the user that this process runs as; undefined when it cannot be told. */
function ownUser({ kernel32, advapi32 }: FolderLibraries): string | undefined {
  using opened = new DisposableStack();
  const keep = (handle: bigint): bigint =>
    opened.adopt(handle, (handle) => kernel32.CloseHandle(handle));
  const process = kernel32.OpenProcess(queryLimited, 0, Deno.pid);
  if (process === 0n) return undefined;
  keep(process);
  const token = new BigUint64Array(1);
  if (advapi32.OpenProcessToken(process, tokenQuery, token) === 0) {
    return undefined;
  }
  keep(token[0]!);
  const user = new Uint8Array(tokenUserSize);
  const size = new Uint32Array(1);
  const known = advapi32.GetTokenInformation(
    ...[token[0]!, tokenUser, user, user.length, size] as const,
  );
  return known === 0 ? undefined : sidText(user, tokenSid);
}

/** SID of the owner of a folder, or of the link that stands there. */
function ownerOf(
  { kernel32, advapi32 }: FolderLibraries,
  path: string,
): string {
  const refusal = (): Error =>
    win32Error(
      kernel32.GetLastError(),
      `Cannot find out who owns the folder "${path}"`,
    );
  const handle = kernel32.CreateFileW(
    encodeUtf16(path),
    readControl,
    shareAll,
    null,
    openExisting,
    folderOrLink,
    0n,
  );
  if (handle === invalidHandle) throw refusal();
  try {
    const descriptor = new Uint8Array(descriptorSize);
    const size = new Uint32Array(1);
    const known = advapi32.GetKernelObjectSecurity(
      ...[
        handle,
        ownerInformation,
        descriptor,
        descriptor.length,
        size,
      ] as const,
    );
    if (known === 0) throw refusal();
    const at = new DataView(descriptor.buffer).getUint32(ownerOffset, true);
    return sidText(descriptor, at);
  } finally {
    kernel32.CloseHandle(handle);
  }
}

/**
 * Makes a folder for administrators and the system, when it is not there.
 *
 * One that is there is taken only when it belongs to them or to this user: whoever
 * else made it, or a link in its place, decides what becomes of what is in it.
 *
 * @param path Its path; the folder above must be there.
 * @throws {ShimError} FailedPrecondition when it is somebody else's.
 * @throws {HResultError} What else the system answered.
 */
export function openPrivateFolder(
  libraries: FolderLibraries,
  path: string,
): void {
  const { kernel32 } = libraries;
  const name = encodeUtf16(path);
  const code = withSecurity(
    libraries,
    descriptorText,
    (attributes) =>
      kernel32.CreateDirectoryW(name, attributes) === 0
        ? kernel32.GetLastError()
        : 0,
  );
  if (code !== 0 && code !== Win32.AlreadyExists) {
    throw win32Error(code, `Cannot make the folder "${path}"`);
  }
  requirePrivateFolder(libraries, path);
}

/**
 * @throws {ShimError} FailedPrecondition when the folder is neither of
 * administrators nor of this user.
 * @throws {HResultError} What else the system answered.
 */
function requirePrivateFolder(libraries: FolderLibraries, path: string): void {
  const owner = ownerOf(libraries, path);
  if (trusted.includes(owner) || owner === ownUser(libraries)) return;
  throw new ShimError(
    "FailedPrecondition",
    `Cannot use the folder "${path}": it belongs to ${owner}, not to administrators; remove it`,
  );
}

/** The folder of the log files, and the one that it is in. */
function logFolders(programData: string | undefined): [string, string] {
  if (programData === undefined || programData === "") {
    throw new ShimError(
      "FailedPrecondition",
      "There is no folder for log files: the environment variable ProgramData is not set. Start the shim with the environment of the machine",
    );
  }
  const product = `${programData}\\lcow`;
  return [product, `${product}\\log`];
}

/**
 * The folder of the log files, `%ProgramData%\lcow\log`, made when it is not there.
 *
 * @param programData Value of `%ProgramData%`.
 * @throws {ShimError} FailedPrecondition when that is not set, and as
 *   {@linkcode openPrivateFolder}.
 */
export function openLogFolder(
  libraries: FolderLibraries,
  programData: string | undefined,
): string {
  const [product, folder] = logFolders(programData);
  openPrivateFolder(libraries, product);
  openPrivateFolder(libraries, folder);
  return folder;
}

/**
 * As {@linkcode openLogFolder}, for a reader: nothing is made, and the folder may
 * not be there.
 */
export function findLogFolder(
  libraries: FolderLibraries,
  programData: string | undefined,
): string {
  const [product, folder] = logFolders(programData);
  try {
    requirePrivateFolder(libraries, product);
    requirePrivateFolder(libraries, folder);
  } catch (error) {
    if (classify(error) !== "NotFound") throw error;
  }
  return folder;
}
