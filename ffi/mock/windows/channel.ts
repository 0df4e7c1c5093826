/**
 * One direction of a pipe or connection of the pretended Windows.
 *
 * @module
 */

import type { Operation } from "./operations.ts";
import { NtStatus } from "./status.ts";

interface PendingWrite {
  readonly operation: Operation;
  sent: number;
}

/** A bounded queue of bytes, with reads and writes that wait. */
export class FakeChannel {
  /** Bytes that it holds before a write waits. */
  readonly quota: number;
  #held = new Uint8Array();
  #reads: Operation[] = [];
  #writes: PendingWrite[] = [];
  /** What a read gets once the rest is read; undefined while the writer is there. */
  #end: number | undefined;
  /** What a write gets; undefined while the reader is there. */
  #broken: number | undefined;

  /** @param quota Bytes. */
  constructor(quota = 64 * 1024) {
    this.quota = quota;
  }

  /** Bytes that wait to be read. */
  get held(): number {
    return this.#held.length;
  }

  /** True when nothing comes any more. */
  get ended(): boolean {
    return this.#end !== undefined && this.#held.length === 0;
  }

  /** True while somebody waits for bytes. */
  get wanted(): boolean {
    return this.#reads.some(({ settled }) => !settled);
  }

  /** Reads what is there, or waits. @returns Success, pending or a failure. */
  read(operation: Operation): number {
    if (this.#held.length === 0 && this.#end !== undefined) {
      // The end of a connection is a success of no bytes, that of a pipe a failure.
      if (this.#end === NtStatus.Success) operation.settle(this.#end, 0);
      return this.#end;
    }
    this.#reads.push(operation);
    this.#move();
    return operation.settled ? NtStatus.Success : NtStatus.Pending;
  }

  /** Writes as much as there is room for, and waits with the rest. @returns Success, pending or a failure. */
  write(operation: Operation): number {
    if (this.#broken !== undefined) return this.#broken;
    this.#writes.push({ operation, sent: 0 });
    this.#move();
    return operation.settled ? NtStatus.Success : NtStatus.Pending;
  }

  /**
   * The writer is gone.
   *
   * @param status What reads get: success for an end of no bytes.
   * @param discard What is held is lost.
   */
  end(status: number, discard = false): void {
    this.#end ??= status;
    if (discard) this.#held = new Uint8Array();
    if (this.#held.length > 0) return;
    for (const read of this.#reads.splice(0)) read.settle(this.#end, 0);
  }

  /**
   * The reader is gone.
   *
   * @param pending What writes under way complete with.
   * @param next What later ones fail with.
   */
  break(pending: number, next: number): void {
    this.#broken ??= next;
    for (const { operation } of this.#writes.splice(0)) {
      operation.settle(pending, 0);
    }
  }

  #move(): void {
    let moved = true;
    while (moved) {
      moved = this.#takeWrites();
      moved = this.#serveReads() || moved;
    }
  }

  #takeWrites(): boolean {
    let moved = false;
    for (let write = this.#nextWrite(); write; write = this.#nextWrite()) {
      const { operation: { bytes }, sent } = write;
      const room = this.quota - this.#held.length;
      const part = bytes.subarray(sent, sent + room);
      if (part.length === 0 && bytes.length > 0) break;
      const held = new Uint8Array(this.#held.length + part.length);
      held.set(this.#held);
      held.set(part, this.#held.length);
      this.#held = held;
      write.sent += part.length;
      moved = true;
      if (write.sent < bytes.length) break;
      write.operation.settle(NtStatus.Success, bytes.length);
    }
    return moved;
  }

  #nextWrite(): PendingWrite | undefined {
    this.#writes = this.#writes.filter(({ operation }) => !operation.settled);
    return this.#writes[0];
  }

  #serveReads(): boolean {
    let moved = false;
    this.#reads = this.#reads.filter(({ settled }) => !settled);
    while (this.#held.length > 0) {
      const read = this.#reads.shift();
      if (read === undefined) break;
      const part = this.#held.subarray(0, read.bytes.length);
      read.bytes.set(part);
      this.#held = this.#held.slice(part.length);
      read.settle(NtStatus.Success, part.length);
      moved = true;
    }
    return moved;
  }
}
