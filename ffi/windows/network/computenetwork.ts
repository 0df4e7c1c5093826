/**
 * The network service through `computenetwork.dll`: promises over its raw symbols.
 *
 * @module
 */

import { type Clock, systemClock } from "../../../base/clock.ts";
import { classify, messageOf, ShimError } from "../../../base/errors.ts";
import { guidBytes, isGuid } from "../../../base/guid.ts";
import { HResult } from "../../../base/hresult.ts";
import { formatJson, type Json, parseJson } from "../../../base/json.ts";
import { type Logger, silentLogger } from "../../../base/log.ts";
import { defaultTimeouts } from "../../../base/timeouts.ts";
import type {
  HostEndpoint,
  HostNamespace,
  HostNetwork,
  HostNetworkInfo,
} from "../../../hcs/ports.ts";
import { isFailure } from "../library/error_document.ts";
import { requiredDocument, unexpectedReply } from "../compute/replies.ts";
import type { VmComputeOptions } from "../compute/vmcompute.ts";
import type {
  ComputeNetworkLibrary,
  ComputeNetworkSymbols,
} from "../library/computenetwork.ts";
import { numberMember } from "../library/document.ts";
import {
  blockingSlots,
  NativeCalls,
  type Reply,
  within,
} from "../library/native_calls.ts";
import { encodeUtf16 } from "../library/utf16.ts";
import { hostEndpoint, hostNamespace, hostNetwork } from "./documents.ts";

/** What the service keeps. */
type Kind = "Namespace" | "Endpoint" | "Network";

/** Version of the query documents. */
const schema = { SchemaVersion: { Major: 2, Minor: 0 } };

/**
 * The network service. Every method rejects with an `HResultError` for what the
 * service answered, and with DeadlineExceeded when it does not answer.
 *
 * @example Over a mock
 * ```ts
 * import { ScriptedComputeNetwork } from "../../mock/scripted_network.ts";
 * import { ComputeNetwork } from "./computenetwork.ts";
 * const network = new ComputeNetwork(new ScriptedComputeNetwork());
 * console.assert((await network.networks()).length === 0);
 * ```
 */
export class ComputeNetwork implements HostNetwork {
  readonly #calls: NativeCalls<ComputeNetworkSymbols>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limit: number;

  /**
   * @param library The DLL, or a mock of it.
   * @param options `systemCall` of the timeouts is used.
   */
  constructor(library: ComputeNetworkLibrary, options: VmComputeOptions = {}) {
    const { clock = systemClock, log = silentLogger } = options;
    const slots = options.slots ??
      blockingSlots(navigator.hardwareConcurrency);
    this.#clock = clock;
    this.#log = log;
    this.#limit = (options.timeouts ?? defaultTimeouts).systemCall;
    this.#calls = new NativeCalls({ library, slots, clock, log });
  }

  /** Looks a namespace up. @throws {ShimError} NotFound when there is none. */
  async namespace(id: string, signal?: AbortSignal): Promise<HostNamespace> {
    return hostNamespace(await this.#lookUp("Namespace", id, signal), id);
  }

  /** Looks an endpoint up. @throws {ShimError} NotFound when there is none. */
  async endpoint(id: string, signal?: AbortSignal): Promise<HostEndpoint> {
    return hostEndpoint(await this.#lookUp("Endpoint", id, signal), id);
  }

  /** Lists all networks. One that goes away meanwhile is left out. */
  async networks(signal?: AbortSignal): Promise<readonly HostNetworkInfo[]> {
    const query = formatJson(schema);
    const found: HostNetworkInfo[] = [];
    for (const id of await this.#enumerate("Network", "", query, signal)) {
      try {
        const document = await this.#read("Network", id, query, signal);
        found.push(hostNetwork(document, id));
      } catch (error) {
        if (classify(error) !== "NotFound") throw error;
      }
    }
    return found;
  }

  async #lookUp(
    kind: Kind,
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<Json> {
    // The filter is a document in a string, with the id as it was received.
    const query = formatJson({ ...schema, Filter: formatJson({ ID: id }) });
    const [first] = await this.#enumerate(kind, id, query, signal);
    if (first === undefined) {
      throw new ShimError("NotFound", `${kind} ID "${id}" not found`);
    }
    return await this.#read(kind, first, query, signal);
  }

  /** Ids of what matches a query. */
  async #enumerate(
    kind: Kind,
    id: string,
    query: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const subject = `hcnEnumerate${kind}s ${id}`.trimEnd();
    const text = encodeUtf16(query);
    const reply = await this.#calls.call(
      `HcnEnumerate${kind}s`,
      subject,
      { ms: this.#limit, signal },
      (call, out) => call(text, out.value, out.result),
    );
    this.#accept(subject, reply);
    const ids = requiredDocument(subject, reply.value, "hcn");
    if (!Array.isArray(ids)) throw unexpectedReply(subject, "no list", "hcn");
    return ids.map((id) => {
      if (typeof id === "string" && isGuid(id)) return id;
      throw unexpectedReply(subject, `${formatJson(id)} is no GUID`, "hcn");
    });
  }

  /** The properties of one thing. */
  #read(
    kind: Kind,
    id: string,
    query: string,
    signal: AbortSignal | undefined,
  ): Promise<Json> {
    return within(
      this.#clock,
      `hcnQuery${kind}Properties ${id}`,
      "the network service",
      { ms: this.#limit, signal },
      (limit) => this.#readOpen(kind, id, query, limit),
    );
  }

  /** Opens, queries and closes; goes on to the close when nobody waits any more. */
  async #readOpen(
    kind: Kind,
    id: string,
    query: string,
    limit: AbortSignal,
  ): Promise<Json> {
    const guid = guidBytes(id);
    const opened = await this.#calls.run(
      `HcnOpen${kind}`,
      (call, out) => call(guid, out.handle, out.result),
      limit,
    );
    const { handle } = opened;
    try {
      const opening = `hcnOpen${kind} ${id}`;
      this.#accept(opening, opened);
      if (handle === 0n) throw unexpectedReply(opening, "no handle", "hcn");
      const querying = `hcnQuery${kind}Properties ${id}`;
      const text = encodeUtf16(query);
      const reply = await this.#calls.run(
        `HcnQuery${kind}Properties`,
        (call, out) => call(handle, text, out.value, out.result),
        limit,
      );
      this.#accept(querying, reply);
      return requiredDocument(querying, reply.value, "hcn");
    } finally {
      if (handle !== 0n) await this.#close(kind, id, handle);
    }
  }

  /** Never rejects: what the caller wanted to know is known. */
  async #close(kind: Kind, id: string, handle: bigint): Promise<void> {
    const subject = `hcnClose${kind} ${id}`;
    try {
      const reply = await this.#calls.run(
        `HcnClose${kind}`,
        (call) => call(handle),
      );
      this.#accept(subject, reply);
    } catch (error) {
      this.#log.warn("Cannot close a handle of the network service", {
        subject,
        error: messageOf(error),
      });
    }
  }

  /** @throws {HResultError} for a failure, and for a success with an error record. */
  #accept(subject: string, reply: Reply): void {
    const { hresult, document } = reply;
    if (isFailure(hresult)) throw this.#calls.error(subject, reply);
    if (document === null || document === "") return;
    throw this.#calls.error(subject, {
      ...reply,
      hresult: recordedCode(document),
    });
  }
}

/** The failure that an error record tells of. */
function recordedCode(record: string): number {
  try {
    const code = numberMember(parseJson(record), "ErrorCode") ?? 0;
    return isFailure(code) ? code >>> 0 : HResult.Fail;
  } catch {
    return HResult.Fail;
  }
}
