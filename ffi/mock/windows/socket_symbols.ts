/**
 * The symbols of `ws2_32.dll` and `mswsock.dll` for Hyper-V sockets.
 *
 * @module
 */

import { guidText } from "../../../base/guid.ts";
import type {
  MswsockSymbols,
  Ws2_32Symbols,
} from "../../windows/library/ws2_32.ts";
import { writeOut } from "../heap.ts";
import { CallFailure } from "./calls.ts";
import type { Handle } from "./handles.ts";
import type { FakeKernel } from "./kernel.ts";
import { type Address, bytesOf, viewOf } from "./memory.ts";
import { FakeSocket, type FakeSockets } from "./socket.ts";
import { NtStatus, winsockCode } from "./status.ts";

const invalidSocket = 0xffff_ffff_ffff_ffffn;
const socketError = -1;
const ok = 0;

/** Codes of Winsock. */
const fault = 10014;
const invalidArgument = 10022;
const notSocket = 10038;
const familyNotSupported = 10047;

/** Family, type and protocol of Hyper-V sockets; overlapped, not inherited. */
const hyperV = [34, 1, 1, 0x81];

/** `SOCKADDR_HV`, and with what `AcceptEx` wants beyond. */
const addressSize = 36;
const acceptSize = addressSize + 16;

/** `WSADATA`. */
const dataSize = 408;

const updateAcceptContext = 0x700b;
const updateConnectContext = 0x7010;
const connectExId = "25a207b9-ddf3-4660-8ee9-76e58c74063e";

/** `ConnectEx` as a native function. */
const connectEx = {
  parameters: ["u64", "pointer", "i32", "u64", "u32", "u64", "u64"],
  result: "i32",
} as const satisfies Deno.UnsafeCallbackDefinition;

/** The symbols, and the native function that was made for one of them. */
export interface SocketSymbols {
  /** `ws2_32.dll`. */
  readonly ws2_32: Ws2_32Symbols;
  /** `mswsock.dll`. */
  readonly mswsock: MswsockSymbols;
  /** Closes the native function. */
  close(): void;
}

/** The address in a `SOCKADDR_HV`. @throws {CallFailure} When it is none. */
function addressOf(bytes: Uint8Array, length: number): string {
  const isHyperV = bytes.length === addressSize && length === addressSize &&
    bytes[0] === 34 && bytes[1] === 0;
  if (!isHyperV) throw new CallFailure(fault);
  return bytes.toHex();
}

