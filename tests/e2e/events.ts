/**
 * What containerd tells its clients of.
 *
 * @module
 */

import type { PrivateContainerd } from "../containerd.ts";

/** Follows `ctr events`. */
export class EventLog implements AsyncDisposable {
  /** What was told so far, one event a line. */
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;
  #news = Promise.withResolvers<void>();

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#read = this.#follow();
  }

  /** Follows from now on: what happens after this is told. */
  static async open(ctr: PrivateContainerd): Promise<EventLog> {
    const log = new EventLog(ctr.spawn(["events"]));
    // It does not say when it has subscribed.
    for (let n = 0; log.lines.length === 0; n++) {
      await ctr.ctr("namespaces", "label", "default", `n=${n}`);
    }
    return log;
  }

  async #follow(): Promise<void> {
    let rest = "";
    for await (
      const text of this.#process.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    }
  }

  /** Waits until a line matches. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = this.lines.find((each) => pattern.test(each));
      if (line !== undefined) return line;
      await this.#news.promise;
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#read;
    await this.#process.stderr.cancel();
    await this.#process.status;
  }
}
