/**
 * Dialling a Hyper-V socket. The product is dialled by its guests; who looks into
 * a virtual machine, or tests a listener, dials.
 *
 * @module
 */

import type { Duplex } from "../../../base/duplex.ts";
import { guidBytes, nullGuid, vsockServiceId } from "../../../base/guid.ts";
import type { Ws2_32Symbols } from "../library/ws2_32.ts";
import { hvAddress } from "./hv_address.ts";
import {
  openSocket,
  socketLevel,
  socketOutcome,
  socketStream,
} from "./socket.ts";
import { win32Error } from "../library/win32_error.ts";
import type { WindowsIo } from "./windows_io.ts";

/** `SIO_GET_EXTENSION_FUNCTION_POINTER`. */
const getExtension = 0xc800_0006;

/** `WSAID_CONNECTEX`. */
const connectExId = "25a207b9-ddf3-4660-8ee9-76e58c74063e";

/** `SO_UPDATE_CONNECT_CONTEXT`: lets the connected socket be shut down. */
const updateConnectContext = 0x7010;

/** `ConnectEx`: no DLL exports it, a socket tells its address. */
const connectEx = {
  parameters: [
    "u64", // SOCKET s
    "buffer", // const struct sockaddr* name: read during the call
    "i32", // int namelen
    "u64", // PVOID lpSendBuffer: 0
    "u32", // DWORD dwSendDataLength
    "u64", // LPDWORD lpdwBytesSent: 0
    "u64", // LPOVERLAPPED lpOverlapped
  ],
  result: "i32", // BOOL
} as const satisfies Deno.UnsafeCallbackDefinition;

/**
 * Connects to a vsock port of a virtual machine.
 *
 * @param vmId GUID of the virtual machine.
 * @param port vsock port.
 * @throws {HResultError} What the system answered, for example WSAECONNREFUSED.
 * @throws The signal's reason.
 */
export async function dialHv(
  io: WindowsIo,
  vmId: string,
  port: number,
  signal?: AbortSignal,
): Promise<Duplex> {
  signal?.throwIfAborted();
  const name = `port ${port} of virtual machine "${vmId}"`;
  const address = hvAddress(vmId, vsockServiceId(port));
  const { ws2_32 } = io.libraries;
  const socket = openSocket(ws2_32, name);
  const refusal = (code: number): Error =>
    win32Error(code, `Cannot connect to ${name}`);
  const connecting = (async () => {
    // ConnectEx wants a bound socket.
    const anywhere = hvAddress(nullGuid, nullGuid);
    if (ws2_32.bind(socket, anywhere, anywhere.length) !== 0) {
      throw refusal(ws2_32.WSAGetLastError());
    }
    io.port.attach(socket, name);
    const connect = findConnectEx(ws2_32, socket);
    const result = await io.port.submit(({ overlapped }) => {
      const { length } = address;
      const ok = connect.call(socket, address, length, 0n, 0, 0n, overlapped);
      return socketOutcome(ws2_32, ok !== 0);
    });
    if (result < 0) throw refusal(-result);
    const updated = ws2_32.setsockopt(
      socket,
      socketLevel,
      updateConnectContext,
      null,
      0,
    );
    if (updated !== 0) throw refusal(ws2_32.WSAGetLastError());
    return socketStream(io, socket, name);
  })();
  const cancel = (): void => io.port.cancel(socket);
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await connecting;
  } catch (error) {
    ws2_32.closesocket(socket);
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

function findConnectEx(
  ws2_32: Ws2_32Symbols,
  socket: bigint,
): Deno.UnsafeFnPointer<typeof connectEx> {
  const found = new BigUint64Array(1);
  const failed = ws2_32.WSAIoctl(
    socket,
    getExtension,
    guidBytes(connectExId),
    16,
    found,
    found.byteLength,
    new Uint32Array(1),
    0n,
    0n,
  );
  const pointer = failed === 0
    ? Deno.UnsafePointer.create<typeof connectEx>(found[0]!)
    : null;
  if (pointer === null) {
    throw win32Error(ws2_32.WSAGetLastError(), "Cannot find ConnectEx");
  }
  return new Deno.UnsafeFnPointer(pointer, connectEx);
}
