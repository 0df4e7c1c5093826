/**
 * A Windows machine in memory: the symbols that streams, processes and events
 * need, over an account of everything that is taken from them.
 *
 * @module
 */

import { vsockServiceId } from "../../../base/guid.ts";
import { hvAddress } from "../../windows/io/hv_address.ts";
import type { IoLibraries } from "../../windows/io/windows_io.ts";
import {
  advapi32Interface,
  type Advapi32Symbols,
} from "../../windows/library/advapi32.ts";
import {
  kernel32Interface,
  type Kernel32Symbols,
} from "../../windows/library/kernel32.ts";
import type { NtdllSymbols } from "../../windows/library/ntdll.ts";
import { accessListSymbols } from "./access_list.ts";
import { CallFailure, type FakeCalls } from "./calls.ts";
import { eventSymbols } from "./events.ts";
import { FakeFiles, fileSymbols } from "./files.ts";
import { FakeKernel, unfaked } from "./kernel.ts";
import { kernelSymbols } from "./kernel_symbols.ts";
import { viewOf } from "./memory.ts";
import type { FakePeer } from "./peer.ts";
import { pipeListSymbols } from "./pipe_list.ts";
import { pipeSymbols } from "./pipe_symbols.ts";
import { FakePipes } from "./pipes.ts";
import type { FakeProcess } from "./process.ts";
import {
  type ListedProcess,
  ownerSymbols,
  processListSymbols,
} from "./process_list.ts";
import { FakePort, type Packet } from "./port.ts";
import { processSymbols } from "./process_symbols.ts";
import { securitySymbols } from "./security.ts";
import { FakeSockets, peerOf } from "./socket.ts";
import { type SocketSymbols, socketSymbols } from "./socket_symbols.ts";
import { NtStatus, win32Code, winsockCode } from "./status.ts";

/** Bytes of `RTL_OSVERSIONINFOW`. */
const versionSize = 276;

/**
 * A pretended Windows. Its `libraries` are what the product calls; the rest is for
 * the test: the other sides of pipes and connections, failures, and the account.
 *
 * @example Fail the next call of a symbol
 * ```ts
 * import { WindowsIo } from "../../windows/io/windows_io.ts";
 * import { FakeWindows } from "./machine.ts";
 * using windows = new FakeWindows();
 * const io = new WindowsIo(windows.libraries);
 * windows.calls.fail("CreateNamedPipeW", 5); // ERROR_ACCESS_DENIED
 * io.close();
 * console.assert(windows.leftovers().length === 0);
 * ```
 */
export class FakeWindows implements Disposable {
  /** The account. */
  readonly kernel: FakeKernel = new FakeKernel();
  /** Named pipes. */
  readonly pipes: FakePipes = new FakePipes();
  /** Hyper-V sockets. */
  readonly sockets: FakeSockets = new FakeSockets();
  /** Files. */
  readonly files: FakeFiles = new FakeFiles();
  /** Processes that were started, in order. */
  readonly started: FakeProcess[] = [];
  /** Processes that are there already. */
  readonly processes: ListedProcess[] = [];
  /** Build number. */
  build = 26100;
  /** The DLLs. */
  readonly libraries: IoLibraries;
  readonly #sockets: SocketSymbols;

  /** Makes the symbols. */
  constructor() {
    this.#sockets = socketSymbols(this.kernel, this.sockets);
    const { ws2_32, mswsock } = this.#sockets;
    this.libraries = {
      kernel32: this.#kernel32(),
      ntdll: this.#ntdll(),
      advapi32: this.#advapi32(),
      ws2_32,
      mswsock,
    };
  }

  /** Calls and their failures. */
  get calls(): FakeCalls {
    return this.kernel.calls;
  }

  /**
   * A virtual machine dials.
   *
   * @throws {CallFailure} WSAECONNREFUSED when nobody listens.
   */
  dial(vmId: string, port: number): FakePeer {
    const address = hvAddress(vmId, vsockServiceId(port)).toHex();
    const connection = this.sockets.connect(address);
    if (connection !== undefined) return peerOf(connection);
    throw new CallFailure(winsockCode(NtStatus.ConnectionRefused));
  }

  /** Queues a packet that no operation of the fake has made. */
  post(port: bigint, packet: Packet): void {
    this.kernel.handles.find("post", port, FakePort).post(packet);
  }

  /** What was taken and not given back, and what the real Windows would punish. */
  leftovers(): string[] {
    return this.kernel.leftovers();
  }

  /** Closes the native function of the sockets. */
  [Symbol.dispose](): void {
    this.#sockets.close();
  }

  #kernel32(): Kernel32Symbols {
    const { kernel } = this;
    const rest = unfaked(kernel32Interface) as unknown as Kernel32Symbols;
    return {
      ...rest,
      ...kernelSymbols(kernel),
      ...pipeSymbols(kernel, this.pipes, this.files),
      ...pipeListSymbols(kernel, this.pipes),
      ...fileSymbols(kernel, this.files),
      ...eventSymbols(kernel),
      ...processSymbols(kernel, (process) => this.started.push(process)),
      ...processListSymbols(kernel, this.processes),
    };
  }

  #advapi32(): Advapi32Symbols {
    const { kernel } = this;
    const rest = unfaked(advapi32Interface) as unknown as Advapi32Symbols;
    return {
      ...rest,
      ...securitySymbols(kernel),
      ...accessListSymbols(kernel, this.files),
      ...ownerSymbols(kernel, this.processes),
    };
  }

  #ntdll(): NtdllSymbols {
    return {
      RtlNtStatusToDosError: (status) => win32Code(status),
      RtlGetVersion: (info) => {
        const view = viewOf(info);
        if (view.getUint32(0, true) !== versionSize) {
          this.kernel.misuse.push("RtlGetVersion with a wrong size");
        }
        view.setUint32(4, 10, true);
        view.setUint32(12, this.build, true);
        return 0;
      },
    };
  }
}
