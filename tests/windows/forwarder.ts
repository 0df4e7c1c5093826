/**
 * The Linux side of the fake `vmcompute.dll`: answers its frames from a
 * {@linkcode ComputeHost}. The frames are described in `native/vmcompute.c`.
 *
 * @module
 */

import { readFull } from "../../base/duplex.ts";
import { connDuplex } from "../../base/duplex.ts";
import { ShimError } from "../../base/errors.ts";
import { mockVmCompute } from "../../ffi/mock/hcs.ts";
import type { MockVmCompute } from "../../ffi/mock/hcs.ts";
import {
  encodeUtf16,
  readUtf16,
  takeUtf16,
} from "../../ffi/windows/library/utf16.ts";
import type { ComputeHost } from "../../hcs/ports.ts";

const headerSize = 28;
const none = 0xffffffff;
const notification = 100;

interface Call {
  readonly handle: bigint;
  readonly texts: readonly Uint16Array<ArrayBuffer>[];
  readonly out: BigUint64Array<ArrayBuffer>;
  readonly value: BigUint64Array<ArrayBuffer>;
  readonly result: BigUint64Array<ArrayBuffer>;
}

type Operation = (
  symbols: MockVmCompute["symbols"],
  call: Call,
  text: (index: number) => Uint16Array<ArrayBuffer>,
  callback: Deno.PointerValue,
) => Promise<number> | undefined;

/** By operation number, from 1. */
const operations: readonly Operation[] = [
  (s, c, t) => s.HcsEnumerateComputeSystems?.(t(0), c.value, c.result),
  (s, c, t) => s.HcsCreateComputeSystem?.(t(0), t(1), 0n, c.out, c.result),
  (s, c, t) => s.HcsOpenComputeSystem?.(t(0), c.out, c.result),
  (s, c) => s.HcsCloseComputeSystem?.(c.handle),
  (s, c, t) => s.HcsStartComputeSystem?.(c.handle, t(0), c.result),
  (s, c, t) => s.HcsTerminateComputeSystem?.(c.handle, t(0), c.result),
  (s, c, t) =>
    s.HcsGetComputeSystemProperties?.(c.handle, t(0), c.value, c.result),
  (s, c, t) => s.HcsModifyComputeSystem?.(c.handle, t(0), c.result),
  (s, c, t, callback) =>
    s.HcsRegisterComputeSystemCallback?.(
      c.handle,
      callback,
      BigInt(new TextDecoder("utf-16le").decode(t(0).subarray(0, -1))),
      c.out,
    ),
  (s, c) => s.HcsUnregisterComputeSystemCallback?.(c.handle),
  (s, c, t) => s.HcsGetServiceProperties?.(t(0), c.value, c.result),
  (s, _c, t) => s.GrantVmAccess?.(t(0), t(1)),
  (s, _c, t) => s.RevokeVmAccess?.(t(0), t(1)),
];

/** A running forwarder. */
export interface Forwarder extends AsyncDisposable {
  /** Its TCP port on the loopback address. */
  readonly port: number;
  /** Handles that the callers have left open. */
  openHandles(): number;
}

function encodeFrame(
  head: {
    call: number;
    operation: number;
    handle: bigint;
    hresult: number;
    type: number;
  },
  texts: readonly (string | null)[],
): Uint8Array<ArrayBuffer> {
  const encoded = texts.map((text) =>
    text === null ? null : new TextEncoder().encode(text)
  );
  const size = encoded.reduce(
    (sum, text) => sum + 4 + (text?.length ?? 0),
    headerSize,
  );
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size - 4, true);
  view.setUint32(4, head.call, true);
  view.setUint16(8, head.operation, true);
  view.setUint16(10, texts.length, true);
  view.setBigUint64(12, head.handle, true);
  view.setUint32(20, head.hresult >>> 0, true);
  view.setUint32(24, head.type, true);
  let at = headerSize;
  for (const text of encoded) {
    view.setUint32(at, text?.length ?? none, true);
    if (text !== null) bytes.set(text, at + 4);
    at += 4 + (text?.length ?? 0);
  }
  return bytes;
}

async function serve(
  conn: Deno.TcpConn,
  library: MockVmCompute,
): Promise<void> {
  const stream = connDuplex(conn);
  let sent: Promise<unknown> = Promise.resolve();
  const send = (frame: Uint8Array<ArrayBuffer>): void => {
    // A peer that is gone reads nothing; its loss ends the reading below.
    sent = sent.then(() => stream.write(frame)).catch(() => {});
  };
  const callback = library.callback((type, context, status, data) => {
    const text = readUtf16(data, library.memory);
    const head = { call: 0, operation: notification, handle: context };
    send(encodeFrame({ ...head, hresult: status, type }, [text]));
  });
  const answer = async (frame: DataView, bytes: Uint8Array): Promise<void> => {
    const call = frame.getUint32(0, true);
    const operation = frame.getUint16(4, true);
    const texts: Uint16Array<ArrayBuffer>[] = [];
    let at = headerSize - 4;
    for (let i = frame.getUint16(6, true); i > 0; i--) {
      const size = frame.getUint32(at, true);
      const text = new TextDecoder().decode(
        bytes.subarray(at + 4, at + 4 + size),
      );
      texts.push(encodeUtf16(text));
      at += 4 + size;
    }
    const parts: Call = {
      handle: frame.getBigUint64(8, true),
      texts,
      out: new BigUint64Array(1),
      value: new BigUint64Array(1),
      result: new BigUint64Array(1),
    };
    const text = (index: number): Uint16Array<ArrayBuffer> => {
      const found = texts[index];
      if (found === undefined) {
        throw new ShimError(
          "InvalidArgument",
          `Operation ${operation} lacks text ${index}`,
        );
      }
      return found;
    };
    const hresult = await operations[operation - 1]?.(
      library.symbols,
      parts,
      text,
      callback,
    ) ?? 0x80004001;
    const { memory } = library;
    send(encodeFrame(
      { call, operation, handle: parts.out[0] ?? 0n, hresult, type: 0 },
      [takeUtf16(parts.value, memory), takeUtf16(parts.result, memory)],
    ));
  };
  const running = new Set<Promise<void>>();
  try {
    const head = new Uint8Array(4);
    while (await readFull(stream, head)) {
      const bytes = new Uint8Array(
        new DataView(head.buffer).getUint32(0, true),
      );
      if (!await readFull(stream, bytes)) break;
      const task = answer(new DataView(bytes.buffer), bytes)
        .finally(() => running.delete(task));
      running.add(task);
    }
  } finally {
    await Promise.all(running);
    await sent;
    await stream.close();
    library[Symbol.dispose]();
  }
}

/**
 * Serves fake DLLs on the loopback address.
 *
 * @param host Answers every call.
 */
export function forward(host: ComputeHost): Forwarder {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const libraries: MockVmCompute[] = [];
  const sessions: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      const library = mockVmCompute(host);
      libraries.push(library);
      sessions.push(serve(conn, library));
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    openHandles: () =>
      libraries.reduce((sum, library) => sum + library.openHandles, 0),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      await Promise.all(sessions);
    },
  };
}
