/**
 * HRESULTs of HCS, Win32 and the guest, normalised once at the border.
 *
 * Names follow `computecore.h`/`winerror.h`: a condition exists as 0xC037xxxx
 * (vmcompute) and as 0x8037xxxx (computecore); both are one condition.
 *
 * @module
 */

import { type ErrorCode, ShimError } from "./errors.ts";

interface Row {
  readonly name: string;
  readonly code: ErrorCode;
  readonly hint?: string;
}

/** Conditions of the compute service, by the low word of 0x?037xxxx. */
const compute: Readonly<Record<number, Row>> = {
  0x0100: { name: "HCS_E_TERMINATED_DURING_START", code: "Aborted" },
  0x0101: {
    name: "HCS_E_IMAGE_MISMATCH",
    code: "FailedPrecondition",
    hint: "the image does not match the host",
  },
  0x0102: {
    name: "HCS_E_HYPERV_NOT_INSTALLED",
    code: "FailedPrecondition",
    hint: "install the Hyper-V role",
  },
  0x0103: { name: "HCS_E_OPERATION_PENDING", code: "Internal" },
  0x0104: { name: "HCS_E_TOO_MANY_NOTIFICATIONS", code: "ResourceExhausted" },
  0x0105: { name: "HCS_E_INVALID_STATE", code: "FailedPrecondition" },
  0x0106: {
    name: "HCS_E_UNEXPECTED_EXIT",
    code: "Aborted",
    hint: "the utility VM stopped by itself; see the guest log",
  },
  0x0107: { name: "HCS_E_TERMINATED", code: "Aborted" },
  0x0108: { name: "HCS_E_CONNECT_FAILED", code: "Unavailable" },
  0x0109: { name: "HCS_E_CONNECTION_TIMEOUT", code: "DeadlineExceeded" },
  0x010a: { name: "HCS_E_CONNECTION_CLOSED", code: "Unavailable" },
  0x010b: { name: "HCS_E_UNKNOWN_MESSAGE", code: "NotImplemented" },
  0x010c: {
    name: "HCS_E_UNSUPPORTED_PROTOCOL_VERSION",
    code: "FailedPrecondition",
  },
  0x010d: { name: "HCS_E_INVALID_JSON", code: "InvalidArgument" },
  0x010e: { name: "HCS_E_SYSTEM_NOT_FOUND", code: "NotFound" },
  0x010f: { name: "HCS_E_SYSTEM_ALREADY_EXISTS", code: "AlreadyExists" },
  0x0110: {
    name: "HCS_E_SYSTEM_ALREADY_STOPPED",
    code: "FailedPrecondition",
  },
  0x0111: { name: "HCS_E_PROTOCOL_ERROR", code: "Internal" },
  0x0112: { name: "HCS_E_INVALID_LAYER", code: "InvalidArgument" },
  0x0113: {
    name: "HCS_E_WINDOWS_INSIDER_REQUIRED",
    code: "FailedPrecondition",
  },
  0x0114: {
    name: "HCS_E_SERVICE_NOT_AVAILABLE",
    code: "Unavailable",
    hint: "is the service vmcompute running?",
  },
  0x0115: { name: "HCS_E_OPERATION_NOT_STARTED", code: "FailedPrecondition" },
  0x0116: {
    name: "HCS_E_OPERATION_ALREADY_STARTED",
    code: "FailedPrecondition",
  },
  0x0117: { name: "HCS_E_OPERATION_PENDING", code: "Internal" },
  0x0118: { name: "HCS_E_OPERATION_TIMEOUT", code: "DeadlineExceeded" },
  0x0119: {
    name: "HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET",
    code: "AlreadyExists",
  },
  0x011a: {
    name: "HCS_E_OPERATION_RESULT_ALLOCATION_FAILED",
    code: "ResourceExhausted",
  },
  0x011b: { name: "HCS_E_ACCESS_DENIED", code: "PermissionDenied" },
  0x011c: { name: "HCS_E_GUEST_CRITICAL_ERROR", code: "Aborted" },
  0x011f: {
    name: "HCS_E_PROCESS_ALREADY_STOPPED",
    code: "FailedPrecondition",
  },
  0x0120: {
    name: "HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION",
    code: "FailedPrecondition",
  },
};

