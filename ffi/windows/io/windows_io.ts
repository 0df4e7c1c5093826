/**
 * What all streams of the process share: the completion port, the buffers and
 * the DLLs.
 *
 * @module
 */

import { advapi32Dll, type Advapi32Symbols } from "../library/advapi32.ts";
import type { DllOpener } from "../library/dll.ts";
import { kernel32Dll, type Kernel32Symbols } from "../library/kernel32.ts";
import { ntdllDll, type NtdllSymbols } from "../library/ntdll.ts";
import {
  mswsockDll,
  type MswsockSymbols,
  ws2_32Dll,
  type Ws2_32Symbols,
} from "../library/ws2_32.ts";
import { BufferPool } from "./buffer_pool.ts";
import { CompletionPort } from "./completion_port.ts";
import { win32Error } from "../library/win32_error.ts";

/** The DLLs; each is loaded when it is first asked for. */
export interface IoLibraries {
  /** Files, pipes and the completion port. */
  readonly kernel32: Kernel32Symbols;
  /** Status codes. */
  readonly ntdll: NtdllSymbols;
  /** Security descriptors. */
  readonly advapi32: Advapi32Symbols;
  /** Sockets. */
  readonly ws2_32: Ws2_32Symbols;
  /** Accepting sockets. */
  readonly mswsock: MswsockSymbols;
}

/** The DLLs of this machine. */
export function systemIoLibraries(opener?: DllOpener): IoLibraries {
  const dlls = {
    kernel32: kernel32Dll(opener),
    ntdll: ntdllDll(opener),
    advapi32: advapi32Dll(opener),
    ws2_32: ws2_32Dll(opener),
    mswsock: mswsockDll(opener),
  };
  let started = false;
  return {
    get kernel32() {
      return dlls.kernel32.symbols;
    },
    get ntdll() {
      return dlls.ntdll.symbols;
    },
    get advapi32() {
      return dlls.advapi32.symbols;
    },
    get ws2_32() {
      const { symbols } = dlls.ws2_32;
      if (!started) startSockets(symbols);
      started = true;
      return symbols;
    },
    get mswsock() {
      return dlls.mswsock.symbols;
    },
  };
}

/** `MAKEWORD(2, 2)`. */
const socketsVersion = 0x0202;

/** Bytes of `WSADATA`. */
const socketsDataSize = 408;

/** @throws {HResultError} When Windows has no sockets. */
function startSockets(ws2_32: Ws2_32Symbols): void {
  const data = new Uint8Array(socketsDataSize);
  const code = ws2_32.WSAStartup(socketsVersion, data);
  if (code !== 0) throw win32Error(code, "Cannot use sockets");
}

/** One per process: a completion port and what belongs to it. */
export class WindowsIo {
  /** The DLLs. */
  readonly libraries: IoLibraries;
  /** Where all operations complete. */
  readonly port: CompletionPort;
  /** Lends native memory. */
  readonly buffers: BufferPool;

  /**
   * @param libraries The DLLs.
   * @throws {HResultError} When the system cannot make a completion port.
   */
  constructor(libraries: IoLibraries = systemIoLibraries()) {
    this.libraries = libraries;
    const { kernel32, ntdll } = libraries;
    this.port = new CompletionPort({ kernel32, ntdll });
    this.buffers = new BufferPool(kernel32);
  }

  /** Frees everything. No stream may be open. */
  close(): void {
    this.port.close();
    this.buffers.close();
  }
}