/** The symbols of sockets. */
export function socketSymbols(
  kernel: FakeKernel,
  sockets: FakeSockets,
): SocketSymbols {
  const { calls, memory, handles, operations } = kernel;
  let native: Deno.UnsafeCallback<typeof connectEx> | undefined;
  const find = (symbol: string, handle: Handle): FakeSocket =>
    handles.find(symbol, handle, FakeSocket, notSocket);
  const run = (
    symbol: string,
    handle: Handle,
    body: (socket: FakeSocket) => void,
  ): number =>
    calls.run(symbol, socketError, () => {
      body(find(symbol, handle));
      return ok;
    });
  const transfer = (
    symbol: "WSARecv" | "WSASend",
    handle: Handle,
    buffers: Address,
    count: number,
    overlapped: Address,
    flags?: Address,
  ): number =>
    run(symbol, handle, (object) => {
      if (flags !== undefined) memory.viewAt(symbol, flags, 4);
      const { incoming, outgoing } = object.connected();
      if (count !== 1) throw new CallFailure(invalidArgument);
      const buffer = memory.viewAt(symbol, buffers, 16);
      const length = buffer.getUint32(0, true);
      const bytes = memory.at(symbol, buffer.getBigUint64(8, true), length);
      const call = { symbol, handle, object, overlapped, bytes };
      operations.begin({ ...call, code: winsockCode }, (operation) =>
        symbol === "WSARecv"
          ? incoming.read(operation)
          : outgoing.write(operation));
    });
  const connect = (
    handle: bigint,
    name: Deno.PointerValue,
    length: number,
    overlapped: bigint,
  ): number =>
    calls.run("ConnectEx", 0, () => {
      const object = find("ConnectEx", handle);
      if (object.address === undefined) throw new CallFailure(invalidArgument);
      if (name === null) throw new CallFailure(fault);
      const view = new Deno.UnsafePointerView(name).getArrayBuffer(addressSize);
      const address = addressOf(new Uint8Array(view).slice(), length);
      const call = { symbol: "ConnectEx", handle, object, overlapped };
      operations.begin({ ...call, code: winsockCode }, (operation) => {
        const connection = sockets.connect(address);
        object.connection = connection;
        // It takes its time to be refused, too.
        queueMicrotask(() =>
          operation.settle(
            connection === undefined
              ? NtStatus.ConnectionRefused
              : NtStatus.Success,
            0,
          )
        );
        return NtStatus.Pending;
      });
      return 1;
    });
  const ws2_32: Ws2_32Symbols = {
    WSAStartup: (_version, data) => {
      const started = calls.run("WSAStartup", socketError, () => {
        if (bytesOf(data).length < dataSize) throw new CallFailure(fault);
        return ok;
      });
      return started === ok ? ok : calls.lastError;
    },
    WSAGetLastError: () => calls.lastError,
    WSASocketW: (...[family, type, protocol, , , flags]) =>
      calls.run("WSASocketW", invalidSocket, () => {
        const asked = [family, type, protocol, flags];
        if (asked.some((value, index) => value !== hyperV[index])) {
          throw new CallFailure(familyNotSupported);
        }
        return handles.add(new FakeSocket(sockets));
      }),
    bind: (handle, name, length) =>
      run("bind", handle, (socket) => {
        sockets.bind(socket, addressOf(bytesOf(name), length));
      }),
    listen: (handle, backlog) =>
      run("listen", handle, (socket) => {
        if (socket.address === undefined) {
          throw new CallFailure(invalidArgument);
        }
        socket.backlog = [];
        socket.limit = backlog;
      }),
    setsockopt: (handle, level, option, value, length) =>
      run("setsockopt", handle, (socket) => {
        socket.connected();
        const isAccept = option === updateAcceptContext && length === 8;
        const isConnect = option === updateConnectContext && length === 0;
        if (level !== 0xffff || !(isAccept || isConnect)) {
          throw new CallFailure(invalidArgument);
        }
        if (isAccept) {
          find("setsockopt", viewOf(value).getBigUint64(0, true));
        }
        socket.isUpdated = true;
      }),
    WSAIoctl: (handle, _code, id, _size, out) =>
      run("WSAIoctl", handle, () => {
        if (guidText(bytesOf(id)) !== connectExId) {
          throw new CallFailure(invalidArgument);
        }
        native ??= new Deno.UnsafeCallback(
          connectEx,
          (socket, name, length, _data, _size, _sent, overlapped) =>
            connect(socket, name, length, overlapped),
        );
        writeOut(out, Deno.UnsafePointer.value(native.pointer));
      }),
    WSARecv: (handle, buffers, count, _received, flags, overlapped) =>
      transfer("WSARecv", handle, buffers, count, overlapped, flags),
    WSASend: (handle, buffers, count, _sent, _flags, overlapped) =>
      transfer("WSASend", handle, buffers, count, overlapped),
    shutdown: (handle, how) =>
      run("shutdown", handle, (socket) => {
        if (how !== 1) throw new CallFailure(invalidArgument);
        socket.endWrite();
      }),
    closesocket: (handle) =>
      calls.run("closesocket", socketError, () => {
        operations.closing("closesocket", handle);
        const isSocket = (object: unknown): boolean =>
          object instanceof FakeSocket;
        handles.close("closesocket", handle, isSocket);
        return ok;
      }),
  };
  const mswsock: MswsockSymbols = {
    AcceptEx: (...[handle, accepting, room, , local, remote, , overlapped]) =>
      calls.run("AcceptEx", 0, () => {
        const symbol = "AcceptEx";
        const object = find(symbol, handle);
        const socket = find(symbol, accepting);
        if (local !== acceptSize || remote !== acceptSize) {
          throw new CallFailure(invalidArgument);
        }
        const bytes = memory.at(symbol, room, local + remote);
        operations.begin(
          { symbol, handle, object, overlapped, bytes, code: winsockCode },
          (operation) => object.accept({ operation, socket }),
        );
        return 1;
      }),
  };
  return { ws2_32, mswsock, close: () => native?.close() };
}
