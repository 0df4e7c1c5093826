/**
 * A 9p server for tests: one folder of files that can be read
 * (protocol 9P2000.L of the kernel's `net/9p`).
 *
 * @module
 */

/** Numbers of the requests that it answers; an answer has the next number. */
const requests = {
  statfs: 8,
  open: 12,
  getattr: 24,
  version: 100,
  attach: 104,
  walk: 110,
  read: 116,
  clunk: 120,
} as const;

const errorAnswer = 7;
const notSupported = 95;
const notFound = 2;
const rootPath = 0n;

/** Little-endian members of a message. */
class Body {
  readonly bytes: number[] = [];

  /** Appends a number of `size` bytes. */
  number(size: number, value: number | bigint): this {
    let rest = BigInt(value);
    for (let i = 0; i < size; i++, rest >>= 8n) {
      this.bytes.push(Number(rest & 0xffn));
    }
    return this;
  }

  /** Appends bytes. */
  raw(bytes: Uint8Array): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }
}

/** Reads members of a message. */
class Members {
  #at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  number(size: 1 | 2 | 4): number {
    const at = this.#at;
    this.#at += size;
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, true);
    return this.#view.getUint32(at, true);
  }

  long(): bigint {
    this.#at += 8;
    return this.#view.getBigUint64(this.#at - 8, true);
  }

  text(): string {
    const length = this.number(2);
    const { buffer, byteOffset } = this.#view;
    const bytes = new Uint8Array(buffer, byteOffset + this.#at, length);
    this.#at += length;
    return new TextDecoder().decode(bytes);
  }
}

/**
 * Serves one connection until it ends.
 *
 * @param files Contents by name.
 * @param onAttach Called with the name of the share.
 */
export async function servePlan9(
  conn: Deno.Conn,
  files: ReadonlyMap<string, Uint8Array>,
  onAttach: (name: string) => void = () => {},
): Promise<void> {
  const names = [...files.keys()];
  const fids = new Map<number, bigint>();
  const contents = (path: bigint): Uint8Array | undefined =>
    files.get(names[Number(path) - 1] ?? "");
  const qid = (body: Body, path: bigint): Body =>
    body.number(1, path === rootPath ? 0x80 : 0).number(4, 0).number(8, path);
  const answer = (type: number, members: Members): Body | number => {
    const body = new Body();
    switch (type) {
      case requests.version: {
        const size = members.number(4);
        const version = new TextEncoder().encode(members.text());
        return body.number(4, size).number(2, version.length).raw(version);
      }
      case requests.attach: {
        fids.set(members.number(4), rootPath);
        members.number(4);
        members.text();
        onAttach(members.text());
        return qid(body, rootPath);
      }
      case requests.walk: {
        const from = fids.get(members.number(4)) ?? rootPath;
        const to = members.number(4);
        const count = members.number(2);
        if (count > 1) return notFound;
        const at = count === 0 ? -1 : names.indexOf(members.text());
        if (count === 1 && at < 0) return notFound;
        const path = count === 0 ? from : BigInt(at + 1);
        fids.set(to, path);
        body.number(2, count);
        return count === 0 ? body : qid(body, path);
      }
      case requests.getattr: {
        const path = fids.get(members.number(4)) ?? rootPath;
        const size = contents(path)?.length ?? 0;
        const mode = path === rootPath ? 0o40755 : 0o100644;
        qid(body.number(8, 0x7ff), path).number(4, mode);
        body.number(4, 0).number(4, 0).number(8, 1).number(8, 0);
        body.number(8, size).number(8, 4096).number(8, 1);
        for (let i = 0; i < 10; i++) body.number(8, 0);
        return body;
      }
      case requests.open:
        return qid(body, fids.get(members.number(4)) ?? rootPath).number(4, 0);
      case requests.read: {
        const path = fids.get(members.number(4)) ?? rootPath;
        const from = Number(members.long());
        const part = contents(path)?.subarray(from, from + members.number(4));
        return body.number(4, part?.length ?? 0).raw(part ?? new Uint8Array());
      }
      case requests.clunk:
        fids.delete(members.number(4));
        return body;
      default:
        return notSupported;
    }
  };
  for (;;) {
    const head = await readFull(conn, 7);
    if (head === undefined) return;
    const view = new DataView(head.buffer);
    const rest = await readFull(conn, view.getUint32(0, true) - 7);
    if (rest === undefined) return;
    const type = head[4]!;
    const result = answer(type, new Members(rest));
    const isError = typeof result === "number";
    const body = isError ? new Body().number(4, result) : result;
    const message = new Body().number(4, body.bytes.length + 7)
      .number(1, isError ? errorAnswer : type + 1).raw(head.subarray(5, 7))
      .raw(Uint8Array.from(body.bytes));
    await conn.write(Uint8Array.from(message.bytes));
  }
}

async function readFull(
  conn: Deno.Conn,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const n = await conn.read(bytes.subarray(at)).catch(() => null);
    if (n === null) return undefined;
    at += n;
  }
  return bytes;
}
