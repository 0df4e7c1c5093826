/**
 * Status codes of the pretended kernel, and what each becomes at the surface.
 *
 * @module
 */

/** `NTSTATUS` values that pipes and sockets complete with, unsigned. */
export const NtStatus = {
  /** Done. */
  Success: 0,
  /** Goes on and completes on the port. */
  Pending: 0x0000_0103,
  /** A fault that no table knows. */
  Unsuccessful: 0xc000_0001,
  /** The server disconnected the pipe, or nobody has connected it. */
  PipeDisconnected: 0xc000_00b0,
  /** The other side of the pipe has closed. */
  PipeClosing: 0xc000_00b1,
  /** A client is there already. */
  PipeConnected: 0xc000_00b2,
  /** Cancelled. */
  Cancelled: 0xc000_0120,
  /** The other side of the pipe is gone. */
  PipeBroken: 0xc000_014b,
  /** The other side of the connection reset it. */
  ConnectionReset: 0xc000_020d,
  /** Nobody listens. */
  ConnectionRefused: 0xc000_0236,
  /** The connection was given up here. */
  ConnectionAborted: 0xc000_0241,
  /** Out of memory. */
  InsufficientResources: 0xc000_009a,
} as const;

/** `ERROR_MR_MID_NOT_FOUND`: for a status without a Win32 code. */
const unknownStatus = 317;

const win32Codes: Readonly<Record<number, number>> = {
  [NtStatus.Success]: 0,
  [NtStatus.Pending]: 997,
  [NtStatus.Unsuccessful]: 31,
  [NtStatus.PipeDisconnected]: 233,
  [NtStatus.PipeClosing]: 232,
  [NtStatus.PipeConnected]: 535,
  [NtStatus.Cancelled]: 995,
  [NtStatus.PipeBroken]: 109,
  // A completion that is translated by hand has no codes of Winsock.
  [NtStatus.ConnectionReset]: 64,
  [NtStatus.ConnectionRefused]: 1225,
  [NtStatus.ConnectionAborted]: 1236,
  [NtStatus.InsufficientResources]: 1450,
};

const winsockCodes: Readonly<Record<number, number>> = {
  [NtStatus.Pending]: 997,
  [NtStatus.ConnectionReset]: 10054,
  [NtStatus.ConnectionRefused]: 10061,
  [NtStatus.ConnectionAborted]: 10053,
};

/** `RtlNtStatusToDosError`. */
export function win32Code(status: number): number {
  return win32Codes[status >>> 0] ?? unknownStatus;
}

/** The code with which a socket call fails at once. */
export function winsockCode(status: number): number {
  return winsockCodes[status >>> 0] ?? win32Code(status);
}

/** True for statuses that a call which fails at once reports. */
export function isFailure(status: number): boolean {
  return (status | 0) < 0;
}
