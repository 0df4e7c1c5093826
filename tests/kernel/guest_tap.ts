/**
 * What a guest agent says without being asked: its log, and how containers end.
 *
 * @module
 */

import { type Duplex, memoryPair } from "../../base/duplex.ts";
import { limits } from "../../base/timeouts.ts";
import { FrameReader } from "../../bridge/frames.ts";
import { containerNotificationType } from "../../bridge/message_types.ts";
import { ContainerNotification } from "../../bridge/messages.gen.ts";

/** Texts that come one after another, and who waits for which. */
class Texts {
  readonly #texts: string[] = [];
  readonly #waits = new Set<() => void>();
  #ended = false;

  push(text: string): void {
    this.#texts.push(text);
    for (const check of this.#waits) check();
  }

  end(): void {
    this.#ended = true;
    for (const check of this.#waits) check();
  }

  /** The first text of which `wanted` is true. Rejects when none has come. */
  find(what: string, wanted: (text: string) => boolean): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const check = (): void => {
      const found = this.#texts.find(wanted);
      if (found !== undefined) resolve(found);
      else if (this.#ended) {
        reject(new Error(`The agent ended without ${what}`));
      } else return;
      this.#waits.delete(check);
    };
    this.#waits.add(check);
    check();
    return promise;
  }
}

/** The log of an agent. */
export class AgentLog {
  /** All of it, when the agent has ended. */
  readonly text: Promise<string>;
  readonly #lines = new Texts();

  /** @param stream Its bytes. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.text = this.#read(stream);
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): Promise<string> {
    let text = "";
    let line = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      const lines = (line + part).split("\n");
      line = lines.pop()!;
      for (const whole of lines) this.#lines.push(whole);
    }
    this.#lines.end();
    return text;
  }

  /** The first line with this text, which may be yet to come. */
  line(part: string): Promise<string> {
    return this.#lines.find(
      `the line "${part}"`,
      (line) => line.includes(part),
    );
  }
}

/** How containers ended, as the agent tells the host. */
export class Endings {
  readonly #texts = new Texts();

  /** The stream of a bridge, whose notifications are also kept here. */
  tap(stream: Duplex): Duplex {
    const [copy, source] = memoryPair();
    // A broken bridge has no more of them.
    this.#read(source).catch(() => source.close());
    return {
      async read(buffer) {
        const n = await stream.read(buffer);
        if (n === null) await copy.closeWrite();
        else await copy.write(buffer.slice(0, n)).catch(() => {});
        return n;
      },
      write: (bytes) => stream.write(bytes),
      closeWrite: () => stream.closeWrite(),
      close: () => stream.close(),
    };
  }

  async #read(source: Duplex): Promise<void> {
    const frames = new FrameReader(source, limits.guestFrame);
    for (let frame; (frame = await frames.next()) !== undefined;) {
      if (frame.type !== containerNotificationType) continue;
      const { ContainerId, Type } = ContainerNotification.parse(frame.text);
      this.#texts.push(`${ContainerId} ${Type}`);
    }
  }

  /** How this container ended or ends, for example `ForcedExit`. */
  async of(id: string): Promise<string> {
    const text = await this.#texts.find(
      `the end of "${id}"`,
      (text) => text.startsWith(`${id} `),
    );
    return text.slice(id.length + 1);
  }
}
