/**
 * A `computenetwork.dll` whose answers a test writes down, and which keeps account
 * of what its user does.
 *
 * @module
 */

import { guidText } from "../../base/guid.ts";
import type {
  ComputeNetworkLibrary,
  ComputeNetworkSymbols,
} from "../windows/library/computenetwork.ts";
import { readBytes, readParameter as text } from "./heap.ts";
import { ScriptedLibrary } from "./scripted_library.ts";

type Out = AllowSharedBufferSource | null;
type Handle = number | bigint;
type Name = keyof ComputeNetworkSymbols;

/**
 * The scripted DLL. Calls without a script succeed: nothing is listed, everything
 * can be opened and has no properties.
 *
 * @example One network
 * ```ts
 * import { ScriptedComputeNetwork } from "./scripted_network.ts";
 * const library = new ScriptedComputeNetwork();
 * library.on("HcnEnumerateNetworks", {
 *   value: '["c0000000-0000-1000-8000-0000000000c1"]',
 * });
 * ```
 */
export class ScriptedComputeNetwork
  extends ScriptedLibrary<ComputeNetworkSymbols>
  implements ComputeNetworkLibrary {
  /** Name for error messages. */
  readonly dll = "computenetwork.dll";

  /** Makes the table. */
  protected override makeSymbols(): ComputeNetworkSymbols {
    return {
      HcnEnumerateNamespaces: this.#enumerate("HcnEnumerateNamespaces"),
      HcnOpenNamespace: this.#open("HcnOpenNamespace"),
      HcnQueryNamespaceProperties: this.#query("HcnQueryNamespaceProperties"),
      HcnCloseNamespace: this.#close("HcnCloseNamespace"),
      HcnEnumerateEndpoints: this.#enumerate("HcnEnumerateEndpoints"),
      HcnOpenEndpoint: this.#open("HcnOpenEndpoint"),
      HcnQueryEndpointProperties: this.#query("HcnQueryEndpointProperties"),
      HcnCloseEndpoint: this.#close("HcnCloseEndpoint"),
      HcnEnumerateNetworks: this.#enumerate("HcnEnumerateNetworks"),
      HcnOpenNetwork: this.#open("HcnOpenNetwork"),
      HcnQueryNetworkProperties: this.#query("HcnQueryNetworkProperties"),
      HcnCloseNetwork: this.#close("HcnCloseNetwork"),
    };
  }

  #enumerate(
    symbol: Name,
  ): (query: Out, value: Out, result: Out) => Promise<number> {
    const usual = { value: "[]" };
    return (query, value, result) =>
      this.reply(symbol, [text(query)], { value, result, usual });
  }

  #open(symbol: Name): (id: Out, handle: Out, result: Out) => Promise<number> {
    return (id, handle, result) =>
      this.reply(symbol, [guidText(readBytes(id, 16))], { handle, result });
  }

  #query(
    symbol: Name,
  ): (opened: Handle, query: Out, value: Out, result: Out) => Promise<number> {
    const usual = { value: "{}" };
    return (opened, query, value, result) => {
      const uses = [BigInt(opened)];
      const args = [...uses, text(query)];
      return this.reply(symbol, args, { uses, value, result, usual });
    };
  }

  #close(symbol: Name): (opened: Handle) => Promise<number> {
    return (opened) => {
      const uses = [BigInt(opened)];
      return this.reply(symbol, uses, { uses, closes: true });
    };
  }
}
