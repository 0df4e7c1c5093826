/**
 * Talking to the kernel about its network.
 *
 * @module
 */

import { ShimError } from "../../base/errors.ts";
import { ErrnoError } from "./errno.ts";
import { close } from "./files.ts";
import { check, libc } from "./libc.ts";
import {
  decodeAnswer,
  decodeMessages,
  encodeRequest,
  netlinkError,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./netlink.ts";

const familyNetlink = 16;
const rawCloseOnExec = 3 | 0o2000000;
const routeProtocol = 0;
const netlinkLevel = 270;
const extendedAnswers = 11; // NETLINK_EXT_ACK
const dontWait = 0x40;
const truncated = 0x20;

/** Larger than any reply about one link. */
const bufferSize = 64 * 1024;

/**
 * A socket of the protocol `NETLINK_ROUTE`. It belongs for ever to the network
 * namespace in which its thread was when it was opened.
 *
 * A request is one synchronous exchange: the kernel does the work and queues its
 * answer within the write, so nothing is waited for but its own lock.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #sequence = 0;
  #open = true;

  /** @throws {ErrnoError} When the kernel refuses. */
  constructor() {
    const c = libc();
    const what = "Cannot open a netlink socket";
    this.#fd = check(
      c.socket(familyNetlink, rawCloseOnExec, routeProtocol),
      what,
    );
    try {
      // A connected socket takes nothing from other processes: none can answer
      // in the kernel's place. All zero is the kernel.
      const kernel = new Uint8Array(12);
      kernel[0] = familyNetlink;
      check(c.connect(this.#fd, kernel, kernel.length), what);
      const on = Int32Array.of(1);
      check(c.setsockopt(this.#fd, netlinkLevel, extendedAnswers, on, 4), what);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /**
   * Asks the kernel.
   *
   * @returns The message before the acknowledgement, for questions.
   * @throws {ErrnoError} With the request's `what` and the kernel's own words.
   * @throws {ShimError} DataLoss when the answer cannot be read.
   */
  request(request: NetlinkRequest): NetlinkMessage | undefined {
    const c = libc();
    const { what } = request;
    const sequence = ++this.#sequence;
    const bytes = encodeRequest(request, sequence);
    check(c.write(this.#fd, bytes, BigInt(bytes.length)), what);
    const buffer = new Uint8Array(bufferSize);
    let reply: NetlinkMessage | undefined;
    for (;;) {
      const flags = dontWait | truncated;
      const size = check(
        c.recv(this.#fd, buffer, BigInt(buffer.length), flags),
        what,
      );
      if (size > buffer.length) {
        throw new ShimError(
          "DataLoss",
          `${what}: the kernel's answer of ${size} bytes is too long`,
        );
      }
      for (const message of decodeMessages(buffer.slice(0, size))) {
        if (message.sequence !== sequence) continue;
        if (message.type !== netlinkError) {
          reply = message;
          continue;
        }
        const { errno, text } = decodeAnswer(message);
        if (errno === 0) return reply;
        throw new ErrnoError(errno, text ? `${what} (${text})` : what);
      }
    }
  }

  /** Closes the socket. Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd);
  }
}
