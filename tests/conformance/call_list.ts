/**
 * What was said to a VM and its guest, as `hcs-modify` records it.
 *
 * @module
 */

import { HResultError } from "../../base/hresult.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { injectedCode } from "./call_log.ts";
import { plain } from "./json.ts";

/** One side of a VM. */
export interface Side {
  modify(request: unknown): Promise<void>;
}

/** Records requests to both sides, and fails those that the case names. */
export class CallList {
  /** The sides, as device managers see them. */
  readonly peers: { readonly vm: Side; readonly guest: Side };
  readonly #failures: ReadonlySet<Json>;
  readonly #counts = { vm: 0, guest: 0 };
  #calls: JsonObject[] = [];

  /** @param failures For example `vm#1`: the first request to the VM fails. */
  constructor(failures: readonly Json[] = []) {
    this.#failures = new Set(failures);
    const side = (to: "vm" | "guest"): Side => ({
      modify: (request) => this.#note(to, request),
    });
    this.peers = { vm: side("vm"), guest: side("guest") };
  }

  /** The requests since the last time this was asked. */
  take(): JsonObject[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  async #note(to: "vm" | "guest", request: unknown): Promise<void> {
    const fails = this.#failures.has(`${to}#${++this.#counts[to]}`);
    const text = "injected failure";
    this.#calls.push({
      to,
      request: plain(request),
      ...(fails ? { fails: text } : {}),
    });
    await Promise.resolve();
    if (fails) throw new HResultError(injectedCode, text);
  }
}
