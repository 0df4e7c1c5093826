/**
 * The alternative to the completion port, for comparison only: every read and
 * every write blocks a thread of Deno's pool.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { Duplex } from "../../base/duplex.ts";
import { vsockServiceId } from "../../base/guid.ts";
import { hvAddress } from "../../ffi/windows/io/hv_address.ts";
import { openSocket } from "../../ffi/windows/io/socket.ts";
import { systemOpener } from "../../ffi/windows/library/dll.ts";
import { encodeUtf16 } from "../../ffi/windows/library/utf16.ts";
import { invalidHandle } from "../../ffi/windows/library/kernel32.ts";
import { Win32, win32Error } from "../../ffi/windows/library/win32_error.ts";
import type { Ws2_32Symbols } from "../../ffi/windows/library/ws2_32.ts";

const file = {
  parameters: ["u64", "buffer", "u32", "buffer", "u64"],
  result: "i32",
  nonblocking: true,
} as const;

const socketCall = {
  parameters: ["u64", "buffer", "i32", "i32"],
  result: "i32",
  nonblocking: true,
} as const;

/** What one blocking call gives: bytes, or 0 at the end. */
type Move = (bytes: Uint8Array<ArrayBuffer>) => Promise<number>;

function blockingStream(read: Move, write: Move, close: () => void): Duplex {
  return {
    read: async (buffer) => {
      const n = await read(buffer as Uint8Array<ArrayBuffer>);
      return n > 0 ? n : null;
    },
    write: async (bytes) => {
      for (let sent = 0; sent < bytes.length;) {
        const rest = bytes.subarray(sent) as Uint8Array<ArrayBuffer>;
        const n = await write(rest);
        if (n <= 0) throw new Error("Cannot write");
        sent += n;
      }
    },
    closeWrite: () => Promise.resolve(),
    close: () => Promise.resolve(close()),
  };
}

/** Connects to a pipe whose operations block. */
export async function dialPipeBlocking(name: string): Promise<Duplex> {
  const { symbols } = systemOpener.open("C:\\windows\\System32\\kernel32.dll", {
    CreateFileW: {
      parameters: ["buffer", "u32", "u32", "u64", "u32", "u32", "u64"],
      result: "u64",
    },
    ReadFile: file,
    WriteFile: file,
    CloseHandle: { parameters: ["u64"], result: "i32" },
    GetLastError: { parameters: [], result: "u32" },
  });
  const text = encodeUtf16(name);
  const open = (): bigint =>
    symbols.CreateFileW(text, 0xc000_0000, 0, 0n, 3, 0, 0n);
  let handle = open();
  while (handle === invalidHandle) {
    const code = symbols.GetLastError();
    if (code !== Win32.PipeBusy) {
      throw win32Error(code, `Cannot connect to "${name}"`);
    }
    await systemClock.sleep(1); // The listener gets its turn.
    handle = open();
  }
  const move = (call: typeof symbols.ReadFile): Move => async (bytes) => {
    const count = new Uint32Array(1);
    const ok = await call(handle, bytes, bytes.length, count, 0n);
    return ok === 0 ? 0 : count[0]!;
  };
  return blockingStream(
    move(symbols.ReadFile),
    move(symbols.WriteFile),
    () => symbols.CloseHandle(handle),
  );
}

/** Connects to a Hyper-V socket whose operations block. */
export async function dialSocketBlocking(
  ws2_32: Ws2_32Symbols,
  vmId: string,
  port: number,
): Promise<Duplex> {
  const path = systemOpener.override?.("ws2_32.dll") ??
    "C:\\windows\\System32\\ws2_32.dll";
  const { symbols } = systemOpener.open(path, {
    connect: {
      parameters: ["u64", "buffer", "i32"],
      result: "i32",
      nonblocking: true,
    },
    recv: socketCall,
    send: socketCall,
  });
  const socket = openSocket(ws2_32, "the benchmark");
  const address = hvAddress(vmId, vsockServiceId(port));
  if (await symbols.connect(socket, address, address.length) !== 0) {
    throw win32Error(10061, "Cannot connect");
  }
  return blockingStream(
    (bytes) => symbols.recv(socket, bytes, bytes.length, 0),
    (bytes) => symbols.send(socket, bytes, bytes.length, 0),
    () => ws2_32.closesocket(socket),
  );
}
