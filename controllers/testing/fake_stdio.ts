/**
 * A client's streams in memory, for tests of the controllers.
 *
 * @module
 */

import { type Duplex, memoryPair } from "../../base/duplex.ts";
import type { StdioName } from "../../hcs/ports.ts";
import type { OpenStdio, StdioPaths } from "../process/mod.ts";
import { CallScript } from "./call_script.ts";

/** No streams at all. */
export const noStdio: StdioPaths = {
  terminal: false,
  stdin: "",
  stdout: "",
  stderr: "",
};

/** Input, output and errors. */
export const allStdio: StdioPaths = {
  terminal: false,
  stdin: "in",
  stdout: "out",
  stderr: "err",
};

/** The client of one process. */
export class FakeClient {
  /** What was called, and what fails: `stdin`, `stdout`, `stderr`. */
  readonly script = new CallScript();
  /** What happens to the shim's ends, in order, for example `closed stdout`. */
  readonly events: string[] = [];
  readonly #ends = new Map<StdioName, Duplex>();

  /** Opens a stream, as the platform does. */
  readonly open: OpenStdio = async (url, name, signal) => {
    await this.script.play(name, url, signal);
    const [shim, client] = memoryPair();
    this.#ends.set(name, client);
    if (name !== "stdin") return this.#watched(name, shim);
    return {
      ...this.#watched(name, shim),
      // As with a FIFO: the end of the client's input is ours to say.
      closeWrite: () => {
        this.events.push("closeWrite stdin");
        return client.closeWrite();
      },
    };
  };

  #watched(name: StdioName, shim: Duplex): Duplex {
    return {
      ...shim,
      close: () => {
        this.events.push(`closed ${name}`);
        return shim.close();
      },
    };
  }

  /** The client's end of a stream. */
  end(name: StdioName): Duplex {
    const end = this.#ends.get(name);
    if (end === undefined) throw new TypeError(`The client has no ${name}`);
    return end;
  }

  /** Types text. */
  async type(text: string): Promise<void> {
    await this.end("stdin").write(new TextEncoder().encode(text));
  }

  /** Reads a stream until the shim closes it. */
  async readAll(name: "stdout" | "stderr"): Promise<string> {
    const end = this.end(name);
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const n = await end.read(buffer);
      if (n === null) return text + decoder.decode();
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  }
}
