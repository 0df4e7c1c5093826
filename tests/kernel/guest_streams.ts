/**
 * The host's ends of a guest's streams.
 *
 * @module
 */

import {
  connDuplex,
  type Duplex,
  type DuplexListener,
  listenerDuplex,
} from "../../base/duplex.ts";

/** Reads a stream to its end. */
export async function readAll(stream: Duplex | undefined): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (let n; stream && (n = await stream.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, n));
  }
  return await new Blob(parts).bytes();
}

/** Reads a stream to its end, as text. */
export async function readText(stream: Duplex | undefined): Promise<string> {
  return new TextDecoder().decode(await readAll(stream));
}

/** Reads until the text has come; what follows stays in the stream or is lost. */
export async function readUntil(
  stream: Duplex,
  wanted: string,
): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes(wanted)) {
    const n = await stream.read(buffer);
    if (n === null) throw new Error(`No "${wanted}" in "${text}"`);
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

/** Listens on a port of this side. */
export function listen(path: string): DuplexListener {
  return listenerDuplex(Deno.listen({ transport: "unix", path }));
}

/** A connection to a port of this machine's side. */
export async function connect(path: string): Promise<Duplex> {
  return connDuplex(await Deno.connect({ transport: "unix", path }));
}
