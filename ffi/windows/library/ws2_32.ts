/**
 * The raw symbols of `ws2_32.dll` and `mswsock.dll`. Sockets are 64-bit integers.
 *
 * Overlapped calls report what went wrong by `WSAGetLastError`, which is right
 * only in the very next statement.
 *
 * @module
 */

import { type DllOpener, SystemDll } from "./dll.ts";

/** What the product uses of `ws2_32.dll`. */
export const ws2_32Interface = {
  /** Begins the use of the library. */
  WSAStartup: {
    parameters: [
      "u16", // WORD wVersionRequested
      "buffer", // LPWSADATA lpWSAData: 408 bytes
    ],
    result: "i32", // int: the error
  },
  /** The calling thread's last error. */
  WSAGetLastError: {
    parameters: [],
    result: "i32", // int
  },
  /** Makes a socket. */
  WSASocketW: {
    parameters: [
      "i32", // int af
      "i32", // int type
      "i32", // int protocol
      "buffer", // LPWSAPROTOCOL_INFOW lpProtocolInfo: null
      "u32", // GROUP g: 0
      "u32", // DWORD dwFlags
    ],
    result: "u64", // SOCKET
  },
  /** Gives a socket its address. */
  bind: {
    parameters: [
      "u64", // SOCKET s
      "buffer", // const struct sockaddr* name
      "i32", // int namelen
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Lets a socket take connections. */
  listen: {
    parameters: [
      "u64", // SOCKET s
      "i32", // int backlog
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Sets an option. */
  setsockopt: {
    parameters: [
      "u64", // SOCKET s
      "i32", // int level
      "i32", // int optname
      "buffer", // const char* optval
      "i32", // int optlen
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Asks for the address of an extension function. */
  WSAIoctl: {
    parameters: [
      "u64", // SOCKET s
      "u32", // DWORD dwIoControlCode
      "buffer", // LPVOID lpvInBuffer
      "u32", // DWORD cbInBuffer
      "buffer", // LPVOID lpvOutBuffer
      "u32", // DWORD cbOutBuffer
      "buffer", // LPDWORD lpcbBytesReturned
      "u64", // LPWSAOVERLAPPED lpOverlapped: 0
      "u64", // LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine: 0
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Receives; completes on the port. */
  WSARecv: {
    parameters: [
      "u64", // SOCKET s
      "u64", // LPWSABUF lpBuffers: native memory
      "u32", // DWORD dwBufferCount
      "u64", // LPDWORD lpNumberOfBytesRecvd: 0
      "u64", // LPDWORD lpFlags: native memory
      "u64", // LPWSAOVERLAPPED lpOverlapped
      "u64", // LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine: 0
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Sends; completes on the port. */
  WSASend: {
    parameters: [
      "u64", // SOCKET s
      "u64", // LPWSABUF lpBuffers: native memory
      "u32", // DWORD dwBufferCount
      "u64", // LPDWORD lpNumberOfBytesSent: 0
      "u32", // DWORD dwFlags
      "u64", // LPWSAOVERLAPPED lpOverlapped
      "u64", // LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine: 0
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Ends one direction. */
  shutdown: {
    parameters: [
      "u64", // SOCKET s
      "i32", // int how
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
  /** Closes a socket. */
  closesocket: {
    parameters: [
      "u64", // SOCKET s
    ],
    result: "i32", // int: 0 or SOCKET_ERROR
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** What the product uses of `mswsock.dll`. */
export const mswsockInterface = {
  /** Accepts into a socket that is there already; completes on the port. */
  AcceptEx: {
    parameters: [
      "u64", // SOCKET sListenSocket
      "u64", // SOCKET sAcceptSocket
      "u64", // PVOID lpOutputBuffer: native memory for both addresses
      "u32", // DWORD dwReceiveDataLength: 0
      "u32", // DWORD dwLocalAddressLength: address and 16
      "u32", // DWORD dwRemoteAddressLength: address and 16
      "u64", // LPDWORD lpdwBytesReceived: native memory
      "u64", // LPOVERLAPPED lpOverlapped
    ],
    result: "i32", // BOOL
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type Ws2_32Symbols = Deno.StaticForeignLibraryInterface<
  typeof ws2_32Interface
>;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type MswsockSymbols = Deno.StaticForeignLibraryInterface<
  typeof mswsockInterface
>;

/** `ws2_32.dll` of this machine, loaded at first use; it owns threads. */
export function ws2_32Dll(
  opener?: DllOpener,
): SystemDll<typeof ws2_32Interface> {
  return new SystemDll("ws2_32.dll", ws2_32Interface, { opener, pin: true });
}

/** `mswsock.dll` of this machine, loaded at first use; it owns threads. */
export function mswsockDll(
  opener?: DllOpener,
): SystemDll<typeof mswsockInterface> {
  return new SystemDll("mswsock.dll", mswsockInterface, { opener, pin: true });
}