/** Other codes, by their full unsigned value. */
const others: Readonly<Record<number, Row>> = {
  0x80004001: { name: "E_NOTIMPL", code: "NotImplemented" },
  0x80004005: { name: "E_FAIL", code: "Unknown" },
  0x80070002: { name: "ERROR_FILE_NOT_FOUND", code: "NotFound" },
  0x80070003: { name: "ERROR_PATH_NOT_FOUND", code: "NotFound" },
  0x80070005: {
    name: "E_ACCESSDENIED",
    code: "PermissionDenied",
    hint: "run as an administrator or a member of Hyper-V Administrators",
  },
  0x80070006: { name: "E_HANDLE", code: "FailedPrecondition" },
  0x80070008: { name: "ERROR_NOT_ENOUGH_MEMORY", code: "ResourceExhausted" },
  0x8007000d: { name: "ERROR_INVALID_DATA", code: "InvalidArgument" },
  0x80070020: {
    name: "ERROR_SHARING_VIOLATION",
    code: "FailedPrecondition",
    hint: "another program or virtual machine has the file open",
  },
  0x80070032: { name: "ERROR_NOT_SUPPORTED", code: "NotImplemented" },
  0x80070040: { name: "ERROR_NETNAME_DELETED", code: "Unavailable" },
  0x80070050: { name: "ERROR_FILE_EXISTS", code: "AlreadyExists" },
  0x80070057: { name: "E_INVALIDARG", code: "InvalidArgument" },
  0x8007006d: { name: "ERROR_BROKEN_PIPE", code: "Unavailable" },
  0x80070070: { name: "ERROR_DISK_FULL", code: "ResourceExhausted" },
  0x80070079: { name: "ERROR_SEM_TIMEOUT", code: "DeadlineExceeded" },
  0x8007007b: { name: "ERROR_INVALID_NAME", code: "InvalidArgument" },
  0x8007007f: { name: "ERROR_PROC_NOT_FOUND", code: "NotImplemented" },
  0x800700b7: { name: "ERROR_ALREADY_EXISTS", code: "AlreadyExists" },
  0x800700e7: {
    name: "ERROR_PIPE_BUSY",
    code: "Unavailable",
    hint: "all instances of the pipe are taken",
  },
  0x800700e8: { name: "ERROR_NO_DATA", code: "Unavailable" },
  0x800700e9: { name: "ERROR_PIPE_NOT_CONNECTED", code: "Unavailable" },
  0x800703e3: { name: "ERROR_OPERATION_ABORTED", code: "Canceled" },
  0x80070490: { name: "ERROR_NOT_FOUND", code: "NotFound" },
  0x800704c9: { name: "ERROR_CONNECTION_REFUSED", code: "Unavailable" },
  0x800704d4: { name: "ERROR_CONNECTION_ABORTED", code: "Unavailable" },
  0x80070570: { name: "ERROR_FILE_CORRUPT", code: "DataLoss" },
  0x800705aa: { name: "ERROR_NO_SYSTEM_RESOURCES", code: "ResourceExhausted" },
  0x800706ba: {
    name: "RPC_S_SERVER_UNAVAILABLE",
    code: "Unavailable",
    hint: "is the service vmcompute running?",
  },
  0x800706be: {
    name: "RPC_S_CALL_FAILED",
    code: "Unavailable",
    hint: "the service ended during the call; see its event log",
  },
  0x80072714: { name: "WSAEINTR", code: "Canceled" },
  0x8007271d: {
    name: "WSAEACCES",
    code: "PermissionDenied",
    hint: "run as an administrator or a member of Hyper-V Administrators",
  },
  0x8007273f: {
    name: "WSAEAFNOSUPPORT",
    code: "FailedPrecondition",
    hint: "this machine has no Hyper-V sockets: enable the feature Hyper-V",
  },
  0x80072740: { name: "WSAEADDRINUSE", code: "AlreadyExists" },
  0x80072741: {
    name: "WSAEADDRNOTAVAIL",
    code: "NotFound",
    hint: "there is no such virtual machine, or it has ended",
  },
  0x80072745: { name: "WSAECONNABORTED", code: "Unavailable" },
  0x80072746: { name: "WSAECONNRESET", code: "Unavailable" },
  0x80072747: { name: "WSAENOBUFS", code: "ResourceExhausted" },
  0x80072749: { name: "WSAENOTCONN", code: "Unavailable" },
  0x8007274d: { name: "WSAECONNREFUSED", code: "Unavailable" },
  0x803b0001: { name: "HCN_E_NETWORK_NOT_FOUND", code: "NotFound" },
  0x803b0002: { name: "HCN_E_ENDPOINT_NOT_FOUND", code: "NotFound" },
  0x803b0013: { name: "HCN_E_PORT_ALREADY_EXISTS", code: "AlreadyExists" },
  0x803b001b: { name: "HCN_E_INVALID_JSON", code: "InvalidArgument" },
  0x803b0020: { name: "HCN_E_MANAGER_STOPPED", code: "Unavailable" },
  0xc03a0012: { name: "ERROR_VHD_INVALID_SIZE", code: "InvalidArgument" },
  0xc03a0014: {
    name: "ERROR_VIRTDISK_PROVIDER_NOT_FOUND",
    code: "NotImplemented",
  },
  0xc03a0015: {
    name: "ERROR_VIRTDISK_NOT_VIRTUAL_DISK",
    code: "InvalidArgument",
  },
  0xc03a001a: {
    name: "ERROR_VIRTUAL_DISK_LIMITATION",
    code: "FailedPrecondition",
    hint: "the file must not be compressed, encrypted or sparse",
  },
};

