/**
 * A client's streams in memory, for tests of the controllers.
 *
 * @module
 */

import { type Duplex, memoryPair } from "../../base/duplex.ts";
import type { StdioName } from "../../hcs/stdio.ts";
import type { ClientStreams, ProcessName, StdioPaths } from "../process/mod.ts";
import { noStdio } from "../process/stdio.ts";
import { CallScript } from "./call_script.ts";
import { FakeLoggingProgram } from "./fake_logging_program.ts";

export { noStdio };

/** Input, output and errors. */
export const allStdio: StdioPaths = {
  terminal: false,
  stdin: "in",
  stdout: "out",
  stderr: "err",
};

/** The client of one process. */
export class FakeClient implements ClientStreams {
  /** What was called, and what fails: `stdin`, `stdout`, `stderr`, `startLogger`. */
  readonly script = new CallScript();
  /** What happens to the shim's ends, in order, for example `closed stdout`. */
  readonly events: string[] = [];
  /** Logging programs in the order of their start. */
  readonly programs: FakeLoggingProgram[] = [];
  /** What is done to the next logging program before anybody uses it. */
  onProgram: (program: FakeLoggingProgram) => void = () => {};
  readonly #ends = new Map<StdioName, Duplex>();

  /** Opens a stream, as the platform does. */
  async open(
    url: string,
    name: StdioName,
    signal?: AbortSignal,
  ): Promise<Duplex> {
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
  }

  /** Starts a logging program, as the platform does. */
  async startLogger(
    url: string,
    process: ProcessName,
  ): Promise<FakeLoggingProgram> {
    const { containerId, execId } = process;
    await this.script.play("startLogger", { url, containerId, execId });
    const program = new FakeLoggingProgram();
    this.onProgram(program);
    this.programs.push(program);
    return program;
  }

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
