/**
 * The raw symbols of `computenetwork.dll`, as `computenetwork.h` declares them.
 * Handles are 64-bit integers, never pointers.
 *
 * @module
 */

import type { ForeignMemory } from "./utf16.ts";

/**
 * What the product uses of `computenetwork.dll`: it only reads what the CNI plugin
 * has made. Every function can block, so all are `nonblocking`; all are
 * `optional`, so that a version of the DLL without one still serves the others.
 */
export const computeNetworkInterface = {
  /** Lists the ids of namespaces. */
  HcnEnumerateNamespaces: {
    parameters: [
      "buffer", // PCWSTR query
      "buffer", // PWSTR* namespaces: free with CoTaskMemFree
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Opens a namespace. */
  HcnOpenNamespace: {
    parameters: [
      "buffer", // const GUID* id: 16 bytes
      "buffer", // HCN_NAMESPACE* namespace
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Answers a query about a namespace. */
  HcnQueryNamespaceProperties: {
    parameters: [
      "u64", // HCN_NAMESPACE namespace
      "buffer", // PCWSTR query
      "buffer", // PWSTR* properties: free with CoTaskMemFree
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Closes a handle. */
  HcnCloseNamespace: {
    parameters: [
      "u64", // HCN_NAMESPACE namespace
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Lists the ids of endpoints. */
  HcnEnumerateEndpoints: {
    parameters: [
      "buffer", // PCWSTR query
      "buffer", // PWSTR* endpoints: free with CoTaskMemFree
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Opens an endpoint. */
  HcnOpenEndpoint: {
    parameters: [
      "buffer", // const GUID* id: 16 bytes
      "buffer", // HCN_ENDPOINT* endpoint
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Answers a query about an endpoint. */
  HcnQueryEndpointProperties: {
    parameters: [
      "u64", // HCN_ENDPOINT endpoint
      "buffer", // PCWSTR query
      "buffer", // PWSTR* properties: free with CoTaskMemFree
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Closes a handle. */
  HcnCloseEndpoint: {
    parameters: [
      "u64", // HCN_ENDPOINT endpoint
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Lists the ids of networks. */
  HcnEnumerateNetworks: {
    parameters: [
      "buffer", // PCWSTR query
      "buffer", // PWSTR* networks: free with CoTaskMemFree
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Opens a network. */
  HcnOpenNetwork: {
    parameters: [
      "buffer", // const GUID* id: 16 bytes
      "buffer", // HCN_NETWORK* network
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Answers a query about a network. */
  HcnQueryNetworkProperties: {
    parameters: [
      "u64", // HCN_NETWORK network
      "buffer", // PCWSTR query
      "buffer", // PWSTR* properties: free with CoTaskMemFree
      "buffer", // PWSTR* errorRecord: free with CoTaskMemFree
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
  /** Closes a handle. */
  HcnCloseNetwork: {
    parameters: [
      "u64", // HCN_NETWORK network
    ],
    result: "i32", // HRESULT
    nonblocking: true,
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The symbols as `Deno.dlopen` gives them; mocks have the same type. */
export type ComputeNetworkSymbols = Deno.StaticForeignLibraryInterface<
  typeof computeNetworkInterface
>;

/** `computenetwork.dll` with what its users need beside it. */
export interface ComputeNetworkLibrary {
  /** Name for error messages. */
  readonly dll: string;
  /** The raw symbols. */
  readonly symbols: ComputeNetworkSymbols;
  /** Reads and frees the strings that they return. */
  readonly memory: ForeignMemory;
}