/** Codes that the product itself raises or compares with, unsigned. */
export const HResult = {
  /** No handler for a message. */
  NotImplemented: 0x80004001,
  /** An error without a code of its own. */
  Fail: 0x80004005,
  /** Unknown process, adapter or namespace. */
  ElementNotFound: 0x80070490,
  /** An argument that cannot be right. */
  InvalidArgument: 0x80070057,
  /** Something that is ending refuses calls like this. */
  AccessDenied: 0x80070005,
  /** A handle that is closed, or was never one. */
  InvalidHandle: 0x80070006,
  /** The call goes on; a notification ends it. */
  Pending: 0xc0370103,
  /** The object is in the wrong state. */
  InvalidState: 0xc0370105,
  /** The virtual machine stopped by itself. */
  UnexpectedExit: 0xc0370106,
  /** A wait in the guest ended without its event. */
  Timeout: 0xc0370109,
  /** The bridge was lost. */
  ConnectionClosed: 0xc037010a,
  /** No common protocol version. */
  UnsupportedProtocolVersion: 0xc037010c,
  /** A document that cannot be decoded. */
  InvalidJson: 0xc037010d,
  /** Unknown compute system or container. */
  SystemNotFound: 0xc037010e,
  /** The id is taken. */
  SystemAlreadyExists: 0xc037010f,
  /** The compute system or container is not running. */
  SystemAlreadyStopped: 0xc0370110,
  /** The guest's form of "in the wrong state". */
  GuestInvalidState: 0x80370105,
} as const;

const computeFacility = 0x00370000;

function lookUp(hresult: number): Row {
  if ((hresult & 0x1fff0000) === computeFacility) {
    const row = compute[hresult & 0xffff];
    if (row !== undefined) return row;
  }
  const win32 = hresult <= 0xffff ? (0x80070000 | hresult) >>> 0 : hresult;
  return others[win32] ?? { name: "HRESULT", code: "Unknown" };
}

