/**
 * What the fake `computenetwork.dll` answers.
 *
 * @module
 */

import { HResult, HResultError } from "../../base/hresult.ts";
import {
  formatJson,
  isJsonObject,
  type JsonObject,
  parseJson,
} from "../../base/json.ts";
import { textOf } from "./frames.ts";
import { callFunction, type Front, type Functions, Handles } from "./front.ts";

/** A thing of the host's network. */
export type NetworkKind = "Namespace" | "Endpoint" | "Network";

/** The service of the host's network. */
export interface NetworkService {
  /** Told of each call before it is answered; may refuse it. */
  enter(call: string, text: string): void;
  /** Documents of a kind as the service writes them; each has an `ID`. */
  documents(kind: NetworkKind): readonly JsonObject[];
}

interface Kind {
  readonly name: NetworkKind;
  /** What the service answers for an id that names nothing. */
  readonly notFound: number;
  /** Just below the first handle. */
  readonly handles: bigint;
}

const kinds: readonly Kind[] = [
  {
    name: "Namespace",
    notFound: HResult.ElementNotFound,
    handles: 0x3_0000_0000n,
  },
  { name: "Endpoint", notFound: 0x803b_0002, handles: 0x4_0000_0000n },
  { name: "Network", notFound: 0x803b_0001, handles: 0x5_0000_0000n },
];

/** `HCN_E_INVALID_JSON`. */
const invalidJson = 0x803b_001b;

/** The id in a query's filter, which is JSON in a string; undefined lets all pass. */
function filteredId(query: string): string | undefined {
  try {
    const json = parseJson(query, "the query");
    const text = isJsonObject(json) ? json.Filter : undefined;
    if (typeof text !== "string" || text === "") return undefined;
    const filter = parseJson(text, "the filter");
    const id = isJsonObject(filter) ? filter.ID : undefined;
    return typeof id === "string" ? id.toLowerCase() : undefined;
  } catch (cause) {
    throw new HResultError(invalidJson, `Cannot read ${query}`, { cause });
  }
}

function idOf(document: JsonObject): string {
  return String(document.ID).toLowerCase();
}

function functionsOf(
  { name, notFound }: Kind,
  network: NetworkService,
  handles: Handles<JsonObject>,
): Functions {
  return {
    [`HcnEnumerate${name}s`]: (call) => {
      const query = textOf(call);
      network.enter(call.function, query);
      const wanted = filteredId(query);
      const ids = network.documents(name).map(idOf)
        .filter((id) => wanted === undefined || id === wanted);
      return { value: formatJson(ids) };
    },
    [`HcnOpen${name}`]: (call) => {
      // As StringFromGUID2 writes it: in braces.
      const id = textOf(call).slice(1, -1).toLowerCase();
      network.enter(call.function, id);
      const found = network.documents(name).find((it) => idOf(it) === id);
      if (found === undefined) {
        throw new HResultError(notFound, `There is no ${name} ${id}`);
      }
      return { handle: handles.open(found) };
    },
    [`HcnQuery${name}Properties`]: (call) => {
      network.enter(call.function, textOf(call));
      return { value: formatJson(handles.find(call.handle)) };
    },
    [`HcnClose${name}`]: ({ handle }) => {
      handles.close(handle);
      return {};
    },
  };
}

/** The functions of `computenetwork.dll` over a network service. */
export function computeNetworkFront(network: NetworkService): Front {
  const open = kinds.map((kind) => ({
    kind,
    handles: new Handles<JsonObject>(kind.handles),
  }));
  const functions: Functions = Object.assign(
    {},
    ...open.map(({ kind, handles }) => functionsOf(kind, network, handles)),
  );
  return {
    call: (call) => callFunction(functions, call),
    openHandles: () =>
      Object.fromEntries(
        open.map((
          { kind, handles },
        ) => [kind.name.toLowerCase(), handles.size]),
      ),
    close: () => Promise.resolve(),
  };
}