/** Text of a code: its name and its hexadecimal value. */
export function describeHResult(hresult: number): string {
  const value = hresult >>> 0;
  const hex = value.toString(16).toUpperCase().padStart(8, "0");
  return `${lookUp(value).name} (0x${hex})`;
}

/**
 * True when both codes mean the same condition: equal, or the vmcompute and the
 * computecore form of one condition, or a Win32 code and its HRESULT.
 */
export function sameCondition(a: number, b: number): boolean {
  const plain = (value: number): number => {
    const unsigned = value >>> 0;
    if ((unsigned & 0x1fff0000) === computeFacility) {
      return unsigned & 0x3fffffff;
    }
    if ((unsigned & 0xffff0000) >>> 0 === 0x80070000) return unsigned & 0xffff;
    return unsigned;
  };
  return plain(a) === plain(b);
}

/**
 * An error that a native call, the compute service or the guest answered.
 *
 * @example The class follows the code
 * ```ts
 * import { HResultError } from "./hresult.ts";
 * const error = new HResultError(-1070137074, 'Cannot open "pod@vm"');
 * console.assert(error.code === "NotFound");
 * console.assert(error.hresult === 0xc037010e);
 * ```
 */
export class HResultError extends ShimError {
  /** Name shown in stacks and logs. */
  override readonly name = "HResultError";
  /** The code, unsigned 32 bit. */
  readonly hresult: number;
  /** What the code's origin calls it, for example `HCS_E_SYSTEM_NOT_FOUND`. */
  readonly symbol: string;
  /** What a person can do about it, when that is known. */
  readonly hint: string | undefined;

  /**
   * The failure that a code says.
   *
   * @param hresult The code, signed or unsigned.
   * @param message What failed and on which thing; code, name and hint are appended.
   * @param options The error that caused this one, if any.
   */
  constructor(hresult: number, message: string, options?: ErrorOptions) {
    const row = lookUp(hresult >>> 0);
    const hint = row.hint === undefined ? "" : `; ${row.hint}`;
    super(row.code, `${message}: ${describeHResult(hresult)}${hint}`, options);
    this.hresult = hresult >>> 0;
    this.symbol = row.name;
    this.hint = row.hint;
  }
}

function hasCondition(error: unknown, codes: readonly number[]): boolean {
  for (let depth = 0; error instanceof Error && depth < 16; depth++) {
    if (error instanceof HResultError) {
      const { hresult } = error;
      return codes.some((code) => sameCondition(code, hresult));
    }
    error = error.cause;
  }
  return false;
}

/** True when the thing that the call named does not exist. */
export function isNotFound(error: unknown): boolean {
  return hasCondition(error, [HResult.SystemNotFound, HResult.ElementNotFound]);
}

/** True when the thing that the call wanted to stop has stopped already. */
export function isAlreadyStopped(error: unknown): boolean {
  return hasCondition(error, [HResult.SystemAlreadyStopped, 0x8037011f]);
}

/**
 * True when the virtual machine or the bridge is gone, so that a release has
 * nothing left to do.
 */
export function isGone(error: unknown): boolean {
  return hasCondition(error, [
    HResult.SystemNotFound,
    HResult.ElementNotFound,
    HResult.SystemAlreadyStopped,
    0x8037011f,
    HResult.InvalidState,
    HResult.InvalidHandle,
    HResult.ConnectionClosed,
  ]);
}

/**
 * True when what was asked about has ended meanwhile. The conditions are those of
 * hcsshim's shim.
 */
export function hasLeft(error: unknown): boolean {
  return hasCondition(error, [
    HResult.SystemNotFound,
    HResult.ElementNotFound,
    HResult.InvalidState,
    HResult.InvalidHandle,
    HResult.AccessDenied,
  ]);
}
